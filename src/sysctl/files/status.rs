//! Which files are read, and why the others are not.

use std::path::{Path, PathBuf};

use super::Peer;
use crate::kernel::sysctl_files::{ConfigFile, Content, SYSCTL_CONF};

/// What a program does with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its lines count.
    Used,
    /// It has no lines, and hides a file of the same name, on purpose: empty, or /dev/null.
    Mask,
    /// A [`Status::Mask`] of the same name in an earlier directory hides it; which.
    MaskedBy(PathBuf),
    /// A file of the same name in an earlier directory takes its place; which.
    OverriddenBy(PathBuf),
    /// Its name does not end in `.conf`.
    OtherName,
    /// Its name begins with a dot, which systemd passes over.
    Hidden,
    /// The program does not look there.
    NotRead,
    /// The program does not look there, and reads it all the same by this link.
    ReadThrough(PathBuf),
    /// It is a link to nothing, a directory or a device: it sets nothing, and still hides a file of
    /// the same name. (A link that leads back to itself hides no more for systemd 258 and later.)
    Nothing,
    /// netkit could not read it, and does not know what it sets; why.
    Unreadable(String),
}

/// What `peer` does with each of `files`, which are in the order of their directories.
pub fn statuses(files: &[ConfigFile], peer: Peer) -> Vec<Status> {
    files.iter().map(|file| status(file, files, peer)).collect()
}

fn status(file: &ConfigFile, files: &[ConfigFile], peer: Peer) -> Status {
    let is_sysctl_conf = file.path == Path::new(SYSCTL_CONF);
    if !is_sysctl_conf && file.content == Content::OtherName {
        return Status::OtherName;
    }
    if !is_looked_at(file, peer) {
        if file.name().starts_with(b".") {
            return Status::Hidden;
        }
        return reader(file, files, peer).map_or(Status::NotRead, Status::ReadThrough);
    }
    match files.iter().find(|other| is_same_name(other, file, peer)) {
        Some(earlier) if !std::ptr::eq(earlier, file) && !is_sysctl_conf => {
            let path = earlier.path.clone();
            if is_mask(earlier) { Status::MaskedBy(path) } else { Status::OverriddenBy(path) }
        }
        _ => own_status(file, is_sysctl_conf),
    }
}

/// The status of a file that no other one hides.
fn own_status(file: &ConfigFile, is_sysctl_conf: bool) -> Status {
    match &file.content {
        Content::OtherName => Status::OtherName,
        Content::Unreadable(why) => Status::Unreadable(why.clone()),
        Content::Missing | Content::Directory | Content::Special => Status::Nothing,
        Content::Null if is_sysctl_conf => Status::Nothing,
        Content::Bytes(_) if is_sysctl_conf || !is_mask(file) => Status::Used,
        Content::Bytes(_) | Content::Null => Status::Mask,
    }
}

/// Whether the program lists or opens it at its own path.
fn is_looked_at(file: &ConfigFile, peer: Peer) -> bool {
    if peer == Peer::Procps {
        return true;
    }
    // Where /lib is /usr/lib, /lib/sysctl.d is no directory of its own. Where it is, procps lists
    // it, and of systemd only what was built for such a system.
    file.path != Path::new(SYSCTL_CONF)
        && file.directory() != Path::new("/lib/sysctl.d")
        && !file.name().starts_with(b".")
}

/// The path by which a file that is not looked at is read: `/etc/sysctl.d/99-sysctl.conf`.
fn reader(file: &ConfigFile, files: &[ConfigFile], peer: Peer) -> Option<PathBuf> {
    let target = file.target.as_ref().unwrap_or(&file.path);
    let link = files.iter().find(|other| {
        other.target.as_ref() == Some(target)
            && other.path != file.path
            && is_looked_at(other, peer)
            && status(other, files, peer) == Status::Used
    });
    link.map(|link| link.path.clone())
}

fn is_same_name(one: &ConfigFile, other: &ConfigFile, peer: Peer) -> bool {
    one.name() == other.name() && one.path != Path::new(SYSCTL_CONF) && is_looked_at(one, peer)
}

