//! What the self-test found; the JSON of docs/schema/echo_selftest.json. The verdict is here, and pure.

use std::io::{self, Write};

use serde::Serialize;

use super::happened::{Failed, Happened};
use super::loopback::Loopback;
use super::paths::{Family, Path};
use super::{reason, text};
use crate::catalogue::errnos;
use crate::output::numbers::microseconds_of;
use crate::output::{Report, Style, csv_rows, ndjson_rows};

/// The name and version of the JSON.
pub const SCHEMA: &str = "netkit.echo_selftest/1";

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct SelftestReport {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// When it began.
    pub captured_at: String,
    /// What has to be known about the answer.
    pub warnings: Vec<String>,
    /// How long it took.
    pub elapsed_us: u64,
    /// Whether all that had to work does.
    pub ok: bool,
    /// Each path.
    pub paths: Vec<PathReport>,
}

/// One path.
#[derive(Clone, Debug, Serialize)]
pub struct PathReport {
    /// `tcp`, `udp`, `unix`.
    pub protocol: &'static str,
    /// Where the server was.
    pub place: String,
    /// `ok`, `failed`, `off`.
    pub verdict: Verdict,
    /// The round trip of a small message.
    pub round_trip_us: Option<u64>,
    /// How long 1 MiB took, there and back.
    pub mebibyte_us: Option<u64>,
    /// The call that failed.
    pub step: Option<&'static str>,
    /// The error number.
    pub code: Option<i32>,
    /// Its C name.
    pub name: Option<String>,
    /// What it means.
    pub meaning: Option<String>,
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It works.
    Ok,
    /// It does not.
    Failed,
    /// It is not there on this machine, and need not be.
    Off,
}

/// What has to work besides IPv4 and Unix sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Required {
    /// IPv4
    V4,
    /// IPv6
    V6,
    /// IPv4 on IPv6 sockets
    Mapped,
    /// Unix sockets
    Unix,
}

/// What a path is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// What has to work.
    pub required: &'a [Required],
    /// What is known of `lo`.
    pub lo: &'a Loopback,
}

impl PathReport {
    /// The report of what `happened` on `path`.
    pub fn new(path: &Path, happened: &Happened, judge: Judge<'_>) -> Self {
        let mut report = Self {
            protocol: path.protocol(),
            place: path.where_to(),
            verdict: Verdict::Ok,
            round_trip_us: None,
            mebibyte_us: None,
            step: None,
            code: None,
            name: None,
            meaning: None,
        };
        match happened {
            Happened::Came { small, large } => {
                report.round_trip_us = Some(microseconds_of(*small));
                report.mebibyte_us = Some(microseconds_of(*large));
            }
            Happened::Failed { failed, small } => {
                report.round_trip_us = small.shortest.map(microseconds_of);
                report.name_step(failed);
                report.meaning = Some(reason::meaning(failed, *small, path, judge.lo));
                report.verdict = judge.verdict(path.family, failed);
            }
        }
        report
    }

    fn name_step(&mut self, failed: &Failed) {
        let named = match failed {
            Failed::Serving { call, code } => Some((*call, *code)),
            Failed::NoDirectory(of_no_use) => of_no_use.first().map(|it| (it.call, it.code)),
            Failed::Client(failure) => {
                self.step = Some(failure.step.name());
                self.code = failure.code();
                self.name = Some(failure.name());
                None
            }
            Failed::Wrong => {
                self.step = Some("compare");
                None
            }
        };
        if let Some((call, code)) = named {
            self.step = Some(call);
            self.code = Some(code);
            self.name = Some(errnos::name(code));
        }
    }
}

