//! What the self-test found; the JSON of docs/schema/echo_selftest.json. The verdict is here, and pure.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::paths::{Family, Path};
use super::{directories, text};
use crate::catalogue::errnos::{EADDRINUSE, EADDRNOTAVAIL};
use crate::echo::client::trouble::{Failure, Why};
use crate::kernel::scratch_directory::OfNoUse;
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
    /// It is switched off on this machine, and need not be there.
    Off,
}

/// What happened on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Both transfers came back.
    Came {
        /// The small one.
        small: Duration,
        /// The large one.
        large: Duration,
    },
    /// A step failed.
    Failed(Failed),
}

impl Happened {
    /// Whether nothing came in time.
    pub fn is_late(&self) -> bool {
        matches!(self, Self::Failed(Failed::Client(Failure { why: Why::Late, .. })))
    }
}

/// A step that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// A call of the server's: socket, bind, listen.
    Serving {
        /// The call.
        call: &'static str,
        /// The error number.
        code: i32,
    },
    /// There is no directory for the file of a socket.
    NoDirectory(Vec<OfNoUse>),
    /// A step of the client's.
    Client(Failure),
    /// What came back was not what was sent.
    Wrong,
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

/// What a timeout on loopback means: the server is this process, and answers.
const LATE: &str = "nothing comes through lo, though it is up: a packet filter drops it (`nft list \
                    ruleset`, `iptables-save`), or a rule routes it elsewhere (`ip rule`)";

/// Whether `code` says that there is no IPv6 here: no such family, or no address `::1`.
fn says_off(code: Option<i32>) -> bool {
    const EAFNOSUPPORT: i32 = 97;
    matches!(code, Some(EAFNOSUPPORT | EADDRNOTAVAIL))
}

impl PathReport {
    /// The report of what `happened` on `path`.
    pub fn new(path: &Path, happened: &Happened, required: &[Required]) -> Self {
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
            Happened::Failed(failed) => {
                report.explain(failed, path);
                report.verdict = verdict(path.family, failed, required);
            }
        }
        report
    }

    /// The same, explained by what is known already: `lo`, over which it goes, is down. What is
    /// sent to its addresses is then dropped, or, where it has never been up, unreachable (seen on
    /// Linux 6.18); a timeout's own words, a firewall or a full queue, would be of no help.
    #[must_use]
    pub fn with_lo_down(mut self, is_lo_down: bool) -> Self {
        if is_lo_down && self.verdict != Verdict::Ok {
            self.meaning = Some("lo is down".to_owned());
            // It takes `::1` along, which says nothing about IPv6.
            if self.code == Some(EADDRNOTAVAIL) {
                self.verdict = Verdict::Failed;
            }
        }
        self
    }

    fn explain(&mut self, failed: &Failed, path: &Path) {
        match failed {
            Failed::Serving { call, code } => {
                self.step = Some(call);
                self.code = Some(*code);
                self.name = Some(crate::catalogue::errnos::name(*code));
                self.meaning = Some(serving(*code, path));
            }
            Failed::NoDirectory(of_no_use) => {
                let first = of_no_use.first();
                self.step = first.map(|it| it.call);
                self.code = first.map(|it| it.code);
                self.name = self.code.map(crate::catalogue::errnos::name);
                self.meaning = Some(directories::none_of(of_no_use));
            }
            Failed::Client(failure) => {
                self.step = Some(failure.step.name());
                self.code = failure.code();
                self.name = Some(failure.name());
                let is_dropped = failure.why == Why::Late && path.is_on_lo();
                let meaning = || failure.meaning(path.carrier);
                self.meaning = Some(if is_dropped { LATE.to_owned() } else { meaning() });
            }
            Failed::Wrong => {
                self.step = Some("compare");
                self.meaning = Some("what came back is not what was sent".to_owned());
            }
        }
    }
}

