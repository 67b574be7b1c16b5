//! Who writes what a server has to tell while it serves: the lines of its log and its statistics on
//! standard output, and the live line of `--status` on standard error.
//!
//! One thread writes both, so that on a terminal, which is both, no line of the log begins in the
//! middle of the live one.

use std::io::Write;
use std::sync::mpsc::Receiver;

use super::log::Entry;
use crate::output::{Aside, LiveLine};

/// Writes entries as they come, for as long as there may be more. Where nobody reads them any more,
/// the server goes on without a log.
pub fn write(entries: &Receiver<Entry>, out: &mut (dyn Write + Send), aside: &mut Aside<'_>) {
    let mut live = LiveLine::on(aside);
    let mut is_read = true;
    let mut status = String::new();
    while let Ok(first) = entries.recv() {
        for entry in std::iter::once(first).chain(entries.try_iter()) {
            match entry {
                Entry::Line(row) => {
                    live.clear();
                    is_read = is_read && out.write_all(row.as_bytes()).is_ok();
                }
                Entry::Warning(warning) => live.say(&format!("netkit: warning: {warning}")),
                Entry::Status(words) => status = words,
            }
        }
        is_read = is_read && out.flush().is_ok();
        if !status.is_empty() {
            live.draw(&status);
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
    fn without_a_live_line_nothing_is_said_aside() {
        let (out, err) = written(|log| assert!(log.add("a\n".to_owned())));
        assert_eq!((out.as_str(), err.as_str()), ("a\n", ""));
    }
}
