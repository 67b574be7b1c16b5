//! Messages of the command line: each is sent, and its reply printed as it comes.

use std::io;
use std::time::Duration;

use serde::Serialize;

use super::args::Args;
use super::exchange::{exchange, text_of};
use super::link::Link;
use super::replies::{Judged, Message, judge};
use crate::echo::transform::Transform;
use crate::exit::Exit;
use crate::kernel::clock::{self, Stopwatch};
use crate::kernel::patience::Patience;
use crate::output::numbers::{count, microseconds_of};
use crate::output::{Format, Outcome, Screen, csv_rows, ndjson_rows, sanitize};

/// The name and version of the JSON.
pub const SCHEMA: &str = "netkit.echo_messages/1";

/// What came of all; the JSON of docs/schema/echo_messages.json.
#[derive(Debug, Serialize)]
struct MessagesReport {
    schema: &'static str,
    captured_at: String,
    warnings: Vec<String>,
    /// The peer's address.
    address: String,
    /// Ours.
    local: String,
    replies: Vec<Row>,
}

/// What came of one.
#[derive(Clone, Debug, Serialize)]
struct Row {
    /// What was sent.
    message: String,
    /// What came; `None` if nothing did.
    reply: Option<String>,
    /// From the send to the reply.
    elapsed_us: Option<u64>,
    /// `ok`, `wrong`, `missing`, `unjudged`, `empty`.
    verdict: &'static str,
}

/// Sends the messages of `args` over `link`.
pub fn run(
    args: &Args,
    link: &Link,
    timeout: Duration,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    let mut report = MessagesReport {
        schema: SCHEMA,
        captured_at: clock::now().to_string(),
        warnings: Vec::new(),
        address: link.peer.to_string(),
        local: link.local(),
        replies: Vec::new(),
    };
    let mut problems = Vec::new();
    let mut is_fine = true;
    let keeps_messages = link.peer.carrier.keeps_messages();
    for text in &args.messages {
        let message = Message::new(text, args.transform, keeps_messages || args.no_newline);
        let (row, problem) = answer(link, &message, args, timeout);
        show(&row, screen)?;
        is_fine &= matches!(row.verdict, "ok" | "unjudged" | "empty");
        let is_over = row.verdict == "missing" && !keeps_messages;
        report.replies.push(row);
        problems.extend(problem);
        if is_over {
            break;
        }
    }
    let unsent = args.messages.len() - report.replies.len();
    if unsent > 0 {
        let unsent = count(u64::try_from(unsent).unwrap_or(u64::MAX), "message");
        problems.push(format!("{unsent} after it not sent: there is no connection any more"));
    }
    show_all(&report, screen)?;
    let exit = if is_fine { Exit::Fine } else { Exit::Found };
    Ok(Outcome { exit, messages: problems })
}

/// Sends one message and takes its reply; with what is to be said about it.
fn answer(link: &Link, message: &Message, args: &Args, timeout: Duration) -> (Row, Option<String>) {
    let mut row =
        Row { message: message.text.clone(), reply: None, elapsed_us: None, verdict: "empty" };
    if message.bytes.is_empty() {
        let problem = "an empty message is nothing that could come back: it was not sent";
        return (row, Some(problem.to_owned()));
    }
    let stopwatch = Stopwatch::start();
    let patience = Patience::of(timeout);
    let came = exchange(link, message, &patience);
    row.elapsed_us = Some(microseconds_of(stopwatch.elapsed()));
    let (reply, trouble) = match came {
        Ok(reply) => (reply, None),
        Err((reply, trouble)) => (reply, Some(trouble)),
    };
    if let Some(trouble) = trouble {
        row.verdict = "missing";
        row.reply = (!reply.is_empty()).then(|| text_of(&reply));
        row.elapsed_us = None;
        return (row, Some(format!("`{}`: {}", sanitize(&message.text), trouble.message())));
    }
    row.reply = Some(text_of(&reply));
    let judged = if args.verifies() { judge(message, &reply) } else { Judged::Not };
    row.verdict = judged.word();
    let problem = match judged {
        Judged::Wrong => Some(wrong(message, &reply, args.transform)),
        Judged::Right | Judged::Not => None,
    };
    (row, problem)
}

fn wrong(message: &Message, reply: &[u8], transform: Transform) -> String {
    let shown = |bytes: &[u8]| sanitize(&text_of(bytes));
    let hint = match (transform, judge_as(message, reply, Transform::Upper)) {
        (Transform::None, true) => "\nhint: it is in upper case: --transform upper expects that",
        _ => "",
    };
    format!(
        "`{}`: the reply is `{}`, not `{}`{hint}",
        sanitize(&message.text),
        shown(reply),
        shown(&message.expected)
    )
}

fn judge_as(message: &Message, reply: &[u8], transform: Transform) -> bool {
    let mut expected = Vec::new();
    transform.apply(&message.bytes, &mut expected);
    expected == reply
}

/// Prints what came of all, in formats that tell it at the end.
fn show_all(report: &MessagesReport, screen: &mut Screen<'_>) -> io::Result<()> {
    match screen.format {
        Format::Table | Format::Markdown | Format::Ndjson => Ok(()),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *screen.out, report)?;
            screen.out.write_all(b"\n")
        }
        Format::Csv => csv_rows(screen.out, |csv| {
            csv.write_record(["message", "reply", "elapsed_us", "verdict"])?;
            report.replies.iter().try_for_each(|row| csv.serialize(row))
        }),
    }
}

/// Prints a reply as it came, in formats that tell each at once.
fn show(row: &Row, screen: &mut Screen<'_>) -> io::Result<()> {
    match (screen.format, &row.reply) {
        (Format::Table | Format::Markdown, Some(reply)) => {
            writeln!(screen.out, "{}", sanitize(reply))?;
        }
        (Format::Ndjson, _) => ndjson_rows(screen.out, [row])?,
        (Format::Table | Format::Markdown, None) | (Format::Json | Format::Csv, _) => {}
    }
    screen.out.flush()
}
