//! What the lab has to say; the JSON of docs/schema/lab.json and lab_list.json.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claim::{Checked, words};
use super::scenario::Scenario;
use super::stage::Step;
use super::text;
use crate::exit::Exit;
use crate::output::{Report, Style, csv_rows, ndjson_rows};

/// The name and version of the JSON of `run`.
pub const SCHEMA: &str = "netkit.lab/1";
/// The name and version of the JSON of `list`.
pub const LIST_SCHEMA: &str = "netkit.lab_list/1";

/// The answer of `netkit lab run`.
#[derive(Debug, Serialize)]
pub struct LabReport {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// When it began, RFC 3339.
    pub captured_at: String,
    /// Each scenario that was asked for.
    pub scenarios: Vec<Played>,
    /// What has to be known about the answer.
    pub warnings: Vec<String>,
}

/// A scenario as it went.
#[derive(Debug, Serialize)]
pub struct Played {
    /// Its name.
    pub name: &'static str,
    /// What the condition is.
    pub about: &'static str,
    /// Whether the condition could be made here.
    pub ran: bool,
    /// Why not.
    pub why_not: Option<String>,
    /// What the user can do about that.
    #[serde(skip)]
    pub hint: Option<String>,
    /// How long it took, the start of the process included.
    pub elapsed_us: u64,
    /// What was called, and what the kernel said.
    pub steps: Vec<Step>,
    /// What netkit said, and whether it is the truth.
    pub diagnoses: Vec<Diagnosed>,
    /// Whether every claim holds; `None` if it did not run.
    pub holds: Option<bool>,
    /// The process in the namespace, with `--keep`.
    pub held_by_pid: Option<u32>,
    /// Whether that process is in a user namespace of its own.
    #[serde(skip)]
    pub has_user_ns: bool,
}

/// A command of netkit and what became of the claims on it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Diagnosed {
    /// The command line.
    pub command: String,
    /// Its exit code.
    pub exit: u8,
    /// What it had to say.
    pub claims: Vec<Checked>,
    /// Its JSON.
    pub report: Value,
}

impl Played {
    /// The claims of all its diagnoses.
    pub fn claims(&self) -> impl Iterator<Item = (&Diagnosed, &Checked)> {
        self.diagnoses.iter().flat_map(|it| it.claims.iter().map(move |claim| (it, claim)))
    }

    /// How many claims hold, and how many there are.
    pub fn score(&self) -> (usize, usize) {
        (self.claims().filter(|(_, claim)| claim.holds).count(), self.claims().count())
    }
}

impl LabReport {
    /// 1 if a claim failed, else 3 if a scenario could not run.
    pub fn exit(&self) -> Exit {
        if self.scenarios.iter().any(|it| it.holds == Some(false)) {
            Exit::Found
        } else if self.scenarios.iter().any(|it| !it.ran) {
            Exit::Blind
        } else {
            Exit::Fine
        }
    }
}

impl Report for LabReport {
    /// The table of all: one scenario is told as it goes.
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        out.write_all(text::summary(self, style).as_bytes())
    }

    /// Each claim.
    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let header = ["scenario", "command", "claim", "at", "expected", "found", "holds"];
        let claims = self.scenarios.iter().flat_map(|played| {
            played.claims().map(|(it, claim)| {
                let (expected, found) = (claim.expected.clone(), words(&claim.found));
                let known = [played.name, &it.command, &claim.what, &claim.at].map(str::to_owned);
                known.into_iter().chain([expected, found, claim.holds.to_string()]).collect()
            })
        });
        write_csv(out, &header, claims)
    }

    /// Each scenario.
    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        ndjson_rows(out, &self.scenarios)
    }
}

/// The answer of `netkit lab list`.
#[derive(Debug, Serialize)]
pub struct ListReport {
    /// [`LIST_SCHEMA`].
    pub schema: &'static str,
    /// Each scenario.
    pub scenarios: Vec<Listed>,
}

/// A scenario in the list.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: &'static str,
    /// What the condition is.
    pub about: &'static str,
    /// What `--sockets` is if it is not given; `None` if it cannot be.
    pub sockets: Option<u64>,
    /// Whether `--destinations` can be given.
    pub takes_destinations: bool,
}

