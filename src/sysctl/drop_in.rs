//! The drop-in that `apply` writes: where it is, what it says, and whether a file is one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::failure::Failure;
use super::files::{Name, Peer, Statement, parse};
use super::judge::Change;
use super::profile::Profile;
use super::saved::{EDITED, ENDING};
use crate::kernel::KernelError;
use crate::kernel::drop_in_file::{DropInFile, Found};
use crate::model::SysctlKey;
use crate::output::sanitize;

/// Where it is written to if nothing else is said.
pub const DEFAULT_FILE: &str = "/etc/sysctl.d/60-netkit.conf";

/// How the names end of files that are kept beside it.
pub const BESIDE: [&str; 2] = [ENDING, EDITED];

/// How the first line begins: without it, a file is somebody else's.
const MARK: &str = "# netkit sysctl apply";

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

/// A drop-in of netkit's own, or the place for one.
#[derive(Clone, Debug)]
pub struct DropIn {
    /// Where.
    pub file: DropInFile,
    /// What it says; `None` if it is not there.
    pub text: Option<String>,
}

impl Target {
    /// The file, whatever is there.
    pub fn place(&self) -> Result<DropInFile, KernelError> {
        DropInFile::at(self.root.as_deref(), &self.file)
    }

    /// What is there. Fails if that is not netkit's to replace.
    pub fn drop_in(&self) -> Result<DropIn, Failure> {
        let file = self.place()?;
        let text = match file.read()? {
            Found::Nothing => None,
            Found::Text(text) if is_ours(&text) => Some(text),
            Found::Text(_) => return Err(self.foreign("it was not written by netkit")),
            Found::NoFile => return Err(self.foreign("it is no regular file")),
        };
        Ok(DropIn { file, text })
    }

    fn foreign(&self, why: &str) -> Failure {
        let file = sanitize(&self.file.display().to_string());
        Failure::Usage(format!("{file} is left as it is: {why}\nhint: `--file PATH` names another"))
    }
}

/// What the drop-in says that makes `changes`.
pub fn content(profile: Option<&Profile>, changes: &[Change]) -> String {
    let mut text =
        format!("{MARK} wrote this file and replaces it; netkit sysctl undo removes it\n");
    if let Some(Profile { name, about, .. }) = profile {
        text += &comment(&format!("profile {name}: {about}"));
    }
    for Change { key, new, why, .. } in changes {
        text += "\n";
        text += &comment(why);
        text += &format!("{key} = {new}\n");
    }
    text
}

/// One line, whatever is in `words`: they may be out of a file.
fn comment(words: &str) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() { words } else { format!("# {}\n", sanitize(&words)) }
}

/// Whether netkit wrote it.
pub fn is_ours(text: &str) -> bool {
    text.starts_with(MARK)
}

/// What the drop-in `text` sets, and to what.
pub fn settings_in(text: &str) -> BTreeMap<SysctlKey, String> {
    let statements = parse(text.as_bytes(), Peer::Procps).statements.into_iter();
    let setting = |it: Statement| match (it.name, it.value) {
        (Name::Key(key), Some(value)) => Some((key, value)),
        _ => None,
    };
    // Of two lines the last one counts, as to those who read it.
    statements.filter_map(setting).collect()
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
    fn it_says_what_it_sets_and_why_and_is_known_again() {
        let profile = Profile {
            name: "edge".to_owned(),
            about: "a\nkernel.panic = 1".to_owned(),
            wants: Vec::new(),
        };
        let changes = [
            change("net.core.somaxconn", "4096", "bursts\r\nkernel.panic = 2\u{202e}"),
            change("net/ipv4/conf/eth0.100/tag", "1", ""),
        ];
        let text = content(Some(&profile), &changes);
        assert_eq!(
            text,
            "# netkit sysctl apply wrote this file and replaces it; netkit sysctl undo removes it\n\
             # profile edge: a kernel.panic = 1\n\
             \n\
             # bursts kernel.panic = 2\\u{202e}\n\
             net.core.somaxconn = 4096\n\
             \n\
             net.ipv4.conf.eth0/100.tag = 1\n"
        );
        assert!(is_ours(&text) && !is_ours("net.core.somaxconn = 4096\n"));
        for change in &changes {
            assert_eq!(settings_in(&text).get(&change.key), Some(&change.new));
        }
        assert_eq!(settings_in(&text).get(&SysctlKey::parse("kernel.panic").unwrap()), None);
    }

    #[test]
    fn only_some_names_in_some_directories_are_read() {
        let is_read = |path: &str| is_read_at_boot(Path::new(path), &DIRECTORIES);
        assert!(is_read(DEFAULT_FILE) && is_read("/run/sysctl.d/x.conf"));
        assert!(!is_read("/etc/sysctl.d/x") && !is_read("/etc/x.conf") && !is_read("x.conf"));
    }
}
