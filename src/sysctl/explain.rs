//! `netkit sysctl explain KEY`: a page of the catalogue, with the value that is there now.

use std::io::{self, Write};

use serde::Serialize;

use super::show::{plain, with_unit};
use crate::catalogue::sysctls::{DefaultValue, SysctlEntry};
use crate::kernel::sysctl_tree::Running;
use crate::model::TargetKernel;
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
    myth: Option<String>,
    danger: Option<&'static str>,
    instead: Option<&'static str>,
    sources: &'static [&'static str],
    /// What was otherwise in older kernels.
    earlier: Vec<String>,
    /// What became of it, where this kernel does not have it or does not read it.
    #[serde(skip)]
    gone: Option<String>,
    /// The value in words.
    #[serde(skip)]
    now: String,
    #[serde(skip)]
    is_writable: bool,
}

impl Page {
    /// The page of `entry` for `kernel`, which has `running`. A secret is not shown: who asks what it is
    /// does not ask for it.
    pub fn new(entry: &'static SysctlEntry, running: Running, kernel: TargetKernel) -> Self {
        let shown_by = format!("a secret, which `netkit sysctl show {}` shows", entry.key);
        let running = if entry.is_secret { running.withheld(&shown_by) } else { running };
        let now = match &running {
            Running::Value(value) => with_unit(&plain(value), entry.unit.name()),
            Running::Absent => "this kernel has no such key here".to_owned(),
            Running::Hidden(why) => why.clone(),
        };
        Self {
            schema: "netkit.sysctl_explain/1",
            key: entry.key,
            meaning: entry.meaning,
            running: running.value().map(str::to_owned),
            default: entry.fixed_default(kernel),
            default_formula: entry.default_formula(kernel),
            accepts: entry.kind_in(kernel).to_string(),
            unit: entry.unit.name(),
            scope: entry.scope.name(),
            since: entry.since.map(|release| release.to_string()),
            until: entry.until.map(|release| release.to_string()),
            judgement: entry.judgement,
            myth: entry.myth.map(|myth| format!("\"{}\": {}", myth.said, myth.truth)),
            danger: entry.danger,
            instead: entry.instead,
            sources: entry.sources,
            earlier: earlier(entry),
            gone: entry.gone(kernel),
            now,
            is_writable: entry.is_writable,
        }
    }

    /// The key, and what it does in one line.
    pub fn title(&self) -> (&'static str, &'static str) {
        (self.key, self.meaning)
    }

    /// What there is to say, each under its name; the sources come last.
    pub fn paragraphs(&self) -> Vec<(&'static str, String)> {
        let scope = match self.scope {
            "namespace" => "each network namespace has its own, and begins with the default",
            _ => "the whole machine; the first network namespace alone can set it",
        };
        let some = |name, text: Option<String>| text.map(|text| (name, text));
        let fixed = self.default.map(|it| with_unit(&plain(it), self.unit));
        let default = fixed.or_else(|| self.default_formula.map(str::to_owned));
        let read_only = if self.is_writable { "" } else { "; it can only be read" };
        let earlier = (!self.earlier.is_empty()).then(|| self.earlier.join("; "));
        [
            Some(("now", self.now.clone())),
            some("default", default),
            Some(("accepts", format!("{}{read_only}", self.accepts))),
            some("earlier", earlier),
            Some(("scope", scope.to_owned())),
            some("since", self.since.as_ref().map(|release| format!("Linux {release}"))),
            some("gone", self.until.as_ref().map(|release| format!("since Linux {release}"))),
            some("unread", self.gone.clone().filter(|_| self.until.is_none())),
            Some(("advice", self.judgement.to_owned())),
            some("myth", self.myth.clone()),
            some("danger", self.danger.map(str::to_owned)),
            some("instead", self.instead.map(str::to_owned)),
            Some(("sources", self.sources.join("; "))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// `before Linux 5.4 the default was 128 (…)`
fn earlier(entry: &SysctlEntry) -> Vec<String> {
    let changes = entry.earlier.iter().map(|it| {
        let default = it.default.map(|default| match default {
            DefaultValue::Fixed(value) => format!("the default was {}", plain(value)),
            DefaultValue::Formula(formula) => format!("the default was {formula}"),
        });
        let kind = it.kind.map(|kind| format!("it took {kind}"));
        let both: Vec<String> = default.into_iter().chain(kind).collect();
        format!("before Linux {} {} ({})", it.until, both.join(", and "), it.source)
    });
    changes.collect()
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
