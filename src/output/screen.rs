//! Where an answer goes, and how a command ends.

use std::io::Write;

use super::{Format, Style};
use crate::exit::Exit;

/// Where an answer is written to, and how.
pub struct Screen<'a> {
    /// The answer.
    pub out: &'a mut (dyn Write + Send),
    /// Its format.
    pub format: Format,
    /// Its colour and width, as text.
    pub style: Style,
}

/// Where it is told how the work goes: standard error.
pub struct Aside<'a> {
    /// The place.
    pub out: &'a mut (dyn Write + Send),
    /// Its colour and width.
    pub style: Style,
    /// Whether a line can be written over there.
    pub is_terminal: bool,
}

/// How a command ended that could be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code.
    pub exit: Exit,
    /// What is said besides the answer, on standard error.
    pub messages: Vec<String>,
}