impl Judge<'_> {
    /// What is not there on this machine, and was not required, has not failed: IPv6, or a directory for
    /// the file of a socket, as in a container whose root is read-only.
    fn verdict(&self, family: Family, failed: &Failed) -> Verdict {
        let required_as = match family {
            Family::V4 => Required::V4,
            Family::V6 => Required::V6,
            Family::Mapped => Required::Mapped,
            Family::Unix => Required::Unix,
        };
        let is_absent = matches!(failed, Failed::NoDirectory(_))
            || reason::is_without_v6(failed, family, self.lo);
        let is_off = is_absent && !self.required.contains(&required_as);
        if is_off { Verdict::Off } else { Verdict::Failed }
    }
}

impl Report for SelftestReport {
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        out.write_all(text::selftest(self, style).as_bytes())
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv_rows(out, |csv| {
            csv.write_record([
                "protocol",
                "place",
                "verdict",
                "round_trip_us",
                "mebibyte_us",
                "step",
                "code",
                "name",
                "meaning",
            ])?;
            self.paths.iter().try_for_each(|row| csv.serialize(row))
        })
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        ndjson_rows(out, &self.paths)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::happened::Small;
    use super::super::paths::all;
    use super::*;
    use crate::echo::client::trouble::{Failure, Step, Why};

    fn path(family: Family) -> Path {
        all().into_iter().find(|path| path.family == family).unwrap()
    }

    fn report(family: Family, happened: &Happened, required: &[Required]) -> PathReport {
        let lo = Loopback { is_up: Some(true), ..Loopback::default() };
        PathReport::new(&path(family), happened, Judge { required, lo: &lo })
    }

    #[test]
    fn what_is_off_is_a_note_unless_it_is_required() {
        let judged = |family, code, required: &[Required]| {
            report(family, &Failed::Serving { call: "bind", code }.into(), required).verdict
        };
        assert_eq!(judged(Family::V6, 99, &[]), Verdict::Off);
        assert_eq!(judged(Family::Mapped, 97, &[]), Verdict::Off);
        assert_eq!(judged(Family::V6, 99, &[Required::V6]), Verdict::Failed);
        assert_eq!(judged(Family::V6, 13, &[]), Verdict::Failed);
        assert_eq!(judged(Family::V4, 99, &[]), Verdict::Failed);
        assert_eq!(judged(Family::Unix, 97, &[]), Verdict::Failed);
        let nowhere = Happened::from(Failed::NoDirectory(Vec::new()));
        assert_eq!(report(Family::Unix, &nowhere, &[]).verdict, Verdict::Off);
        assert_eq!(report(Family::Unix, &nowhere, &[Required::Unix]).verdict, Verdict::Failed);
    }

    #[test]
    fn what_failed_is_explained_and_what_came_is_timed() {
        let failure = Failure { step: Step::Connect, why: Why::Errno(101, None) };
        let failed = report(Family::V4, &Failed::Client(failure).into(), &[]);
        assert_eq!((failed.step, failed.code), (Some("connect"), Some(101)));
        assert_eq!(failed.name.as_deref(), Some("ENETUNREACH"));
        assert!(failed.meaning.is_some_and(|it| !it.is_empty()));
        let (small, large) = (Duration::from_micros(40), Duration::from_millis(1));
        let came = report(Family::V4, &Happened::Came { small, large }, &[]);
        assert_eq!((came.verdict, came.round_trip_us), (Verdict::Ok, Some(40)));
        assert_eq!((came.mebibyte_us, came.meaning), (Some(1000), None));
        let wrong = report(Family::V4, &Failed::Wrong.into(), &[]);
        assert_eq!((wrong.verdict, wrong.step), (Verdict::Failed, Some("compare")));
    }

    #[test]
    fn what_came_before_a_failure_is_timed_too() {
        let failed = Failed::Client(Failure { step: Step::Receive, why: Why::Late });
        let small = Small { came: 5, shortest: Some(Duration::from_micros(40)) };
        let partly = report(Family::V4, &Happened::Failed { failed, small }, &[]);
        assert_eq!((partly.round_trip_us, partly.mebibyte_us), (Some(40), None));
        assert_eq!(partly.verdict, Verdict::Failed);
    }
}
