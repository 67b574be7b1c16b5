//! The drop-in that `apply` writes: where it is, what it says, and who wrote what is there.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::failure::Failure;
use super::files::{Name, Peer, parse};
use super::judge::Change;
use super::saved::{EDITED, ENDING, Step};
use crate::kernel::KernelError;
use crate::kernel::drop_in_file::{DropInFile, Found};
use crate::model::SysctlKey;
use crate::output::{Style, sanitize, unified};

/// Where it is written to if nothing else is said.
pub const DEFAULT_FILE: &str = "/etc/sysctl.d/60-netkit.conf";

/// How the names end of files that are kept beside it.
pub const BESIDE: [&str; 2] = [ENDING, EDITED];

const HEAD: &str = "# netkit sysctl apply wrote this file, and leaves it alone once it is edited;\n\
                    # netkit sysctl undo takes the last apply back\n";

/// Where the drop-in is.
#[derive(Clone, Debug, ClapArgs)]
pub struct Target {
    /// The drop-in file, which is netkit's own; what it replaced is kept beside it, in a file that
    /// ends in .saved
    #[arg(long, value_name = "PATH", default_value = DEFAULT_FILE)]
    pub file: PathBuf,
    /// Put the drop-in below this directory, of an image or a container, and leave the running values
    /// alone
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

/// The place of a drop-in, and what is there.
#[derive(Clone, Debug)]
pub struct DropIn {
    /// Where.
    pub file: DropInFile,
    /// What it says; `None` if it is not there.
    pub text: Option<String>,
}

/// A setting of a drop-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is said above it; may be empty.
    pub why: String,
    /// The key.
    pub key: SysctlKey,
    /// Its value.
    pub value: String,
}

impl Target {
    /// The file, whatever is there.
    pub fn place(&self) -> Result<DropInFile, KernelError> {
        DropInFile::at(self.root.as_deref(), &self.file)
    }

    /// What is there. Fails if it is nothing that can be put back as it was.
    pub fn drop_in(&self) -> Result<DropIn, Failure> {
        let file = self.place()?;
        let text = match file.read()? {
            Found::Nothing => None,
            Found::Text(text) => Some(text),
            Found::NoFile => return Err(self.left("it is no regular file")),
            Found::NoText => return Err(self.left("it is no text, and could not be put back")),
        };
        Ok(DropIn { file, text })
    }

    /// That it is left as it is, and why.
    pub fn left(&self, why: &str) -> Failure {
        let file = sanitize(&self.file.display().to_string());
        Failure::Usage(format!("{file} is left as it is: {why}\nhint: `--file PATH` names another"))
    }
}

impl DropIn {
    /// Why what is there is not what netkit left, if `last` is what it did last; nothing if it is, or
    /// if nothing is there.
    pub fn is_foreign(&self, last: Option<&Step>) -> Option<String> {
        let text = self.text.as_ref()?;
        match last {
            Some(last) if last.content == *text => None,
            Some(last) if is_ours(text) => Some(format!(
                "it was edited since netkit wrote it\n{}",
                difference(&last.content, text)
            )),
            None if is_ours(text) => {
                Some("what netkit wrote there is not known: no .saved is beside it".to_owned())
            }
            _ => Some("it was not written by netkit".to_owned()),
        }
    }
}

/// What was changed in what netkit wrote, for a message.
pub fn difference(written: &str, text: &str) -> String {
    let names = (("as netkit wrote it", Some(written)), ("as it is", Some(text)));
    unified(names.0, names.1, Style::PLAIN).trim_end().to_owned()
}

/// Whether netkit wrote it, whatever was done to it since.
fn is_ours(text: &str) -> bool {
    let mark = "# netkit sysctl apply";
    text.starts_with(mark)
}

/// The settings of a drop-in that netkit wrote.
pub fn entries(text: &str) -> Vec<Entry> {
    let lines: Vec<&str> = text.lines().collect();
    let statements = parse(text.as_bytes(), Peer::Procps).statements.into_iter();
    let entry = statements.filter_map(|it| {
        let (Name::Key(key), Some(value)) = (it.name, it.value) else { return None };
        let above = it.line.checked_sub(2).and_then(|at| lines.get(at));
        let why = above.and_then(|line| line.strip_prefix("# ")).unwrap_or_default().to_owned();
        Some(Entry { why, key, value })
    });
    entry.collect()
}

