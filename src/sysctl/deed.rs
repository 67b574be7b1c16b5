//! A change of running values, of the drop-in and of what is saved beside it: all or nothing.
//!
//! What is saved is never less than what a stop in the middle would need: it is written before
//! anything else by `apply`, and taken away after everything else by `undo`.

use super::drop_in::DropIn;
use super::failure::Failure;
use super::judge::kind;
use crate::kernel::drop_in_file::DropInFile;
use crate::kernel::sysctl_tree::{read, write};
use crate::kernel::{Errno, KernelError, ProcRoot};
use crate::model::SysctlKey;
use crate::output::numbers::count;

/// A running value, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The key.
    pub key: SysctlKey,
    /// What is put back if something fails.
    pub old: String,
    /// What is written.
    pub new: String,
}

/// Whether something is saved or used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `apply`
    Forth,
    /// `undo`
    Back,
}

/// All that is to be done.
#[derive(Debug)]
pub struct Deed<'a> {
    /// Whether it is `apply` or `undo`.
    pub direction: Direction,
    /// The running values, in the order of writing.
    pub turns: Vec<Turn>,
    /// The drop-in as it is.
    pub drop_in: &'a DropIn,
    /// As it is to be; `None` removes it.
    pub content: Option<&'a str>,
    /// The file beside it.
    pub saved: &'a DropInFile,
    /// What that has now, and what it is to have.
    pub saved_texts: (Option<String>, Option<String>),
}

/// Why it was given up, and what is left of it.
struct Aborted<'a> {
    error: KernelError,
    /// The value that the kernel refused, and how many were written before it.
    at: Option<(&'a Turn, usize)>,
    /// What could not be put back.
    stuck: Vec<String>,
}

impl Deed<'_> {
    /// Does it. Fails with nothing changed, or says what could not be put back. Gives warnings.
    pub fn carry_out(&self, proc_root: Option<&ProcRoot>) -> Result<Vec<String>, Failure> {
        let (saved_before, saved_after) = &self.saved_texts;
        if self.direction == Direction::Forth {
            self.saved.restore(saved_after.as_deref())?;
        }
        self.change(proc_root).map_err(|mut aborted| {
            if self.direction == Direction::Forth {
                let saved = self.saved.restore(saved_before.as_deref());
                aborted.stuck.extend(saved.err().map(|error| error.to_string()));
            }
            aborted.into()
        })
    }

    /// Changes the values and the drop-in, and uses up what was saved. Fails with both put back.
    fn change(&self, proc_root: Option<&ProcRoot>) -> Result<Vec<String>, Aborted<'_>> {
        let turns = proc_root.map_or(&[][..], |_| &self.turns);
        if let Some(proc_root) = proc_root {
            write_all(proc_root, turns)?;
        }
        let put_back = |error, mut stuck: Vec<String>| {
            stuck.extend(proc_root.iter().flat_map(|proc_root| put_back(proc_root, turns)));
            Aborted { error, at: None, stuck }
        };
        let file = &self.drop_in.file;
        file.restore(self.content).map_err(|error| put_back(error, Vec::new()))?;
        if self.direction == Direction::Back {
            self.saved.restore(self.saved_texts.1.as_deref()).map_err(|error| {
                let file = file.restore(self.drop_in.text.as_deref());
                put_back(error, file.err().iter().map(ToString::to_string).collect())
            })?;
        }
        Ok(proc_root.map_or_else(Vec::new, |proc_root| otherwise(proc_root, turns)))
    }
}

/// Writes the new values one by one. Fails with those that were written put back.
fn write_all<'a>(proc_root: &ProcRoot, turns: &'a [Turn]) -> Result<(), Aborted<'a>> {
    for (done, turn) in turns.iter().enumerate() {
        if let Err(error) = write(proc_root, &turn.key, &turn.new) {
            // Of three numbers the kernel may have stored the first and refused the second.
            let is_changed = otherwise_than(proc_root, turn, &turn.old).is_some();
            let last = if is_changed { done + 1 } else { done };
            let stuck = put_back(proc_root, turns.get(..last).unwrap_or_default());
            return Err(Aborted { error, at: Some((turn, done)), stuck });
        }
    }
    Ok(())
}

/// Writes the old values in reverse order; gives those that the kernel did not take.
fn put_back(proc_root: &ProcRoot, done: &[Turn]) -> Vec<String> {
    let back = done.iter().rev().map(|turn| (turn, write(proc_root, &turn.key, &turn.old)));
    back.filter_map(|(turn, written)| Some((turn, written.err()?)))
        .map(|(turn, error)| format!("{} is not {} again: {error}", turn.key, turn.old))
        .collect()
}

/// What the key of `turn` is now, where the kernel made something else of `value`.
fn otherwise_than(proc_root: &ProcRoot, turn: &Turn, value: &str) -> Option<String> {
    let now = read(proc_root, &turn.key).ok()?;
    let now = now.value().filter(|now| !kind(&turn.key).is_same(now, value))?;
    Some(now.to_owned())
}

