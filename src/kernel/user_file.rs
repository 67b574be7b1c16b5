//! Files that the user names: read whole, and no larger than a person writes them; or line by line,
//! however long they are.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use super::error::io_text;
use super::patience::{Event, Patience, Waited};
use super::proc_root::open_file;

/// The most bytes that are read.
const MOST_BYTES: u64 = 1 << 20;

/// The text of the file at `path`; why not, in words that do not name it.
pub fn read(path: &Path) -> Result<String, String> {
    text(path).map_err(|error| io_text(&error))
}

/// A file, or standard input, that is read as it is asked for its lines.
pub struct Lines {
    source: Box<dyn BufRead + Send>,
}

/// The longest line that is kept.
const LONGEST_LINE: usize = 4096;

/// A line that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Its text without its end; what is not UTF-8 is replaced.
    Text(String),
    /// Longer than anything that a line may say. It was skipped.
    TooLong,
    /// The rest could not be read, and why.
    Unreadable(String),
}

/// The lines of the file at `path`, of standard input if that is `-`; why not, in words that do not
/// name it. Standard input, which may be somebody who types, ends also when one of `ends` becomes
/// readable.
pub fn lines(path: &Path, ends: Vec<OwnedFd>) -> Result<Lines, String> {
    if path == Path::new("-") {
        let own = io::stdin().as_fd().try_clone_to_owned().map_err(|error| io_text(&error))?;
        let input = Typed { file: File::from(own), ends };
        return Ok(Lines { source: Box::new(BufReader::new(input)) });
    }
    let file = open_file(path).map_err(|error| io_text(&error))?;
    Ok(Lines { source: Box::new(BufReader::with_capacity(64 * 1024, file)) })
}

/// Lines of the file at `path`, if it is one that can be read twice.
pub fn count_lines(path: &Path) -> Option<u64> {
    let file = path.metadata().is_ok_and(|it| it.is_file()).then(|| open_file(path).ok())??;
    let lines = BufReader::new(file).split(b'\n').map_while(Result::ok).count();
    u64::try_from(lines).ok()
}

/// Standard input, read without a buffer of its own, so that poll(2) knows what is left.
struct Typed {
    file: File,
    ends: Vec<OwnedFd>,
}

impl io::Read for Typed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let ends = self.ends.iter().fold(Patience::ENDLESS, |it, end| it.or(Some(end.as_fd())));
        match ends.wait(self.file.as_fd(), Event::Readable)? {
            Waited::Interrupted => Ok(0),
            Waited::Ready | Waited::Late => self.file.read(bytes),
        }
    }
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let mut bytes = Vec::new();
        let most = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
        match self.source.by_ref().take(most).read_until(b'\n', &mut bytes) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) => return Some(Line::Unreadable(io_text(&error))),
        }
        if bytes.last() == Some(&b'\n') || bytes.len() < LONGEST_LINE {
            let text = String::from_utf8_lossy(&bytes);
            return Some(Line::Text(text.trim_end_matches(['\r', '\n']).to_owned()));
        }
        // An error comes again with the next line.
        drop(self.source.skip_until(b'\n'));
        Some(Line::TooLong)
    }
}

fn text(path: &Path) -> io::Result<String> {
    let file = open_file(path)?;
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Err(io::Error::other(format!("it is longer than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_they_end_and_a_long_one_is_skipped() {
        let text = format!("a\r\n\n{}\nb", "x".repeat(3 * LONGEST_LINE));
        let lines = Lines { source: Box::new(io::Cursor::new(text)) };
        let text = |text: &str| Line::Text(text.to_owned());
        assert_eq!(lines.collect::<Vec<_>>(), [text("a"), text(""), Line::TooLong, text("b")]);
    }

    #[test]
    fn a_file_that_is_none_is_said() {
        assert!(
            lines(Path::new("/nowhere"), Vec::new()).is_err_and(|why| why.starts_with("ENOENT"))
        );
        assert!(read(Path::new("/nowhere")).unwrap_err().starts_with("ENOENT"));
        assert!(read(Path::new("/dev/zero")).unwrap_err().contains("longer than 1 MiB"));
        assert!(read(Path::new("/proc")).unwrap_err().starts_with("EISDIR"));
    }
}
