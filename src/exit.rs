//! The exit codes that scripts rely on.

use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: looked, and all is as it should be.
    Fine,
    /// 1: looked, and found something at or above `--fail-on`.
    Found,
    /// 2: the command line or a file of the user's is wrong.
    Usage,
    /// 3: could not look, so there is no verdict.
    Blind,
    /// 130: the user interrupted, and what was known was said. The process then ends by SIGINT itself,
    /// which a shell shows as 130.
    Interrupted,
    /// The code of a program that was run for the user, handed on.
    Program(u8),
}

/// What each code means, for people: the code, and the sentence.
pub const MEANINGS: [(&str, &str); 6] = [
    ("0", "looked, and all is as it should be; a reader that closes the pipe early is no error"),
    (
        "1",
        "looked, and found something: a finding at or above --fail-on, or an outcome that was not \
         expected",
    ),
    ("2", "the command line, or a file that it names, is wrong: nothing was looked at"),
    ("3", "could not look: no permission, no /proc, a kernel without the interface. No verdict"),
    ("130", "SIGINT ended it, as it ends any program: a shell shows 128 + 2"),
    ("other", "a program that netkit was asked to run ended with it"),
];

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Found => 1,
            Self::Usage => 2,
            Self::Blind => 3,
            Self::Interrupted => 130,
            Self::Program(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
