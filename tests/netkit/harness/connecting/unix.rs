//! The obstacles of AF_UNIX: files in a directory of their own, and abstract names.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};
use tempfile::TempDir;

use super::Row;
use super::code::*;

/// The directory, and the sockets in it.
pub struct Files {
    directory: TempDir,
    _sockets: Vec<Socket>,
}

impl Files {
    /// Makes them. Everybody may look into the directory.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let sockets = vec![
            listening(&at("stream"), Type::STREAM),
            listening(&at("seqpacket"), Type::SEQPACKET),
            bound(&at("dgram"), Type::DGRAM),
            bound(&at("bound"), Type::STREAM),
            listening(&at("owners"), Type::STREAM),
            listening(&at("readable"), Type::STREAM),
            listening(&at("everybodys"), Type::STREAM),
            listening(Path::new("\0netkit-here"), Type::STREAM),
            bound(Path::new("\0netkit-dgram"), Type::DGRAM),
        ];
        drop(bound(&at("stale"), Type::STREAM));
        File::create(at("file")).unwrap();
        fs::create_dir(at("directory")).unwrap();
        fs::create_dir(at("closed")).unwrap();
        symlink("stream", at("link")).unwrap();
        symlink("loop", at("loop")).unwrap();
        symlink("absent", at("dangling")).unwrap();
        let modes =
            [("owners", 0o600), ("readable", 0o444), ("everybodys", 0o666), ("closed", 0o700)];
        for (name, mode) in modes {
            permit(&at(name), mode);
        }
        permit(directory.path(), 0o755);
        Self { directory, _sockets: sockets }
    }

    /// Where `name` is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What the owner of all gets.
    pub fn rows(&self) -> Vec<Row> {
        let row = |name: &str, words: &str, code, outcome| {
            let (options, file) = words.rsplit_once(' ').unwrap_or(("", words));
            let target = self.path(file);
            Row::at_once(name, &format!("{options} unix:{}", target.display()), code, outcome)
        };
        let by_name = |name: &str, words: &str, code, outcome| {
            Row::at_once(name, &words.replace('@', "unix:@"), code, outcome)
        };
        vec![
            row("a listener", "stream", OK, "connected"),
            row("a link to it", "link", OK, "connected"),
            row("seqpacket", "--type seqpacket seqpacket", OK, "connected"),
            row("dgram", "--type dgram dgram", OK, "connected"),
            row("bound, not listening", "bound", ECONNREFUSED, "refused")
                .because("has not called listen()"),
            row("nobody has the file", "stale", ECONNREFUSED, "refused").because("stale"),
            row("dgram, nobody", "--type dgram stale", ECONNREFUSED, "refused").because("stale"),
            row("a regular file", "file", ECONNREFUSED, "refused").because("no socket"),
            row("a directory", "directory", ECONNREFUSED, "refused").because("directory"),
            row("absent", "absent", ENOENT, "local_error").because("does not exist"),
            row("a link to nothing", "dangling", ENOENT, "local_error").because("does not exist"),
            row("a file on the way", "file/socket", ENOTDIR, "local_error"),
            row("a loop of links", "loop", ELOOP, "local_error"),
            row("stream to dgram", "dgram", EPROTOTYPE, "local_error").because("dgram"),
            row("dgram to stream", "--type dgram stream", EPROTOTYPE, "local_error")
                .because("type stream"),
            row("seqpacket to stream", "--type seqpacket stream", EPROTOTYPE, "local_error")
                .because("type stream"),
            by_name("an abstract name", "@netkit-here", OK, "connected"),
            by_name("abstract, dgram", "--type dgram @netkit-dgram", OK, "connected"),
            by_name("an abstract name of nobody", "@netkit-absent", ECONNREFUSED, "refused")
                .because("no socket"),
            // Abstract names of each type are apart, unlike files.
            by_name("an abstract name, other type", "@netkit-dgram", ECONNREFUSED, "refused")
                .because("dgram"),
        ]
    }

    /// What a user without rights gets.
    pub fn rows_of_nobody(&self) -> Vec<Row> {
        let row = |name: &str, file, code, outcome| {
            Row::at_once(name, &format!("unix:{}", self.path(file).display()), code, outcome)
        };
        vec![
            row("mode 0666", "everybodys", OK, "connected"),
            row("mode 0600", "owners", EACCES, "denied").because("write"),
            row("mode 0444: to connect is to write", "readable", EACCES, "denied").because("write"),
            row("in a directory of mode 0700", "closed/socket", EACCES, "denied").because("search"),
            row("absent", "absent", ENOENT, "local_error").because("does not exist"),
        ]
    }
}

/// A Unix socket bound to `path`.
pub fn bound(path: &Path, kind: Type) -> Socket {
    let socket = Socket::new(Domain::UNIX, kind, None).unwrap();
    socket.bind(&SockAddr::unix(path).unwrap()).unwrap();
    socket
}

/// A stream that is connected to `path`.
pub fn connect(path: &Path) -> Socket {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.connect(&SockAddr::unix(path).unwrap()).unwrap();
    socket
}

fn listening(path: &Path, kind: Type) -> Socket {
    let socket = bound(path, kind);
    // Nobody accepts, and all rows connect to the same few.
    socket.listen(1024).unwrap();
    socket
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}