fn is_mask(file: &ConfigFile) -> bool {
    match &file.content {
        Content::Null => true,
        Content::Bytes(bytes) => bytes.is_empty(),
        Content::OtherName
        | Content::Missing
        | Content::Directory
        | Content::Special
        | Content::Unreadable(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: Content) -> ConfigFile {
        ConfigFile { path: path.into(), target: None, content }
    }

    fn text(path: &str) -> ConfigFile {
        file(path, Content::Bytes(b"a.b = 1\n".to_vec()))
    }

    fn link(path: &str, target: &str) -> ConfigFile {
        ConfigFile { target: Some(target.into()), ..text(path) }
    }

    #[test]
    fn the_first_of_a_name_is_used_and_the_others_say_by_what_they_are_hidden() {
        let files = [
            text("/etc/sysctl.d/1.conf"),
            file("/etc/sysctl.d/2.conf", Content::Null),
            file("/etc/sysctl.d/3.conf", Content::Bytes(Vec::new())),
            file("/etc/sysctl.d/4.conf", Content::Missing),
            file("/etc/sysctl.d/README", Content::OtherName),
            text("/run/sysctl.d/1.conf"),
            text("/run/sysctl.d/2.conf"),
            text("/usr/lib/sysctl.d/2.conf"),
            text("/usr/lib/sysctl.d/3.conf"),
            text("/usr/lib/sysctl.d/4.conf"),
        ];
        let masked = |by: &str| Status::MaskedBy(by.into());
        let overridden = |by: &str| Status::OverriddenBy(by.into());
        for peer in Peer::ALL {
            assert_eq!(
                statuses(&files, peer),
                [
                    Status::Used,
                    Status::Mask,
                    Status::Mask,
                    Status::Nothing,
                    Status::OtherName,
                    overridden("/etc/sysctl.d/1.conf"),
                    masked("/etc/sysctl.d/2.conf"),
                    masked("/etc/sysctl.d/2.conf"),
                    masked("/etc/sysctl.d/3.conf"),
                    overridden("/etc/sysctl.d/4.conf"),
                ]
            );
        }
    }

    #[test]
    fn systemd_reads_sysctl_conf_by_its_link_alone() {
        let plain = text("/etc/sysctl.conf");
        let of = |files: &[ConfigFile], peer| statuses(files, peer).pop().unwrap();
        let alone = [plain.clone()];
        assert_eq!(of(&alone, Peer::Procps), Status::Used);
        assert_eq!(of(&alone, Peer::Systemd), Status::NotRead);

        let path = "/etc/sysctl.d/99-sysctl.conf";
        let linked = [link(path, "/etc/sysctl.conf"), plain.clone()];
        assert_eq!(of(&linked, Peer::Procps), Status::Used);
        assert_eq!(of(&linked, Peer::Systemd), Status::ReadThrough(path.into()));

        let hidden =
            [text(path), link("/usr/lib/sysctl.d/99-sysctl.conf", "/etc/sysctl.conf"), plain];
        assert_eq!(of(&hidden, Peer::Systemd), Status::NotRead);
    }

    #[test]
    fn sysctl_conf_counts_only_as_a_regular_file() {
        for content in [Content::Null, Content::Directory, Content::Missing] {
            let files = [file(SYSCTL_CONF, content)];
            assert_eq!(statuses(&files, Peer::Procps), [Status::Nothing]);
        }
        let empty = [file(SYSCTL_CONF, Content::Bytes(Vec::new()))];
        assert_eq!(statuses(&empty, Peer::Procps), [Status::Used]);
    }

    #[test]
    fn lib_and_hidden_files_are_read_by_procps_alone() {
        let files = [
            text("/etc/sysctl.d/.a.conf"),
            text("/lib/sysctl.d/b.conf"),
            file("/run/sysctl.d/c.conf", Content::Unreadable("EACCES".into())),
        ];
        let unreadable = Status::Unreadable("EACCES".into());
        assert_eq!(
            statuses(&files, Peer::Procps),
            [Status::Used, Status::Used, unreadable.clone()]
        );
        assert_eq!(statuses(&files, Peer::Systemd), [Status::Hidden, Status::NotRead, unreadable]);
    }
}
