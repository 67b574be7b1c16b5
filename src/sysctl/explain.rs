//! `netkit sysctl explain KEY`: a page of the catalogue, with the value that is there now.

use std::io::{self, Write};

use serde::Serialize;

use crate::catalogue::sysctls::SysctlEntry;
use crate::kernel::sysctl_tree::Running;
use crate::output::{Report, Style, csv_rows, described, sanitize, wrapped};

/// A page; the JSON of docs/schema/sysctl_explain.json.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    schema: &'static str,
    key: &'static str,
    meaning: &'static str,
    running: Option<String>,
    default: Option<&'static str>,
    default_formula: Option<&'static str>,
    accepts: String,
    unit: Option<&'static str>,
    scope: &'static str,
    since: Option<String>,
    until: Option<String>,
    judgement: &'static str,
    myth: Option<&'static str>,
    danger: Option<&'static str>,
    instead: Option<&'static str>,
    sources: &'static [&'static str],
}

impl Page {
    /// The page of `entry`.
    pub fn new(entry: &'static SysctlEntry, running: &Running) -> Self {
        Self {
            schema: "netkit.sysctl_explain/1",
            key: entry.key,
            meaning: entry.meaning,
            running: running.value().map(str::to_owned),
            default: entry.fixed_default(),
            default_formula: entry.default_formula(),
            accepts: entry.kind.to_string(),
            unit: entry.unit.name(),
            scope: entry.scope.name(),
            since: entry.since.map(|release| release.to_string()),
            until: entry.until.map(|release| release.to_string()),
            judgement: entry.judgement,
            myth: entry.myth,
            danger: entry.danger,
            instead: entry.instead,
            sources: entry.sources,
        }
    }

    /// The key, and what it does in one line.
    pub fn title(&self) -> (&'static str, &'static str) {
        (self.key, self.meaning)
    }

    /// What there is to say, each under its name; the sources come last.
    pub fn paragraphs(&self) -> Vec<(&'static str, String)> {
        let running = match &self.running {
            Some(value) if value.is_empty() => "(empty)".to_owned(),
            Some(value) => value.split_whitespace().collect::<Vec<_>>().join(" "),
            None => "this kernel has no such key here".to_owned(),
        };
        let scope = match self.scope {
            "namespace" => "each network namespace has its own, and begins with the default",
            _ => "the whole machine; only the first network namespace shows it",
        };
        let some = |name, text: Option<String>| text.map(|text| (name, text));
        let default = self.default.map(|it| if it.is_empty() { "(empty)" } else { it });
        [
            Some(("now", running)),
            some("default", default.or(self.default_formula).map(str::to_owned)),
            Some(("accepts", self.accepts.clone())),
            Some(("scope", scope.to_owned())),
            some("since", self.since.as_ref().map(|release| format!("Linux {release}"))),
            some("gone", self.until.as_ref().map(|release| format!("since Linux {release}"))),
            Some(("advice", self.judgement.to_owned())),
            some("myth", self.myth.map(str::to_owned)),
            some("danger", self.danger.map(str::to_owned)),
            some("instead", self.instead.map(str::to_owned)),
            Some(("sources", self.sources.join("; "))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Report for Page {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        writeln!(out, "{}", style.title(self.key))?;
        writeln!(out, "{}\n", wrapped("", self.meaning, style.width))?;
        let paragraphs = self.paragraphs().into_iter();
        let safe: Vec<_> = paragraphs.map(|(name, text)| (name, sanitize(&text))).collect();
        out.write_all(described(&safe, style.width).as_bytes())
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv_rows(out, |csv| {
            csv.write_record(["name", "text"])?;
            csv.write_record(["key", self.key])?;
            csv.write_record(["meaning", self.meaning])?;
            for (name, text) in self.paragraphs() {
                csv.write_record([name, text.as_str()])?;
            }
            Ok(())
        })
    }
}
