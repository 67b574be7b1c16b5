//! `netkit connect --codes`: what each error number means to connect(2).

use std::io::{self, Write};

use serde::Serialize;

use crate::catalogue::connect_errnos::{self, ConnectErrno};
use crate::catalogue::errnos;
use crate::output::{Report, Screen, Style, csv_rows, emit, ndjson_rows, wrapped};

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
    let codes = errnos::ERRNOS.iter().map(|(code, name, text)| Code {
        code: *code,
        name,
        text,
        internet: connect_errnos::internet(name).map(Meaning::from),
        unix: connect_errnos::unix(name).map(Meaning::from),
    });
    let codes = Codes { schema: SCHEMA, codes: codes.collect() };
    emit(&codes, screen.format, screen.style, screen.out)?;
    screen.out.flush()
}

impl Report for Codes {
    /// Those that connect(2) gives with their meaning, then the others with their text.
    fn write_text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let is_known = |it: &&Code| it.internet.is_some() || it.unix.is_some();
        writeln!(out, "{}", style.title("What connect() can give"))?;
        for code in self.codes.iter().filter(is_known) {
            let lead = format!("{:>4}  {:<15}  ", code.code, code.name);
            let of_both = [("", &code.internet), ("Unix: ", &code.unix)];
            let known = of_both.into_iter().filter_map(|(of, it)| Some((of, it.as_ref()?)));
            for (index, (of, it)) in known.enumerate() {
                let lead = if index == 0 { lead.clone() } else { " ".repeat(lead.len()) };
                writeln!(out, "{}", wrapped(&lead, &format!("{of}{}", it.meaning), style.width))?;
            }
        }
        writeln!(out, "\n{}", style.title("All others"))?;
        for code in self.codes.iter().filter(|it| !is_known(it)) {
            writeln!(out, "{:>4}  {:<15}  {}", code.code, code.name, code.text)?;
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
