//! Where a line ends: not at the same bytes for both programs.

use super::Peer;

/// The longest line of systemd (`src/basic/fileio.h`, `LONG_LINE_MAX`); from one that reaches it on,
/// the file is not read.
const LONGEST_LINE: usize = 1 << 20;

/// The lines of a file; a line has no terminator.
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    peer: Peer,
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Its bytes.
    Text(&'a [u8]),
    /// It and all that follow are not read.
    TooLong,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8], peer: Peer) -> Self {
        Self { rest: bytes, peer }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (length, terminator) = match self.peer {
            Peer::Procps => to_newline(self.rest),
            Peer::Systemd => to_any_end(self.rest),
        };
        let (line, rest) = self.rest.split_at(length);
        if self.peer == Peer::Systemd && length >= LONGEST_LINE {
            self.rest = &[];
            return Some(Line::TooLong);
        }
        self.rest = rest.get(terminator..).unwrap_or_default();
        Some(Line::Text(match self.peer {
            Peer::Procps => to_nul(line),
            Peer::Systemd => line,
        }))
    }
}

/// The length of a line that only a newline ends, and of its end: getline(3).
fn to_newline(bytes: &[u8]) -> (usize, usize) {
    memchr::memchr(b'\n', bytes).map_or((bytes.len(), 0), |at| (at, 1))
}

/// getline(3) reads on behind a NUL, and nobody looks there.
fn to_nul(line: &[u8]) -> &[u8] {
    memchr::memchr(0, line).and_then(|at| line.get(..at)).unwrap_or(line)
}

/// The length of a line that newline, carriage return or NUL end, and of its end: each of the first
/// two once, in either order, and a NUL after them (`src/basic/fileio.c`, `read_line_full`).
fn to_any_end(bytes: &[u8]) -> (usize, usize) {
    let length = memchr::memchr3(b'\n', b'\r', 0, bytes).unwrap_or(bytes.len());
    let mut seen: Vec<u8> = Vec::with_capacity(3);
    for &byte in bytes.get(length..).unwrap_or_default() {
        if !matches!(byte, b'\n' | b'\r' | 0) || seen.contains(&byte) || seen.contains(&0) {
            break;
        }
        seen.push(byte);
    }
    (length, seen.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, peer: Peer) -> Vec<String> {
        let lines = Lines::new(text.as_bytes(), peer);
        lines
            .map(|line| match line {
                Line::Text(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                Line::TooLong => "too long".to_owned(),
            })
            .collect()
    }

    #[test]
    fn lines_end_where_each_program_ends_them() {
        for (text, procps, systemd) in [
            ("", &[][..], &[][..]),
            ("a", &["a"], &["a"]),
            ("a\nb\n", &["a", "b"], &["a", "b"]),
            ("a\n\nb", &["a", "", "b"], &["a", "", "b"]),
            ("a\r\nb", &["a\r", "b"], &["a", "b"]),
            ("a\rb\n", &["a\rb"], &["a", "b"]),
            ("a\r\r\nb", &["a\r\r", "b"], &["a", "", "b"]),
            ("a\n\rb", &["a", "\rb"], &["a", "b"]),
            ("a\0b\nc", &["a", "c"], &["a", "b", "c"]),
            ("a\0\0b", &["a"], &["a", "", "b"]),
        ] {
            assert_eq!(lines(text, Peer::Procps), procps, "{text:?}");
            assert_eq!(lines(text, Peer::Systemd), systemd, "{text:?}");
        }
    }

    #[test]
    fn systemd_gives_up_at_a_line_of_a_mebibyte() {
        let text = format!("a\n{}\nb\n", "#".repeat(LONGEST_LINE));
        assert_eq!(lines(&text, Peer::Systemd), ["a", "too long"]);
        assert_eq!(lines(&text, Peer::Procps).len(), 3);
    }
}
