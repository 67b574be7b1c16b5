//! What each error of bind(2) and listen(2) says about the address that was asked for.
//!
//! Sources: bind(2), listen(2), ip(7), ipv6(7), unix(7); `net/ipv4/af_inet.c`, `__inet_bind`;
//! `net/ipv4/inet_connection_sock.c`, `inet_csk_get_port`; `net/unix/af_unix.c`, `unix_bind`.

/// A name and its meaning, a sentence without a full stop.
pub type BindErrno = (&'static str, &'static str);

/// Of Internet sockets.
pub const INTERNET: [BindErrno; 7] = [
    ("EADDRINUSE", "a socket that may not share the port holds it"),
    ("EADDRNOTAVAIL", "the address is none of this network namespace's"),
    ("EACCES", "the port is privileged, and this user may not bind privileged ports"),
    ("EPERM", "a security policy (cgroup BPF, seccomp, LSM) forbids the bind"),
    ("EINVAL", "the address is not complete or not fit for this socket"),
    ("ENODEV", "there is no such interface"),
    ("EAFNOSUPPORT", "the kernel has no such address family, or it is switched off"),
];

/// Of Unix sockets.
pub const UNIX: [BindErrno; 10] = [
    ("EADDRINUSE", "the name is taken: by a socket, or at a path by any file at all"),
    ("ENOENT", "a directory of the path does not exist"),
    ("ENOTDIR", "a part of the path is not a directory"),
    ("EACCES", "this user may not write in the directory, or not search one on the way"),
    ("EPERM", "the file system does not allow socket files, or a policy forbids the bind"),
    ("EROFS", "the file system is read-only"),
    ("ELOOP", "too many symbolic links on the way"),
    ("ENAMETOOLONG", "a part of the path is too long"),
    ("ENOSPC", "the file system is full"),
    ("EINVAL", "the name is not fit for a Unix socket"),
];

/// EACCES of a port that every user may bind.
pub const FORBIDDEN: &str =
    "a security policy (cgroup BPF, SELinux, AppArmor, seccomp) forbids the bind";

/// EADDRINUSE of port 0, which asks for any port.
pub const NO_PORT_LEFT: &str =
    "every port of net.ipv4.ip_local_port_range that is not reserved is taken";

/// What the error `name` of bind(2) means for an Internet socket.
pub fn internet(name: &str) -> &'static str {
    meaning(&INTERNET, name)
}

/// What the error `name` of bind(2) means for a Unix socket.
pub fn unix(name: &str) -> &'static str {
    meaning(&UNIX, name)
}

/// The same, where bind(2) is known to give that error.
pub fn of_internet(name: &str) -> Option<&'static str> {
    find(&INTERNET, name)
}

/// The same for a Unix socket.
pub fn of_unix(name: &str) -> Option<&'static str> {
    find(&UNIX, name)
}

fn meaning(table: &[BindErrno], name: &str) -> &'static str {
    match (name, find(table, name)) {
        ("OK", _) => "such a bind succeeds now",
        (_, Some(meaning)) => meaning,
        (_, None) => "an error that bind(2) does not document",
    }
}

fn find(table: &[BindErrno], name: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning)
}
