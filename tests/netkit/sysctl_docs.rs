//! The table of docs/sysctl.md against the catalogue.

use std::fmt::Write as _;
use std::fs;

use netkit::catalogue::sysctls::{DefaultValue, GROUPS, SysctlEntry};

const FROM: &str = "<!-- keys -->\n";
const TO: &str = "<!-- end of keys -->";

#[test]
fn the_table_of_the_docs_is_the_catalogue() {
    let text = fs::read_to_string("docs/sysctl.md").unwrap();
    let (_, after) = text.split_once(FROM).unwrap();
    let (table, _) = after.split_once(TO).unwrap();
    let expected = table_of_the_catalogue();
    // Not `assert_eq`: two tables of 76 rows tell nobody where they differ.
    for (ours, theirs) in expected.lines().zip(table.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(expected.lines().count(), table.lines().count());
}

fn table_of_the_catalogue() -> String {
    let mut table = String::new();
    for (group, entries) in GROUPS {
        writeln!(table, "\n### {}{}\n", group[..1].to_uppercase(), &group[1..]).unwrap();
        table += "| key | default | takes | scope | what it does |\n|---|---|---|---|---|\n";
        for entry in entries {
            table += &row(entry);
        }
    }
    table + "\n"
}

fn row(entry: &SysctlEntry) -> String {
    let releases = match (entry.since, entry.until, entry.unread_since) {
        (Some(since), ..) => format!(" (since Linux {since})"),
        (None, Some(until), _) => format!(" (gone since Linux {until})"),
        (None, None, Some(unread)) => format!(" (unread since Linux {unread})"),
        (None, None, None) => String::new(),
    };
    let default = match entry.default {
        DefaultValue::Fixed("") => "empty".to_owned(),
        DefaultValue::Fixed(value) => format!("`{}`", value.replace('\t', " ")),
        DefaultValue::Formula(formula) => formula.to_owned(),
    };
    let unit = entry.unit.name().filter(|unit| ["s", "ms", "us", "bytes", "pages"].contains(unit));
    let unit = unit.map(|unit| format!(" {unit}")).unwrap_or_default();
    let earlier = entry.earlier.iter().filter_map(|it| {
        let DefaultValue::Fixed(value) = it.default? else { return None };
        Some(format!("; `{}` before {}", value.replace('\t', " "), it.until))
    });
    let earlier: String = earlier.collect();
    let takes = if entry.is_writable { entry.kind.to_string() } else { "read-only".to_owned() };
    format!(
        "| `{}`{releases} | {default}{unit}{earlier} | {takes} | {} | {} |\n",
        entry.key,
        entry.scope.name(),
        entry.meaning.replace('|', "\\|"),
    )
}
