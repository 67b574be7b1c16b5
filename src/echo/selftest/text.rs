//! The self-test for people.

use super::report::{PathReport, SelftestReport, Verdict};
use crate::model::Severity;
use crate::output::numbers::{count, plural, short_duration};
use crate::output::{Align, Column, Style, render_fitting, wrapped};

const COLUMNS: [Column; 4] = [
    ("PATH", Align::Left),
    ("ROUND TRIP", Align::Right),
    ("1 MiB", Align::Right),
    ("VERDICT", Align::Left),
];

/// All of it.
pub fn selftest(report: &SelftestReport, style: Style) -> String {
    let mut text = headline(report, style);
    text.push('\n');
    let rows = report.paths.iter().map(row).collect();
    text += &render_fitting(&COLUMNS, rows, style.width);
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for path in report.paths.iter().filter(|it| it.verdict != Verdict::Ok) {
        let (reason, place) = (reason(path), format!("{} {}", path.protocol, path.place));
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, places)) => places.push(place),
            None => reasons.push((reason, vec![place])),
        }
    }
    if !reasons.is_empty() || !report.warnings.is_empty() {
        text.push('\n');
    }
    for warning in &report.warnings {
        text += &format!("{}\n", wrapped("  ", warning, style.width));
    }
    for (reason, places) in reasons {
        let line = format!("{}: {reason}", places.join(", "));
        text += &format!("{}\n", wrapped("  ", &line, style.width));
    }
    text
}

fn headline(report: &SelftestReport, style: Style) -> String {
    let number = |verdict| {
        let it = report.paths.iter().filter(|path| path.verdict == verdict).count();
        u64::try_from(it).unwrap_or(0)
    };
    let took = short_duration(report.elapsed_us);
    let off = match number(Verdict::Off) {
        0 => String::new(),
        off => format!("; {} off", plural(off, "is", "are")),
    };
    let (ok, failed) = (number(Verdict::Ok), number(Verdict::Failed));
    let (severity, words) = if report.ok {
        (Severity::Ok, format!("All {} echo", count(ok, "path")))
    } else {
        let all = count(ok + failed, "path");
        (
            Severity::Critical,
            format!("{failed} of {all} {} not echo", if failed == 1 { "does" } else { "do" }),
        )
    };
    format!("{} ({took}){off}\n", style.severity(severity, &words))
}

fn row(path: &PathReport) -> Vec<String> {
    let time = |it: Option<u64>| it.map_or("-".to_owned(), short_duration);
    let verdict = match path.verdict {
        Verdict::Ok => "ok".to_owned(),
        Verdict::Off => "off".to_owned(),
        Verdict::Failed => {
            format!("FAILED {}", path.name.as_deref().unwrap_or("wrong bytes"))
        }
    };
    vec![
        format!("{} {}", path.protocol, path.place),
        time(path.round_trip_us),
        time(path.mebibyte_us),
        verdict,
    ]
}

fn reason(path: &PathReport) -> String {
    let code = match (&path.name, path.code) {
        (Some(name), Some(code)) => format!("{name} ({code}) in "),
        (Some(name), None) => format!("{name} in "),
        (None, _) => String::new(),
    };
    let meaning = path.meaning.as_deref().unwrap_or_default();
    format!("{code}{}: {meaning}", path.step.unwrap_or("the transfer"))
}

#[cfg(test)]
mod tests {
    use super::super::report::SCHEMA;
    use super::*;

    #[test]
    fn what_does_not_fit_a_narrow_terminal_stands_below_each_other() {
        let path = PathReport {
            protocol: "tcp",
            place: "[::ffff:127.0.0.1]".to_owned(),
            verdict: Verdict::Failed,
            round_trip_us: Some(40),
            mebibyte_us: None,
            step: Some("connect"),
            code: Some(99),
            name: Some("EADDRNOTAVAIL".to_owned()),
            meaning: Some("lo has no 127.0.0.1".to_owned()),
        };
        let report = SelftestReport {
            schema: SCHEMA,
            captured_at: String::new(),
            warnings: vec!["a warning of more words than forty columns hold".to_owned()],
            elapsed_us: 1000,
            ok: false,
            paths: vec![path],
        };
        let at = |width| selftest(&report, Style { width, ..Style::PLAIN });
        assert!(at(40).lines().all(|line| line.chars().count() <= 40), "{}", at(40));
        assert!(at(40).contains(" tcp [::ffff:127.0.0.1]\n  round trip 40 µs\n"), "{}", at(40));
        assert!(at(80).contains("\n PATH "), "{}", at(80));
    }
}
