//! `netkit connect --codes`: what each error number means to connect(2).

use std::io::{self, Write};

use serde::Serialize;

use crate::catalogue::connect_errnos::{self, ConnectErrno};
use crate::catalogue::errnos;
use crate::output::{Report, Screen, Style, csv_rows, emit, ndjson_rows, wrapped};

/// What words beside a number and a name need; where there is less room, they stand below.
const BESIDE: usize = 32;
/// Where they begin then.
const BELOW: usize = 6;

/// The name and version of the JSON.
const SCHEMA: &str = "netkit.connect_codes/1";

/// The whole table.
#[derive(Serialize)]
struct Codes {
    schema: &'static str,
    codes: Vec<Code>,
}

/// A number in it.
#[derive(Serialize)]
struct Code {
    /// The error number.
    code: i32,
    /// Its C name.
    name: &'static str,
    /// What strerror(3) says.
    text: &'static str,
    /// What it says of TCP and UDP; `None` if connect(2) does not give it there.
    internet: Option<Meaning>,
    /// What it says of a Unix socket; `None` if connect(2) does not give it there.
    unix: Option<Meaning>,
}

#[derive(Serialize)]
struct Meaning {
    meaning: &'static str,
    help: &'static str,
}

impl From<&ConnectErrno> for Meaning {
    fn from(entry: &ConnectErrno) -> Self {
        Self { meaning: entry.meaning, help: entry.help }
    }
}

/// Writes the table to `screen`.
pub fn show(screen: &mut Screen<'_>) -> io::Result<()> {
    emit(&all(), screen.format, screen.style, screen.out)?;
    screen.out.flush()
}

fn all() -> Codes {
    let codes = errnos::ERRNOS.iter().map(|(code, name, text)| Code {
        code: *code,
        name,
        text,
        internet: connect_errnos::internet(name).map(Meaning::from),
        unix: connect_errnos::unix(name).map(Meaning::from),
    });
    Codes { schema: SCHEMA, codes: codes.collect() }
}

impl Report for Codes {
    /// Those that connect(2) gives with their meaning, then the others with their text.
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let is_known = |it: &&Code| it.internet.is_some() || it.unix.is_some();
        writeln!(out, "{}", style.title("What connect() can give"))?;
        for code in self.codes.iter().filter(is_known) {
            let mut lead = format!("{:>4}  {:<15}  ", code.code, code.name);
            if usize::from(style.width) < lead.len() + BESIDE {
                writeln!(out, "{}", lead.trim_end())?;
                lead = " ".repeat(BELOW);
            }
            let of_both = [("", &code.internet), ("Unix: ", &code.unix)];
            let is_said = |other: &Option<Meaning>| {
                let said = code.internet.as_ref().map(|it| it.meaning);
                said.is_some() && said == other.as_ref().map(|it| it.meaning)
            };
            let is_own = |(of, it): &(&str, &Option<Meaning>)| of.is_empty() || !is_said(it);
            let known = of_both.into_iter().filter(is_own);
            let known = known.filter_map(|(of, it)| Some((of, it.as_ref()?)));
            for (index, (of, it)) in known.enumerate() {
                let lead = if index == 0 { lead.clone() } else { " ".repeat(lead.len()) };
                writeln!(out, "{}", wrapped(&lead, &format!("{of}{}", it.meaning), style.width))?;
            }
        }
        writeln!(out, "\n{}", style.title("All others"))?;
        for code in self.codes.iter().filter(|it| !is_known(it)) {
            let lead = format!("{:>4}  {:<15}  ", code.code, code.name);
            writeln!(out, "{}", wrapped(&lead, code.text, style.width))?;
        }
        Ok(())
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv_rows(out, |csv| {
            csv.write_record(["code", "name", "text", "internet", "unix"])?;
            for it in &self.codes {
                let meanings = [&it.internet, &it.unix].map(|of| of.as_ref().map(|it| it.meaning));
                csv.serialize((it.code, it.name, it.text, meanings))?;
            }
            Ok(())
        })
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        ndjson_rows(out, &self.codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(width: u16) -> String {
        let mut out = Vec::new();
        all().write_text(&mut out, Style { width, ..Style::PLAIN }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_narrow_terminal_breaks_no_line() {
        for width in [40, 80] {
            let text = at(width);
            assert!(text.lines().all(|it| it.chars().count() <= usize::from(width)), "{text}");
        }
        assert!(at(40).contains("\n 111  ECONNREFUSED\n      somebody answered"), "{}", at(40));
        assert!(at(80).contains(" 111  ECONNREFUSED     somebody answered"), "{}", at(80));
    }

    #[test]
    fn what_is_so_of_both_is_said_once_and_a_want_of_this_machine_has_its_meaning() {
        let text = at(80);
        let (can, others) = text.split_once("All others").unwrap();
        assert_eq!(can.matches("all the descriptors").count(), 1, "{can}");
        for name in ["ENOMEM", "ENFILE", "ENOBUFS", "ENETDOWN"] {
            assert!(can.contains(name) && !others.contains(name), "{name}");
        }
    }
}