/// `kept` with `changes` made: what is set otherwise has its new value, what is new comes at the end.
pub fn merged(mut kept: Vec<Entry>, changes: &[Change]) -> Vec<Entry> {
    for Change { key, new, why, .. } in changes {
        let entry = Entry { why: one_line(why), key: key.clone(), value: new.clone() };
        match kept.iter_mut().find(|it| it.key == *key) {
            // Why it is so is no less true where nobody says it again.
            Some(same) if same.value == *new && why.is_empty() => {}
            Some(other) => *other = entry,
            None => kept.push(entry),
        }
    }
    kept
}

/// What the drop-in says that has `entries`.
pub fn content(entries: &[Entry]) -> String {
    entries.iter().fold(HEAD.to_owned(), |text, Entry { why, key, value }| {
        let why = if why.is_empty() { String::new() } else { format!("# {why}\n") };
        format!("{text}\n{why}{key} = {value}\n")
    })
}

/// One line, whatever is in `words`: they may be out of a file.
fn one_line(words: &str) -> String {
    sanitize(&words.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether the programs that set sysctls at boot look where `file` is.
pub fn is_read_at_boot(file: &Path, directories: &[&str]) -> bool {
    let is_there =
        file.parent().is_some_and(|it| directories.iter().any(|dir| it == Path::new(dir)));
    is_there && file.extension().is_some_and(|ending| ending == "conf")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::sysctl_files::DIRECTORIES;

    fn change(key: &str, new: &str, why: &str) -> Change {
        Change {
            key: SysctlKey::parse(key).unwrap(),
            running: None,
            new: new.to_owned(),
            file_before: None,
            why: why.to_owned(),
            forced: None,
        }
    }

    #[test]
    fn it_says_what_it_sets_and_why_and_is_read_as_it_was_written() {
        let changes = [
            change("net.core.somaxconn", "4096", "bursts\r\nkernel.panic = 2\u{202e}"),
            change("net/ipv4/conf/eth0.100/tag", "1", ""),
        ];
        let merged = merged(Vec::new(), &changes);
        let text = content(&merged);
        assert_eq!(
            text,
            "# netkit sysctl apply wrote this file, and leaves it alone once it is edited;\n\
             # netkit sysctl undo takes the last apply back\n\
             \n\
             # bursts kernel.panic = 2\\u{202e}\n\
             net.core.somaxconn = 4096\n\
             \n\
             net.ipv4.conf.eth0/100.tag = 1\n"
        );
        assert!(is_ours(&text) && !is_ours("net.core.somaxconn = 4096\n"));
        assert_eq!(entries(&text), merged);
    }

    #[test]
    fn what_was_there_stays_unless_it_is_set_otherwise() {
        let first = [change("k.a", "1", "a"), change("k.b", "1", "b"), change("k.c", "1", "c")];
        let kept = entries(&content(&merged(Vec::new(), &first)));
        let then = [change("k.d", "2", ""), change("k.b", "2", ""), change("k.c", "1", "")];
        let after = merged(kept, &then);
        let after: Vec<_> =
            after.iter().map(|it| format!("{} {} {}", it.key, it.value, it.why)).collect();
        assert_eq!(after, ["k.a 1 a", "k.b 2 ", "k.c 1 c", "k.d 2 "]);
    }

    #[test]
    fn what_is_there_is_netkits_only_as_it_left_it() {
        let written = content(&merged(Vec::new(), &[change("k.a", "1", "")]));
        let step = Step {
            at: String::new(),
            file_before: None,
            content: written.clone(),
            running: Vec::new(),
        };
        let foreign = |text: Option<&str>, step: Option<&Step>| {
            let file = DropInFile::at(None, Path::new("x")).unwrap();
            DropIn { file, text: text.map(str::to_owned) }.is_foreign(step).unwrap_or_default()
        };
        assert_eq!(foreign(None, Some(&step)), "");
        assert_eq!(foreign(Some(&written), Some(&step)), "");
        let edited = foreign(Some(&written.replace("= 1", "= 2")), Some(&step));
        assert!(edited.contains("edited since") && edited.contains("\n-k.a = 1\n+k.a = 2"));
        assert!(foreign(Some(&written), None).contains("is not known"));
        assert!(foreign(Some("k.a = 1\n"), Some(&step)).contains("not written by netkit"));
    }

    #[test]
    fn only_some_names_in_some_directories_are_read() {
        let is_read = |path: &str| is_read_at_boot(Path::new(path), &DIRECTORIES);
        assert!(is_read(DEFAULT_FILE) && is_read("/run/sysctl.d/x.conf"));
        assert!(!is_read("/etc/sysctl.d/x") && !is_read("/etc/x.conf") && !is_read("x.conf"));
    }
}
