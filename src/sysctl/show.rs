//! `netkit sysctl show` for people: a few settings in full, many by the groups of the catalogue.

use super::report::SettingReport;
use crate::catalogue::sysctls::GROUPS;
use crate::output::{Style, sanitize, wrapped};

/// As many settings, and no more, are shown in full.
const IN_FULL: usize = 3;

/// All of the settings.
pub fn render(settings: &[SettingReport], style: Style) -> String {
    if settings.len() <= IN_FULL {
        return settings.iter().map(|it| in_full(it, style)).collect::<Vec<_>>().join("\n");
    }
    let known = GROUPS.iter().map(|(name, entries)| {
        let of_entry = |key: &str| settings.iter().find(move |it| it.key == key);
        (*name, entries.iter().filter_map(|entry| of_entry(entry.key)).collect::<Vec<_>>())
    });
    let others = settings.iter().filter(|it| it.meaning.is_none()).collect::<Vec<_>>();
    let groups = known.chain([("not in the catalogue", others)]);
    let groups: Vec<_> = groups.filter(|(_, settings)| !settings.is_empty()).collect();
    let texts = groups.iter().map(|(name, settings)| {
        let settings = settings.iter().map(|it| in_short(it, style)).collect::<String>();
        format!("{}\n{settings}", style.title(name))
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn in_full(setting: &SettingReport, style: Style) -> String {
    let mut text = format!("{}\n", style.title(&sanitize(&setting.key)));
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let lead = format!("  {name:<9}");
            text += &format!("{}\n", wrapped(&lead, &sanitize(&value), style.width));
        }
    };
    let scope = setting.scope.map(|scope| match scope {
        "namespace" => "each network namespace has its own",
        _ => "the whole machine; the first network namespace alone can set it",
    });
    let read_only = if setting.is_read_only { "; it can only be read" } else { "" };
    line("meaning", setting.meaning.map(str::to_owned));
    line("running", Some(running(setting)));
    line("default", default(setting));
    line("accepts", setting.accepts.as_ref().map(|accepts| format!("{accepts}{read_only}")));
    line("scope", scope.map(str::to_owned));
    line("since", setting.since.as_ref().map(|release| format!("Linux {release}")));
    line("gone", setting.gone.clone());
    text
}

/// In a few lines: its value, what it does, what it could be.
fn in_short(setting: &SettingReport, style: Style) -> String {
    let value = match &setting.running {
        Some(_) => format!("= {}", running(setting)),
        None => format!(" {}", running(setting)),
    };
    let is_changed = setting.is_default == Some(false);
    let mark = if is_changed { "  (not the default)" } else { "" };
    let mut lines = vec![(2, format!("{} {value}{mark}", setting.key))];
    lines.extend(setting.meaning.map(|meaning| (4, meaning.to_owned())));
    let scope = setting.scope.map(|scope| match scope {
        "namespace" => "per namespace",
        _ => "global",
    });
    let facts = [
        default(setting).map(|default| format!("default {default}")),
        setting.accepts.as_ref().map(|accepts| format!("takes {accepts}")),
        scope.map(str::to_owned),
        setting.is_read_only.then(|| "read-only".to_owned()),
        setting.since.as_ref().map(|release| format!("since Linux {release}")),
        setting.gone.clone(),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    lines.extend((!facts.is_empty()).then(|| (4, facts.join("; "))));
    let lines = lines.iter().map(|(indent, text)| {
        format!("{}\n", wrapped(&" ".repeat(*indent), &sanitize(text), style.width))
    });
    let text = lines.collect::<String>();
    text.replacen(&setting.key, &style.title(&setting.key), 1)
}

/// The value that is there, or why there is none.
fn running(setting: &SettingReport) -> String {
    match (&setting.running, &setting.hidden) {
        (Some(value), _) => with_unit(&plain(value), setting.unit),
        (None, Some(why)) => why.clone(),
        (None, None) => "there is no such key here".to_owned(),
    }
}

fn default(setting: &SettingReport) -> Option<String> {
    match (&setting.default, setting.default_formula) {
        (Some(default), _) => Some(with_unit(&plain(default), setting.unit)),
        (None, formula) => formula.map(str::to_owned),
    }
}

/// A value in a line: tabs are blanks, and nothing is said.
pub fn plain(value: &str) -> String {
    match value.split_whitespace().collect::<Vec<_>>().join(" ") {
        empty if empty.is_empty() => "(empty)".to_owned(),
        value => value,
    }
}

/// A value and what it counts, where that is not plain from the key.
pub fn with_unit(value: &str, unit: Option<&str>) -> String {
    match unit {
        Some(unit @ ("s" | "ms" | "bytes" | "pages")) if value != "(empty)" => {
            format!("{value} {unit}")
        }
        Some("us") => format!("{value} µs"),
        _ => value.to_owned(),
    }
}
