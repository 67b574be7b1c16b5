//! Lines that are typed, one after the other, each as it was typed and none lost.
//!
//! The line editor blocks in its read, which nothing can end: it has a thread of its own, and whoever
//! waits for its line waits for a signal too. That thread then stays in its read, and ends with the process.
//! What was read behind a line is kept by the editor, and what is not read yet by the terminal; what was
//! typed before there was a prompt has been edited by the terminal itself, and comes first. A paste of
//! several lines is several lines.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Cmd, Config, Editor, ExternalPrinter, KeyCode, KeyEvent, Modifiers};

use crate::kernel::KernelError;
use crate::kernel::ending_signals::EndingSignals;
use crate::kernel::patience::{Event, Patience, Stop, Waited};
use crate::kernel::standard_input::StandardInput;
use crate::kernel::terminal_mode::{KeepingTerminal, edits_lines};
use crate::output::sanitize;

const PROMPT: &str = ">> ";
/// What cannot be done where there is no thread for the line editor.
const READ: &str = "read lines from the terminal";
/// What tells a terminal to send a paste as typed keys again, as the editor does behind its line.
const PASTE_OFF: &str = "\x1b[?2004l";
const PASTE_ON: &str = "\x1b[?2004h";
/// The most that is taken of what was typed before the prompt; the rest is read at it.
const MOST_BEFORE: usize = 64 * 1024;
/// Terminals that the line editor leaves alone, as they cannot move their cursor
/// (`rustyline::tty::is_unsupported_term`).
const PLAIN: [&str; 3] = ["dumb", "cons25", "emacs"];

/// What came of asking for a line.
#[derive(Debug)]
pub enum Typed {
    /// A line, without its end.
    Line(String),
    /// Bytes that are not UTF-8.
    NotText {
        /// Whether what was typed in one go behind them is lost.
        with_rest: bool,
    },
    /// Ctrl-D, or the end of the terminal.
    End,
    /// One of the ending signals has come.
    Signal,
}

type Answer = Result<String, ReadlineError>;
/// What writes above the line that is edited, which is then drawn again.
type Printer = Box<dyn ExternalPrinter + Send>;

/// Whoever types.
pub struct Typing<'a> {
    signals: &'a EndingSignals,
    /// `None` of one that the line editor leaves alone.
    terminal: Option<KeepingTerminal>,
    /// Lines that are there already.
    ahead: VecDeque<Vec<u8>>,
    /// The beginning of the next one.
    begun: String,
    /// Whether the end came behind those.
    is_ended: bool,
    asks: SyncSender<String>,
    answers: Receiver<Answer>,
    /// Has a byte for each answer.
    bell: UnixStream,
    /// `None` where the line editor leaves the terminal alone.
    printer: Option<Printer>,
}

impl<'a> Typing<'a> {
    /// Begins to read from the terminal that standard input is, until one of `signals` comes.
    pub fn begin(signals: &'a EndingSignals) -> anyhow::Result<Self> {
        let mut input = StandardInput::open()?;
        let is_plain = std::env::var("TERM")
            .is_ok_and(|term| PLAIN.iter().any(|plain| plain.eq_ignore_ascii_case(&term)));
        let (mut typed, is_ended) = if is_plain || !edits_lines(&input) {
            (Vec::new(), false)
        } else {
            typed_before(&mut input)?
        };
        let terminal = (!is_plain).then(|| KeepingTerminal::take(input.as_fd())).transpose()?;
        let begun = typed.split_off(memchr::memrchr(b'\n', &typed).map_or(0, |at| at + 1));
        let (asks, asked) = sync_channel(1);
        let (answer, answers) = sync_channel(1);
        let (bell, rope) = UnixStream::pair()?;
        let (finish, made) = sync_channel(1);
        // Only now: SIGTSTP waits in this thread, and in those that it starts.
        thread::Builder::new()
            .spawn(move || edit(&asked, &answer, rope, &finish))
            .map_err(|source| KernelError::Program { operation: READ.to_owned(), source })?;
        Ok(Self {
            signals,
            terminal,
            ahead: lines_of(&typed),
            begun: String::from_utf8_lossy(&begun).into_owned(),
            is_ended,
            asks,
            answers,
            bell,
            printer: made.recv()?,
        })
    }

