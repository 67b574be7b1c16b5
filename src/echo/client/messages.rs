//! Messages of the command line: each is sent, and its reply printed as it comes.

use std::os::unix::ffi::OsStrExt as _;

use super::args::Args;
use super::earlier::{Earlier, Stray};
use super::exchange::{exchange, text_of};
use super::link::Link;
use super::message_report::{MessagesReport, Row};
use super::quote::quoted;
use super::replies::{Judged, Message, judge};
use super::trouble::{Trouble, Why};
use crate::echo::transform::Transform;
use crate::exit::Exit;
use crate::kernel::clock::Stopwatch;
use crate::kernel::ending_signals::EndingSignals;
use crate::kernel::patience::Patience;
use crate::output::numbers::{count, microseconds_of};
use crate::output::{Outcome, Screen};

/// Sends the messages of `args` over `link`, until one of `signals` comes: what came is told then, too.
pub fn run(
    args: &Args,
    link: &Link,
    signals: &EndingSignals,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    let timeout = args.timeout(link.peer.carrier);
    let mut report = MessagesReport::new(link.peer.to_string(), Some(link.local()));
    let mut problems = Vec::new();
    let mut is_fine = true;
    let keeps_messages = link.peer.carrier.keeps_messages();
    let mut earlier = Earlier::default();
    let mut texts = args.messages.iter().map(|it| it.as_bytes());
    for text in texts.by_ref() {
        let message = Message::new(text, args.transform, keeps_messages || args.no_newline);
        let patience = Patience::of(timeout).or(Some(signals.descriptor()));
        let answer = answer((link, &mut earlier), &message, args, &patience);
        problems.extend(earlier.strays().iter().map(told));
        is_fine &= matches!(answer.row.verdict, "ok" | "unjudged" | "empty");
        problems.extend(answer.problem);
        report.add(answer.row, &answer.reply, screen)?;
        let Some(trouble) = answer.trouble else { continue };
        report.failed(&trouble);
        if !keeps_messages || trouble.failure.why == Why::Interrupted {
            problems.extend(left_out(texts.len(), &trouble));
            break;
        }
    }
    for text in texts {
        report.add(Row::unsent(text), &[], screen)?;
    }
    report.end(screen)?;
    let exit = if is_fine { Exit::Fine } else { Exit::Found };
    Ok(Outcome { exit, messages: problems })
}

/// Tells of messages that no connection could be had for.
pub fn without_connection(
    args: &Args,
    trouble: &Trouble,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Outcome> {
    let mut report = MessagesReport::new(trouble.address.clone(), None);
    report.failed(trouble);
    for text in &args.messages {
        report.add(Row::unsent(text.as_bytes()), &[], screen)?;
    }
    report.end(screen)?;
    Ok(super::failed(trouble))
}

/// Why so many messages behind one without a reply were not sent.
fn left_out(unsent: usize, trouble: &Trouble) -> Option<String> {
    let why = match trouble.failure.why {
        Why::Late => "a reply that is still to come would be taken for the next one's",
        // The user has wanted it.
        Why::Interrupted => return None,
        Why::Errno(..) | Why::Name(_) | Why::Closed | Why::Itself => {
            "there is no connection any more"
        }
    };
    let messages = count(u64::try_from(unsent).unwrap_or(u64::MAX), "message");
    (unsent > 0).then(|| format!("{messages} after it not sent: {why}"))
}

/// What came of one message.
struct Answer {
    row: Row,
    /// What came, with its line's end.
    reply: Vec<u8>,
    /// Why nothing came, or not all.
    trouble: Option<Trouble>,
    /// What is to be said about it.
    problem: Option<String>,
}

/// Sends one message and takes its reply.
fn answer(
    (link, earlier): (&Link, &mut Earlier),
    message: &Message,
    args: &Args,
    patience: &Patience<'_>,
) -> Answer {
    let unsent = Row::unsent(message.text.as_bytes());
    if message.bytes.is_empty() {
        let row = Row { verdict: "empty", ..unsent };
        let problem = "an empty message is nothing that could come back: it was not sent";
        return Answer { row, reply: Vec::new(), trouble: None, problem: Some(problem.to_owned()) };
    }
    let stopwatch = Stopwatch::start();
    let came = exchange(link, message, earlier, patience);
    let elapsed_us = Some(microseconds_of(stopwatch.elapsed()));
    match came {
        Err((reply, trouble)) => {
            let text = (!reply.is_empty()).then(|| text_of(&reply));
            let row = Row { reply: text, verdict: "missing", ..unsent };
            let is_told = trouble.failure.why != Why::Interrupted;
            let problem = is_told.then(|| missing(message, &reply, &trouble));
            Answer { row, reply, trouble: Some(trouble), problem }
        }
        Ok(reply) => {
            let judged = if args.verifies() { judge(message, &reply) } else { Judged::Not };
            let verdict = judged.word();
            let row = Row { reply: Some(text_of(&reply)), elapsed_us, verdict, ..unsent };
            let is_wrong = judged == Judged::Wrong;
            let problem = is_wrong.then(|| wrong(message, &reply, args.transform));
            Answer { row, reply, trouble: None, problem }
        }
    }
}

/// What is said of a datagram that is no reply to the message that was sent last.
fn told(stray: &Stray) -> String {
    let (reply, what) = match stray {
        Stray::Late(reply) => {
            (reply, "late: it answers a message whose reply had not come in time")
        }
        Stray::Again(reply) => (reply, "a duplicate: it answers a message that had its reply"),
        Stray::Unasked(reply) => (reply, "before a message was sent that it could answer"),
    };
    format!("{} came, {what}; it is not taken for a reply", quoted(&text_of(reply)))
}

fn missing(message: &Message, reply: &[u8], trouble: &Trouble) -> String {
    let why = if reply.is_empty() {
        trouble.message()
    } else {
        trouble.message_behind(&quoted(&text_of(reply)))
    };
    format!("{}: {why}", quoted(&message.text))
}

fn wrong(message: &Message, reply: &[u8], transform: Transform) -> String {
    let shown = |bytes: &[u8]| quoted(&text_of(bytes));
    let hint = match (transform, judge_as(message, reply, Transform::Upper)) {
        (Transform::None, true) => "\nhint: it is in upper case: --transform upper expects that",
        _ => "",
    };
    format!(
        "{}: the reply is {}, not {}{hint}",
        quoted(&message.text),
        shown(reply),
        shown(&message.expected)
    )
}

fn judge_as(message: &Message, reply: &[u8], transform: Transform) -> bool {
    let mut expected = Vec::new();
    transform.apply(&message.bytes, &mut expected);
    expected == reply
}
