//! What of a drop-in will not be so after a reboot, because other files have the last word.

use std::collections::BTreeMap;
use std::path::Path;

use super::drop_in::is_read_at_boot;
use super::files::{Peer, Plan, Write};
use super::judge::{Change, kind};
use crate::kernel::sysctl_files::{ConfigFile, Content, DIRECTORIES, read_tree};
use crate::model::SysctlKey;

/// A warning for each of `changes` that other files of the system at `root` set otherwise, once
/// `content` is at `file`, a path in that system.
pub fn warnings(root: &Path, file: &Path, content: &str, changes: &[Change]) -> Vec<String> {
    if !is_read_at_boot(file, &DIRECTORIES) {
        let places = "a name in /etc/sysctl.d that ends in .conf";
        return vec![format!("{} is read by nothing at boot: give {places}", file.display())];
    }
    match read_tree(root) {
        Ok(tree) => other_values(&with(tree.files, file, content), file, changes),
        Err(error) => vec![error.to_string()],
    }
}

/// `files` with the drop-in in its place.
pub fn with(mut files: Vec<ConfigFile>, file: &Path, content: &str) -> Vec<ConfigFile> {
    let content = Content::Bytes(content.as_bytes().to_vec());
    let drop_in = ConfigFile { path: file.to_owned(), target: None, content };
    let rank = |file: &ConfigFile| {
        let place = DIRECTORIES.iter().position(|it| file.directory() == Path::new(it));
        (place.unwrap_or(DIRECTORIES.len()), file.name().to_vec())
    };
    files.retain(|other| other.path != file);
    let at = files.iter().position(|other| rank(other) > rank(&drop_in)).unwrap_or(files.len());
    files.insert(at, drop_in);
    files
}

fn other_values(files: &[ConfigFile], file: &Path, changes: &[Change]) -> Vec<String> {
    let keys: Vec<SysctlKey> = changes.iter().map(|change| change.key.clone()).collect();
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for peer in Peer::ALL {
        let merge = Plan::new(files, peer).merge(&keys);
        for change in changes {
            let last = merge.settings.get(&change.key).and_then(|setting| setting.last());
            if let Some(said) = other_value(last, file, change) {
                found.entry(said).or_default().push(peer.command());
            }
        }
    }
    found.into_iter().map(|(said, peers)| format!("{said} ({})", peers.join(" and "))).collect()
}

/// What is said of the last assignment, if it is another one.
fn other_value(last: Option<&Write>, file: &Path, change: &Change) -> Option<String> {
    let key = &change.key;
    match last {
        None => Some(format!("{key} is not set at boot: another file hides {}", file.display())),
        Some(last) if last.source.file == file => None,
        Some(last) if kind(key).is_same(&last.value, &change.new) => None,
        Some(last) => Some(format!(
            "after a reboot {key} will be {} and not {}: {} has the last word",
            last.value, change.new, last.source
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::drop_in_file::DropInFile;

    const FILE: &str = "/etc/sysctl.d/60-netkit.conf";

    fn said(files: &[(&str, &str)], file: &str) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            DropInFile::at(None, &root.path().join(path)).unwrap().write(text).unwrap();
        }
        let change = Change {
            key: SysctlKey::parse("k.a").unwrap(),
            running: None,
            new: "1".to_owned(),
            file_before: None,
            why: String::new(),
            forced: None,
        };
        warnings(root.path(), Path::new(file), "k.a = 1\n", &[change])
    }

    #[test]
    fn a_later_file_has_the_last_word_and_an_earlier_one_has_not() {
        assert_eq!(said(&[("etc/sysctl.d/50-a.conf", "k.a = 2")], FILE), [""; 0]);
        assert_eq!(said(&[("etc/sysctl.d/60-netkit.conf", "k.a = 2")], FILE), [""; 0]);
        assert_eq!(said(&[("usr/lib/sysctl.d/60-netkit.conf", "k.a = 2")], FILE), [""; 0]);
        assert_eq!(said(&[("etc/sysctl.d/99-a.conf", "k.a = 1")], FILE), [""; 0]);
        assert_eq!(
            said(&[("etc/sysctl.d/99-a.conf", "\nk.a = 2")], FILE),
            [
                "after a reboot k.a will be 2 and not 1: /etc/sysctl.d/99-a.conf:2 has the last word \
              (sysctl --system and systemd-sysctl)"
            ]
        );
        assert_eq!(
            said(&[("etc/sysctl.conf", "k.a = 3")], FILE),
            ["after a reboot k.a will be 3 and not 1: /etc/sysctl.conf:1 has the last word \
              (sysctl --system)"]
        );
    }

    #[test]
    fn a_file_that_nothing_reads_is_said() {
        let hidden =
            said(&[("etc/sysctl.d/60-netkit.conf", "k.b = 1")], "/usr/lib/sysctl.d/60-netkit.conf");
        assert!(hidden.iter().all(|it| it.contains("another file hides")) && hidden.len() == 1);
        assert!(said(&[], "/etc/60.conf").iter().all(|it| it.contains("read by nothing")));
    }
}