    /// Waits for the next line; one that was typed ahead is shown on `out`.
    pub fn next(&mut self, out: &mut (dyn Write + Send)) -> anyhow::Result<Typed> {
        if self.signals.has_arrived() {
            return Ok(Typed::Signal);
        }
        if let Some(line) = self.ahead.pop_front() {
            writeln!(out, "{PROMPT}{}", sanitize(&String::from_utf8_lossy(&line)))?;
            out.flush()?;
            return Ok(read(line));
        }
        if self.is_ended {
            return Ok(Typed::End);
        }
        self.asks.send(std::mem::take(&mut self.begun))?;
        if !self.is_answered(out)? {
            write!(out, "{PASTE_OFF}\r\n")?;
            out.flush()?;
            return Ok(Typed::Signal);
        }
        match self.answers.recv()? {
            Ok(text) => {
                self.ahead = lines_of(text.as_bytes());
                Ok(read(self.ahead.pop_front().unwrap_or_default()))
            }
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                // The editor has dropped what it had read: the rest would be taken for a line.
                if let Some(terminal) = &self.terminal {
                    terminal.forget();
                }
                Ok(Typed::NotText { with_rest: self.terminal.is_some() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Does `work`, during which Ctrl-Z stops this process at once, as it does at the prompt.
    pub fn meanwhile<T>(&self, work: impl FnOnce() -> T) -> T {
        let (Some(terminal), Ok(done)) = (&self.terminal, Stop::new()) else { return work() };
        thread::scope(|scope| {
            // Without it, Ctrl-Z waits for the next line.
            let watching = thread::Builder::new().spawn_scoped(scope, || {
                let patience = Patience::ENDLESS.or(Some(done.descriptor()));
                while patience.wait(terminal.stops(), Event::Readable) == Ok(Waited::Ready)
                    && terminal.stop(self.signals).is_ok()
                {}
            });
            let result = work();
            done.stop();
            drop(watching);
            result
        })
    }

    /// Waits for the editor's answer; `false` if a signal comes first.
    fn is_answered(&mut self, out: &mut (dyn Write + Send)) -> anyhow::Result<bool> {
        let stops = self.terminal.as_ref().map(KeepingTerminal::stops);
        let patience = Patience::ENDLESS.or(stops).or(Some(self.signals.descriptor()));
        loop {
            match patience.wait(self.bell.as_fd(), Event::Readable)? {
                Waited::Ready | Waited::Late => break,
                Waited::Interrupted if self.signals.has_arrived() => return Ok(false),
                Waited::Interrupted => {
                    write!(out, "{PASTE_OFF}")?;
                    out.flush()?;
                    if let Some(terminal) = &self.terminal {
                        terminal.stop(self.signals)?;
                    }
                    if let Some(printer) = &mut self.printer {
                        printer.print(PASTE_ON.to_owned())?;
                    }
                }
            }
        }
        self.bell.read_exact(&mut [0])?;
        Ok(true)
    }
}

/// What was typed already, of a terminal that edits lines itself, and whether it ends with Ctrl-D.
fn typed_before(input: &mut StandardInput) -> io::Result<(Vec<u8>, bool)> {
    let now = Patience::of(Duration::ZERO);
    let mut typed = Vec::new();
    let mut buffer = [0; 4096];
    while typed.len() < MOST_BEFORE && now.wait(input.as_fd(), Event::Readable)? == Waited::Ready {
        match input.read(&mut buffer) {
            Ok(0) => return Ok((typed, true)),
            Ok(came) => typed.extend_from_slice(buffer.get(..came).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((typed, false))
}

/// The lines of what was typed or pasted; none, of an empty line.
fn lines_of(typed: &[u8]) -> VecDeque<Vec<u8>> {
    let lines = typed.split_inclusive(|it| *it == b'\n');
    lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line).to_vec()).collect()
}

fn read(line: Vec<u8>) -> Typed {
    String::from_utf8(line).map_or(Typed::NotText { with_rest: false }, Typed::Line)
}

/// Edits a line for each that is asked for, until nobody asks any more.
fn edit(
    asked: &Receiver<String>,
    answers: &SyncSender<Answer>,
    mut rope: UnixStream,
    finish: &SyncSender<Option<Printer>>,
) {
    // Ctrl-C and Ctrl-Z are signals, which come also while a reply is waited for.
    let config = Config::builder().enable_signals(true).build();
    let mut editor = Editor::<(), MemHistory>::with_history(config, MemHistory::new());
    let printer: Option<Printer> = match &mut editor {
        Ok(editor) => editor.create_external_printer().ok().map(|it| -> Printer { Box::new(it) }),
        Err(_) => None,
    };
    if finish.send(printer).is_err() {
        return;
    }
    if let Ok(editor) = &mut editor {
        // There is nothing to complete, and a tab is a part of a line.
        editor.bind_sequence(
            KeyEvent(KeyCode::Tab, Modifiers::NONE),
            Cmd::Insert(1, "\t".to_owned()),
        );
    }
    for begun in asked {
        let answer = match &mut editor {
            Ok(editor) => line_by(editor, &begun),
            Err(error) => Err(io::Error::other(error.to_string()).into()),
        };
        if answers.send(answer).is_err() || rope.write_all(&[0]).is_err() {
            return;
        }
    }
}

fn line_by(editor: &mut Editor<(), MemHistory>, begun: &str) -> Answer {
    let text = editor.readline_with_initial(PROMPT, (begun, ""))?;
    for line in text.lines().filter(|line| !line.is_empty()) {
        // A history that is full forgets.
        drop(editor.add_history_entry(line));
    }
    Ok(text)
}
