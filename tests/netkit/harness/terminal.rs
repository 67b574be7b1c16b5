//! netkit on a pseudo-terminal, which is script(1)'s: what it shows, and keys for it.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::command::PROGRAM;
use super::waiting::DEADLINE;

/// netkit on a terminal.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: Receiver<String>,
    text: String,
}

impl Terminal {
    /// `netkit` with the words of `line`.
    #[track_caller]
    pub fn open(line: &str) -> Self {
        Self::open_by("", line)
    }

    /// The same behind `before`, which is of a shell: `stty cols 40;`.
    ///
    /// The shell becomes netkit, whichever it is: one that stays dies of a Ctrl-C that netkit answers.
    #[track_caller]
    pub fn open_by(before: &str, line: &str) -> Self {
        let mut child = Command::new("script")
            .args(["-qfec", &format!("{before} exec {PROGRAM} {line}"), "/dev/null"])
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let keys = child.stdin.take().unwrap();
        let mut out = child.stdout.take().unwrap();
        let (sender, shown) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = out.read(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
        Self { child, keys, shown, text: String::new() }
    }

    /// Waits until `words` are shown, after what was waited for last.
    #[track_caller]
    pub fn shows(&mut self, words: &str) {
        self.until(words);
    }

    /// Waits until `words` are shown, and gives what was shown before them.
    #[track_caller]
    pub fn until(&mut self, words: &str) -> String {
        let mut before = std::mem::take(&mut self.text);
        while !before.contains(words) {
            match self.shown.recv_timeout(DEADLINE) {
                Ok(more) => before += &more,
                Err(error) => panic!("no {words:?} ({error}) in {before:?}"),
            }
        }
        let (head, tail) = before.split_once(words).unwrap();
        tail.clone_into(&mut self.text);
        head.to_owned()
    }

    /// Types `keys`.
    pub fn types(&mut self, keys: &str) {
        self.types_bytes(keys.as_bytes());
    }

    /// Types `keys`, of a terminal that is not one of UTF-8.
    pub fn types_bytes(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits for its end, with this exit code, and gives what it has shown since.
    #[track_caller]
    pub fn ends(mut self, code: i32) -> String {
        while let Ok(more) = self.shown.recv_timeout(DEADLINE) {
            self.text += &more;
        }
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "{:?}", self.text);
        self.text
    }
}
