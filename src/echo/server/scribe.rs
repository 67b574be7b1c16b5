//! Who writes what a server has to tell while it serves: the lines of its log and its statistics on
//! standard output, and the live line of `--status` on standard error.
//!
//! One thread writes both, so that on a terminal, which is both, no line of the log begins in the
//! middle of the live one.

use std::io::{self, Write};
use std::sync::mpsc::Receiver;

use super::log::Entry;
use crate::kernel::io_text;
use crate::output::{Aside, LiveLine};

/// Writes entries as they come, for as long as there may be more. Where nobody reads them any more,
/// the server goes on without a log; where they cannot be written, also with a warning.
pub fn write(entries: &Receiver<Entry>, out: &mut (dyn Write + Send), aside: &mut Aside<'_>) {
    let mut log = Scribe { out: Some(out), live: LiveLine::on(aside) };
    let mut status = String::new();
    while let Ok(first) = entries.recv() {
        for entry in std::iter::once(first).chain(entries.try_iter()) {
            match entry {
                Entry::Line(row) => {
                    log.live.clear();
                    log.try_to(|out| out.write_all(row.as_bytes()));
                }
                Entry::Warning(warning) => {
                    // On a terminal, in the order in which they were said.
                    log.try_to(Write::flush);
                    log.live.say(&format!("netkit: warning: {warning}"));
                }
                Entry::Note(words) => log.live.say(&format!("netkit: {words}")),
                Entry::Status(words) => status = words,
            }
        }
        log.try_to(Write::flush);
        if !status.is_empty() {
            log.live.draw(&status);
        }
    }
}

/// Where it is written.
struct Scribe<'a> {
    /// `None` once that has failed.
    out: Option<&'a mut (dyn Write + Send)>,
    live: LiveLine<'a>,
}

impl<'a> Scribe<'a> {
    /// Does `work`, for as long as it succeeds. What fails is said once, unless it is what the reader
    /// wants, who has gone.
    fn try_to(&mut self, work: impl FnOnce(&mut (dyn Write + Send + 'a)) -> io::Result<()>) {
        let Some(out) = &mut self.out else { return };
        let Err(error) = work(*out) else { return };
        self.out = None;
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.live.say(&format!(
                "netkit: warning: standard output cannot be written to, so that it has no addresses, \
                 log or statistics: {}",
                io_text(&error)
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::Log;
    use super::*;
    use crate::output::Style;

    /// What is written to standard output and to standard error.
    fn written(tell: impl FnOnce(&Log)) -> (String, String) {
        let (log, entries) = Log::new();
        tell(&log);
        drop(log);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let style = Style { width: 20, ..Style::PLAIN };
        write(&entries, &mut out, &mut Aside { out: &mut err, style, is_terminal: true });
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn lines_and_the_live_one_are_kept_apart() {
        let (out, err) = written(|log| {
            assert!(log.add("a\n".to_owned()));
            log.show("1 connection open, 1 taken".to_owned());
            assert!(log.add("b\n".to_owned()));
        });
        assert_eq!((out.as_str(), err.as_str()), ("a\nb\n", "\r\x1b[K1 connection open\r\x1b[K"));
    }

    #[test]
    fn an_output_that_cannot_be_written_to_is_warned_of_once_and_a_reader_that_has_gone_is_not() {
        struct Broken(io::ErrorKind);
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for (kind, warnings) in [(io::ErrorKind::StorageFull, 1), (io::ErrorKind::BrokenPipe, 0)] {
            let (log, entries) = Log::new();
            assert!(log.add("a\n".to_owned()) && log.add("b\n".to_owned()));
            drop(log);
            let mut err = Vec::new();
            let mut aside = Aside { out: &mut err, style: Style::PLAIN, is_terminal: false };
            write(&entries, &mut Broken(kind), &mut aside);
            let err = String::from_utf8(err).unwrap();
            assert_eq!(
                err.matches("standard output cannot be written to").count(),
                warnings,
                "{err}"
            );
        }
    }

    #[test]
    fn without_a_live_line_nothing_is_said_aside() {
        let (out, err) = written(|log| assert!(log.add("a\n".to_owned())));
        assert_eq!((out.as_str(), err.as_str()), ("a\n", ""));
    }
}
