//! What is to be tried: the targets of the command line, or those of a file, line by line.

use std::os::fd::OwnedFd;
use std::path::Path;

use super::args::Args;
use super::meant::meant;
use super::target::Target;
use crate::kernel::user_file::{self, Line, Lines};
use crate::output::sanitize;

/// The next thing in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A target, as it was written.
    Target(String, Target),
    /// A line that is none, and what is wrong with it.
    Bad(String),
}

/// The targets of the command line; in the error, what is wrong with the first that is none.
pub fn of_arguments(args: &Args) -> Result<Vec<Piece>, String> {
    let piece = |text: &String| {
        let target =
            args.target(text).map_err(|problem| format!("`{}`: {problem}", sanitize(text)))?;
        Ok(Piece::Target(text.clone(), target))
    };
    let pieces: Result<_, String> = args.texts.iter().map(piece).collect();
    pieces.map_err(|problem| match meant(&args.texts) {
        Some(targets) => {
            format!("{problem}\nhint: netkit connect {}", sanitize(&targets.join(" ")))
        }
        None => problem,
    })
}

/// What the file of `--targets` is called.
pub fn name(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => path.display().to_string(),
    }
}

/// The targets of a file.
pub struct FileList<'a> {
    args: &'a Args,
    name: String,
    lines: Lines,
    number: u64,
    has_ended: bool,
}

impl<'a> FileList<'a> {
    /// The targets of the file of `--targets`; `None` without one. What is typed ends when one of `ends`
    /// becomes readable. In the error, why it cannot be read.
    pub fn open(args: &'a Args, ends: Vec<OwnedFd>) -> Result<Option<Self>, String> {
        let Some(path) = &args.targets else { return Ok(None) };
        let name = name(path);
        let lines =
            user_file::lines(path, ends).map_err(|why| format!("cannot read {name}: {why}"))?;
        Ok(Some(Self { args, name, lines, number: 0, has_ended: false }))
    }

    /// Whether it is standard input, which may be somebody who types.
    pub fn is_standard_input(&self) -> bool {
        self.args.targets.as_deref() == Some(Path::new("-"))
    }

    /// About how many targets there are, where that can be known before.
    pub fn length(&self) -> Option<u64> {
        user_file::count_lines(self.args.targets.as_deref()?)
    }

    fn bad(&self, problem: &str) -> Piece {
        Piece::Bad(format!("{}, line {}: {problem}", self.name, self.number))
    }
}

impl Iterator for FileList<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        while !self.has_ended {
            let line = self.lines.next()?;
            self.number += 1;
            match line {
                Line::TooLong => return Some(self.bad("the line is too long for a target")),
                Line::Unreadable(why) => {
                    self.has_ended = true;
                    return Some(self.bad(&format!("cannot read on: {why}")));
                }
                Line::Text(line) => {
                    let text = without_comment(&line);
                    if text.is_empty() {
                        continue;
                    }
                    return Some(match self.args.target(text) {
                        Ok(target) => Piece::Target(text.to_owned(), target),
                        Err(problem) => self.bad(&format!("`{}`: {problem}", sanitize(text))),
                    });
                }
            }
        }
        None
    }
}

/// A `#` begins a comment at the start of a line or behind a blank: a path may have one in it.
fn without_comment(line: &str) -> &str {
    let is_comment = |(at, _): &(usize, &str)| {
        line.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
    };
    let end = line.match_indices('#').find(is_comment).map_or(line.len(), |(at, _)| at);
    line.get(..end).unwrap_or(line).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blanks_are_no_part_of_a_target() {
        for (line, text) in [
            ("a:1", "a:1"),
            ("  a:1\t# web", "a:1"),
            ("# all of it", ""),
            ("unix:/run/a#1 # one", "unix:/run/a#1"),
            ("", ""),
            (" \t", ""),
        ] {
            assert_eq!(without_comment(line), text);
        }
    }
}