fn serving(code: i32, path: &Path) -> String {
    let is_v6 = matches!(path.family, Family::V6 | Family::Mapped);
    if is_v6 && says_off(Some(code)) {
        return "there is no ::1 here: IPv6 is switched off (net.ipv6.conf.lo.disable_ipv6, or \
                ipv6.disable=1), or lo is down"
            .to_owned();
    }
    if path.is_on_lo() && code == EADDRINUSE {
        // It was asked for port 0.
        return "no ephemeral port is left: `netkit states --time-wait` tells where they are"
            .to_owned();
    }
    crate::catalogue::errnos::text(code).to_owned()
}

/// What is not there on this machine, and was not `required`, has not failed: IPv6, or a directory for
/// the file of a socket, as in a container whose root is read-only.
fn verdict(family: Family, failed: &Failed, required: &[Required]) -> Verdict {
    let (may_be_off, required_as) = match family {
        Family::V4 => (false, Required::V4),
        Family::V6 => (true, Required::V6),
        Family::Mapped => (true, Required::Mapped),
        Family::Unix => (false, Required::Unix),
    };
    let is_off = match failed {
        Failed::Serving { code, .. } => may_be_off && says_off(Some(*code)),
        Failed::Client(failure) => may_be_off && says_off(failure.code()),
        Failed::NoDirectory(_) => true,
        Failed::Wrong => false,
    };
    if is_off && !required.contains(&required_as) { Verdict::Off } else { Verdict::Failed }
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
    use super::super::paths::all;
    use super::*;
    use crate::echo::client::trouble::Step;

    fn path(family: Family) -> Path {
        all().into_iter().find(|path| path.family == family).unwrap()
    }

    fn refused(code: i32) -> Happened {
        Happened::Failed(Failed::Serving { call: "bind", code })
    }

    #[test]
    fn ipv6_that_is_off_is_a_note_unless_it_is_required() {
        let judged = |family, code, required: &[Required]| {
            PathReport::new(&path(family), &refused(code), required).verdict
        };
        assert_eq!(judged(Family::V6, 99, &[]), Verdict::Off);
        assert_eq!(judged(Family::Mapped, 97, &[]), Verdict::Off);
        assert_eq!(judged(Family::V6, 99, &[Required::V6]), Verdict::Failed);
        assert_eq!(judged(Family::V6, 13, &[]), Verdict::Failed);
        assert_eq!(judged(Family::V4, 99, &[]), Verdict::Failed);
        assert_eq!(judged(Family::Unix, 97, &[]), Verdict::Failed);
    }

    #[test]
    fn what_failed_is_explained_and_what_came_is_timed() {
        let failure = Failure { step: Step::Connect, why: Why::Errno(101, None) };
        let failed = Happened::Failed(Failed::Client(failure));
        let report = PathReport::new(&path(Family::V4), &failed, &[]);
        assert_eq!((report.step, report.code), (Some("connect"), Some(101)));
        assert_eq!(report.name.as_deref(), Some("ENETUNREACH"));
        assert!(report.meaning.is_some_and(|it| !it.is_empty()));
        let came =
            Happened::Came { small: Duration::from_micros(40), large: Duration::from_millis(1) };
        let report = PathReport::new(&path(Family::V4), &came, &[]);
        assert_eq!((report.verdict, report.round_trip_us), (Verdict::Ok, Some(40)));
        assert_eq!((report.mebibyte_us, report.meaning), (Some(1000), None));
        let wrong = PathReport::new(&path(Family::V4), &Happened::Failed(Failed::Wrong), &[]);
        assert_eq!(wrong.verdict, Verdict::Failed);
        assert_eq!(wrong.with_lo_down(true).meaning.as_deref(), Some("lo is down"));
        let ok = PathReport::new(&path(Family::V4), &came, &[]).with_lo_down(true);
        assert_eq!((ok.verdict, ok.meaning), (Verdict::Ok, None));
    }
}
