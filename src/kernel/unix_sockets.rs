//! The Unix sockets that have a given name, from sock_diag, and where that is refused from
//! /proc/net/unix.

use std::os::unix::ffi::OsStrExt as _;

use super::proc_root::read_text;
use super::sock_diag::{DumpNotes, SockDiag, UnixSocket};
use super::{KernelError, ProcRoot};
use crate::model::{TcpState, UnixName};

/// Every Unix socket of the network namespace that has a name, and a warning if they could only be
/// read from /proc.
pub fn named(proc_root: &ProcRoot) -> Result<(Vec<UnixSocket>, Option<String>), KernelError> {
    let mut sockets = Vec::new();
    let mut notes = DumpNotes::default();
    let dumped = SockDiag::open()
        .and_then(|mut diag| diag.dump_unix(&mut notes, &mut |socket| sockets.push(socket)));
    let warning = match dumped {
        Ok(()) => None,
        Err(refusal) => {
            let text = read_text(&proc_root.net("unix"))?;
            sockets = text.lines().skip(1).filter_map(parse_line).collect();
            Some(format!(
                "{refusal}; read from /proc/net/unix, which does not tell which file a socket has"
            ))
        }
    };
    sockets.retain(|socket| !socket.name.is_empty());
    Ok((sockets, warning))
}

/// `Num: RefCount Protocol Flags Type St Inode Path` (`net/unix/af_unix.c`, `unix_seq_show`); an
/// abstract name begins with `@`, which is indistinguishable from a file of that name.
fn parse_line(line: &str) -> Option<UnixSocket> {
    /// `__SO_ACCEPTCON`: listening.
    const LISTENING: u32 = 1 << 16;
    /// `SS_CONNECTED`, of the states of struct socket.
    const CONNECTED: u32 = 3;
    let mut fields = line.split_ascii_whitespace();
    let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
    let kind = u8::from_str_radix(fields.next()?, 16).ok()?;
    let state = u32::from_str_radix(fields.next()?, 16).ok()?;
    let inode: u64 = fields.next()?.parse().ok()?;
    let (_, name) = line.split_once(&format!(" {inode} "))?;
    let mut name = name.as_bytes().to_vec();
    if let Some(first @ b'@') = name.first_mut() {
        *first = 0;
    }
    Some(UnixSocket {
        kind,
        state: match (flags & LISTENING, state) {
            (LISTENING, _) => TcpState::LISTEN,
            (_, CONNECTED) => TcpState::ESTABLISHED,
            _ => TcpState::CLOSE,
        },
        inode: u32::try_from(inode & u64::from(u32::MAX)).ok()?,
        name,
        file: None,
    })
}

impl UnixSocket {
    /// Whether bind(2) got this very name for it; a relative path is the same only as text.
    pub fn has_name(&self, name: &UnixName) -> bool {
        match name {
            UnixName::Path(path) => {
                let own = self.name.split(|byte| *byte == 0).next();
                own == Some(path.as_os_str().as_bytes())
            }
            UnixName::Abstract(name) => self.name.split_first() == Some((&0, name.as_slice())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_is_a_socket() {
        let line = "0000000000000000: 00000002 00000000 00010000 0001 01 22863 /run/a b.sock";
        let socket = parse_line(line).unwrap();
        assert_eq!((socket.state, socket.inode, socket.kind), (TcpState::LISTEN, 22863, 1));
        assert!(socket.has_name(&UnixName::Path("/run/a b.sock".into())));
        let line = "0000000000000000: 00000002 00000000 00000000 0002 01 22864 @blue";
        assert!(parse_line(line).unwrap().has_name(&UnixName::Abstract(b"blue".to_vec())));
        assert_eq!(parse_line("Num       RefCount"), None);
    }
}