impl ListReport {
    /// The list of `scenarios`.
    pub fn of(scenarios: &[&Scenario]) -> Self {
        let listed = |it: &&Scenario| Listed {
            name: it.name,
            about: it.about,
            sockets: it.sockets,
            takes_destinations: it.per_destination.is_some(),
        };
        Self { schema: LIST_SCHEMA, scenarios: scenarios.iter().map(listed).collect() }
    }
}

impl Report for ListReport {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        out.write_all(text::list(self, style).as_bytes())
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let rows = self.scenarios.iter().map(|it| {
            let sockets = it.sockets.map_or_else(String::new, |number| number.to_string());
            vec![it.name.into(), it.about.into(), sockets, it.takes_destinations.to_string()]
        });
        write_csv(out, &["name", "about", "sockets", "takes_destinations"], rows)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        ndjson_rows(out, &self.scenarios)
    }
}

fn write_csv(
    out: &mut dyn Write,
    header: &[&str],
    mut rows: impl Iterator<Item = Vec<String>>,
) -> io::Result<()> {
    csv_rows(out, |csv| {
        csv.write_record(header)?;
        rows.try_for_each(|row| csv.write_record(row))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scenario of which the claims hold, do not hold, or could not be looked at.
    fn played(holds: Option<bool>) -> Played {
        let claims = holds.iter().map(|holds| Checked {
            what: "it is so".to_owned(),
            at: "/x".to_owned(),
            expected: "1".to_owned(),
            found: Value::from(2),
            holds: *holds,
        });
        let (command, exit, report) = ("netkit states".to_owned(), 0, Value::Null);
        Played {
            name: "some",
            about: "",
            ran: holds.is_some(),
            why_not: holds.is_none().then(|| "it may not".to_owned()),
            hint: None,
            elapsed_us: 1_500,
            steps: Vec::new(),
            diagnoses: vec![Diagnosed { command, exit, claims: claims.collect(), report }],
            holds,
            held_by_pid: None,
            has_user_ns: false,
        }
    }

    fn report(all: &[Option<bool>]) -> LabReport {
        let scenarios = all.iter().copied().map(played).collect();
        LabReport { schema: SCHEMA, captured_at: String::new(), scenarios, warnings: Vec::new() }
    }

    #[test]
    fn a_wrong_diagnosis_weighs_more_than_a_scenario_that_did_not_run() {
        assert_eq!(report(&[Some(true), Some(true)]).exit(), Exit::Fine);
        assert_eq!(report(&[Some(true), None]).exit(), Exit::Blind);
        assert_eq!(report(&[None, Some(false), Some(true)]).exit(), Exit::Found);
    }

    #[test]
    fn the_summary_says_what_was_wrong() {
        let text = text::summary(&report(&[Some(true), None, Some(false)]), Style::PLAIN);
        insta::assert_snapshot!(text, @r"
        FAILS  netkit did not find the truth in 1 scenario

         SCENARIO DIAGNOSIS CLAIMS TIME
         some     holds     1 of 1 1 ms
         some     not run        - 1 ms
         some     FAILS     0 of 1 1 ms

        some: it may not

        some: `netkit states`: it is so: expected 1, found 2
        ");
    }

    #[test]
    fn the_end_of_a_scenario_says_how_it_went() {
        let closing = |holds| text::closing(&played(holds), Style::PLAIN);
        assert_eq!(closing(Some(true)), "\nHOLDS  1 of 1 claim, after 1 ms\n");
        assert_eq!(closing(Some(false)), "\nFAILS  0 of 1 claim, after 1 ms\n");
        assert_eq!(closing(None), "\nNOT RUN\n");
        let kept = Played { held_by_pid: Some(7), has_user_ns: true, ..played(Some(true)) };
        let text = text::closing(&kept, Style::PLAIN);
        assert!(text.contains("\n  nsenter -t 7 -U -n --preserve-credentials ss -tan\n"), "{text}");
    }
}
