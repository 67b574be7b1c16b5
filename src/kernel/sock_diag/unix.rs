//! Unix sockets: the request, and the rows (`include/uapi/linux/unix_diag.h`).
//!
//! /proc/net/unix has the path that a program gave to bind(2), which may be relative, or a path of
//! another root. Here the kernel also tells which file it is.

use super::wire::{SOCK_DIAG_BY_FAMILY, attribute, dump_request, u32_at};
use crate::model::TcpState;

const AF_UNIX: u8 = 1;
/// `UDIAG_SHOW_NAME | UDIAG_SHOW_VFS`.
const SHOW: u32 = 1 | 2;
/// Size of `struct unix_diag_msg`; attributes follow.
const ROW: usize = 16;
/// `UNIX_DIAG_NAME`: the name as bind(2) got it, a zero byte first if it is an abstract one.
const ATTRIBUTE_NAME: u16 = 0;
/// `UNIX_DIAG_VFS`: the file's inode and device.
const ATTRIBUTE_VFS: u16 = 1;

/// A Unix socket that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// `SOCK_STREAM` 1, `SOCK_DGRAM` 2 or `SOCK_SEQPACKET` 5.
    pub kind: u8,
    /// LISTEN, ESTABLISHED, or CLOSE for one that is not connected.
    pub state: TcpState,
    /// The socket's own inode, as in `socket:[inode]`.
    pub inode: u32,
    /// The name as bind(2) got it, a zero byte first if it is an abstract one; empty without one.
    pub name: Vec<u8>,
    /// Its file. Gone with the socket, not with the file's name.
    pub file: Option<SocketFile>,
}

/// The file of a Unix socket, as the kernel's socket table names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketFile {
    /// The low 32 bits of the inode.
    pub inode: u32,
    /// The device in the kernel's own form: twelve bits major, twenty bits minor (`MKDEV`).
    pub device: u32,
}

/// `struct unix_diag_req`: family, protocol, padding; states; inode; what to show; cookie.
pub(super) fn unix_request(sequence: u32) -> Vec<u8> {
    let mut body = vec![AF_UNIX, 0, 0, 0];
    body.extend(u32::MAX.to_ne_bytes());
    body.extend(0_u32.to_ne_bytes());
    body.extend(SHOW.to_ne_bytes());
    body.extend([0; 8]);
    dump_request(SOCK_DIAG_BY_FAMILY, sequence, &body)
}

/// Reads one row. `None` if it is shorter than `struct unix_diag_msg` or of another family.
pub fn decode_unix(payload: &[u8]) -> Option<UnixSocket> {
    let row: &[u8; ROW] = payload.first_chunk()?;
    let attributes = payload.get(ROW..).unwrap_or_default();
    let vfs = attribute(attributes, ATTRIBUTE_VFS).and_then(<[u8]>::first_chunk::<8>);
    (row[0] == AF_UNIX).then(|| UnixSocket {
        kind: row[1],
        state: TcpState::from_kernel(row[2]),
        inode: u32_at(row, 4),
        name: attribute(attributes, ATTRIBUTE_NAME).unwrap_or_default().to_vec(),
        file: vfs.map(|vfs| SocketFile { inode: u32_at(vfs, 0), device: u32_at(vfs, 4) }),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_row_has_its_name_and_its_file() {
        let mut row = vec![1, 1, 10, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        row.extend([10, 0, 0, 0]);
        row.extend(b"/run/a\0\0");
        row.extend([12, 0, 1, 0, 9, 1, 0, 0, 26, 0, 0, 0]);
        let socket = decode_unix(&row).unwrap();
        assert_eq!((socket.state, socket.inode), (TcpState::LISTEN, 7));
        let file = Some(SocketFile { inode: 265, device: 26 });
        assert_eq!((&socket.name[..6], socket.file), (&b"/run/a"[..], file));
        assert_eq!(decode_unix(&row[..15]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            decode_unix(&bytes);
        }
    }
}