/// The values of which the kernel made something else.
fn otherwise(proc_root: &ProcRoot, done: &[Turn]) -> Vec<String> {
    let made = |turn: &Turn| {
        let now = otherwise_than(proc_root, turn, &turn.new)?;
        Some(format!("the kernel made {now} of {} = {}", turn.key, turn.new))
    };
    done.iter().filter_map(made).collect()
}

impl From<Aborted<'_>> for Failure {
    /// What is said of it: a value that the kernel refuses is the user's to put right.
    fn from(Aborted { error, at, stuck }: Aborted<'_>) -> Self {
        let mut words = error.to_string();
        if let Some((turn, _)) = at {
            words = format!("{} = {}: {words}", turn.key, turn.new);
        }
        words += &match (at, stuck.as_slice()) {
            (None | Some((_, 0)), []) => "; nothing was changed".to_owned(),
            (Some((_, done)), []) => {
                let done = count(u64::try_from(done).unwrap_or(u64::MAX), "value");
                format!("; nothing was changed: {done} written before it put back")
            }
            (_, stuck) => format!("; NOT PUT BACK: {}", stuck.join("; ")),
        };
        let is_refusal = matches!(&error, KernelError::Unwritable { source, .. }
            if source.raw_os_error().map(Errno::from_raw).is_some_and(is_about_the_value));
        if is_refusal && stuck.is_empty() {
            return Self::Usage(words);
        }
        Self::Blind(anyhow::Error::from(error).context(words))
    }
}

fn is_about_the_value(errno: Errno) -> bool {
    matches!(errno, Errno::EINVAL | Errno::ERANGE | Errno::EBUSY | Errno::ENOENT | Errno::EOVERFLOW)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::kernel::drop_in_file::Found;

    fn file(tree: &Path, name: &str) -> DropInFile {
        DropInFile::at(None, &tree.join(name)).unwrap()
    }

    fn has(tree: &Path, name: &str, text: &str) {
        assert_eq!(file(tree, name).read().unwrap(), Found::Text(text.to_owned()), "{name}");
    }

    /// A tree of /proc in which `b` is a directory, so that it cannot be written.
    fn tree() -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        for name in ["a", "b/x", "c"] {
            file(tree.path(), &format!("sys/k/{name}")).write("1\n").unwrap();
        }
        tree
    }

    /// Does this to the values of `names`; the drop-in has `old`, and is to have `new`.
    fn done(tree: &Path, names: &[&str], file: &str) -> Result<Vec<String>, Failure> {
        let proc_root = ProcRoot::at(tree);
        let file = self::file(tree, file);
        let saved = file.beside(".saved");
        let turn = |name: &&str| Turn {
            key: SysctlKey::parse(&format!("k.{name}")).unwrap(),
            old: "1".to_owned(),
            new: "2".to_owned(),
        };
        let deed = Deed {
            direction: Direction::Forth,
            turns: names.iter().map(turn).collect(),
            drop_in: &DropIn { file, text: None },
            content: Some("new"),
            saved: &saved,
            saved_texts: (None, Some("saved".to_owned())),
        };
        deed.carry_out(Some(&proc_root))
    }

    fn blind(done: Result<Vec<String>, Failure>) -> String {
        match done {
            Err(Failure::Blind(error)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_is_done() {
        let tree = tree();
        let tree = tree.path();
        assert!(done(tree, &["a", "c"], "d/60.conf").unwrap().is_empty());
        for (name, text) in [("sys/k/a", "2\n"), ("sys/k/c", "2\n"), ("d/60.conf", "new")] {
            has(tree, name, text);
        }
        has(tree, "d/60.conf.saved", "saved");
    }

    #[test]
    fn or_nothing_where_a_value_is_refused() {
        let tree = tree();
        let tree = tree.path();
        let said = blind(done(tree, &["a", "b", "c"], "60.conf"));
        assert!(said.starts_with("k.b = 2: ") && said.contains("EISDIR"), "{said}");
        assert!(
            said.ends_with("nothing was changed: 1 value written before it put back"),
            "{said}"
        );
        has(tree, "sys/k/a", "1\n");
        has(tree, "sys/k/c", "1\n");
        for name in ["60.conf", "60.conf.saved"] {
            assert_eq!(file(tree, name).read().unwrap(), Found::Nothing, "{name}");
        }
    }

    #[test]
    fn or_nothing_where_the_drop_in_cannot_be_written() {
        let tree = tree();
        let tree = tree.path();
        // In the place of the drop-in is a directory, which no file replaces.
        file(tree, "60.conf/x").write("").unwrap();
        let said = blind(done(tree, &["a"], "60.conf"));
        assert!(said.contains("EISDIR") && said.ends_with("nothing was changed"), "{said}");
        has(tree, "sys/k/a", "1\n");
        assert_eq!(file(tree, "60.conf.saved").read().unwrap(), Found::Nothing);
    }
}
