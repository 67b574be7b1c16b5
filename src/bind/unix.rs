//! Unix sockets: who has a name, and whether a socket file is one that nobody has open any more.

use std::collections::HashSet;
use std::path::Path;

use super::blockers::{Blocker, Role};
use crate::catalogue::errnos;
use crate::kernel::owners::Holders;
use crate::kernel::sock_diag::UnixSocket;
use crate::kernel::unix_binding::{FileKind, UnixType, file_kind, try_unix_connect};
use crate::kernel::{KernelError, ProcRoot, unix_sockets};
use crate::model::{TcpState, UnixName};

/// Who has a name, and what has to be known about that.
#[derive(Debug, Default)]
pub struct UnixSurvey {
    /// The sockets or the file.
    pub blockers: Vec<Blocker>,
    /// Processes that could not be looked into.
    pub hidden_processes: u64,
    /// What has to be known.
    pub warnings: Vec<String>,
}

/// Looks for whoever has `name`, which bind(2) refused with EADDRINUSE.
pub fn look(
    name: &UnixName,
    kind: UnixType,
    proc_root: &ProcRoot,
) -> Result<UnixSurvey, KernelError> {
    let (sockets, warning) = unix_sockets::named(proc_root)?;
    let file = match name {
        UnixName::Path(path) => file_kind(path),
        UnixName::Abstract(_) => FileKind::Nothing,
    };
    let is_it = |socket: &&UnixSocket| match (name, file) {
        (UnixName::Abstract(_), _) => socket.kind == kind.number() && socket.has_name(name),
        // Overlay and btrfs give stat(2) another device than the socket table.
        (UnixName::Path(_), FileKind::Socket(file)) => match socket.file {
            Some(own) => own == file || (own.inode == file.inode && socket.has_name(name)),
            None => socket.has_name(name),
        },
        (UnixName::Path(_), _) => false,
    };
    // A connection has its listener's name too, and holds nothing.
    let holds = |socket: &&UnixSocket| {
        socket.state != TcpState::ESTABLISHED || socket.kind == UnixType::Dgram.number()
    };
    let found: Vec<&UnixSocket> = sockets.iter().filter(is_it).filter(holds).collect();
    if found.is_empty() {
        let blockers = match name {
            UnixName::Path(path) => vec![file_blocker(path, kind, file, warning.is_some())?],
            UnixName::Abstract(_) => Vec::new(),
        };
        return Ok(UnixSurvey {
            blockers,
            hidden_processes: 0,
            warnings: warning.into_iter().collect(),
        });
    }
    let inodes: HashSet<u32> = found.iter().map(|socket| socket.inode).collect();
    let holders = Holders::of(&inodes, proc_root);
    let live = |socket: &&UnixSocket| {
        let own = holders.holders.iter().filter(|holder| holder.inode == socket.inode);
        Blocker {
            state: Some(socket.state),
            inode: Some(socket.inode),
            owners: own.cloned().collect(),
            ..nameless(Role::UnixLive, name)
        }
    };
    Ok(UnixSurvey {
        blockers: found.iter().map(live).collect(),
        hidden_processes: holders.hidden_processes,
        warnings: warning.into_iter().collect(),
    })
}

/// What the file at `path` is, which no socket of this network namespace has.
fn file_blocker(
    path: &Path,
    kind: UnixType,
    file: FileKind,
    is_from_text: bool,
) -> Result<Blocker, KernelError> {
    let name = UnixName::Path(path.to_owned());
    let (role, why) = match file {
        FileKind::Socket(_) => match errnos::name(try_unix_connect(path, kind)?).as_str() {
            // The text table does not tell which file a socket has.
            "ECONNREFUSED" if is_from_text => (Role::UnixLive, Some(NO_TABLE)),
            "ECONNREFUSED" => (Role::UnixStale, None),
            // It answered, is of another type, or its queue is full.
            "OK" | "EPROTOTYPE" | "EAGAIN" => (Role::UnixLive, Some(ELSEWHERE)),
            "ENOENT" => (Role::Path, Some("it was there, and is gone by now")),
            _ => (Role::UnixLive, Some(NO_ACCESS)),
        },
        FileKind::DanglingLink => (Role::Path, Some("a symbolic link to nothing")),
        FileKind::Directory => (Role::Path, Some("a directory")),
        FileKind::Other => (Role::Path, Some("a file that is no socket")),
        FileKind::Nothing => (Role::Path, Some("it was there, and is gone by now")),
    };
    Ok(Blocker { why, ..nameless(role, &name) })
}

const ELSEWHERE: &str = "it answers, but its socket is in another network namespace";
const NO_TABLE: &str = "connect() is refused: stale, or bound and not listening, which \
                        /proc/net/unix does not tell";
/// What is said of a file that cannot be judged.
pub const NO_ACCESS: &str =
    "this user may not connect to it, so whether anybody has it open is unknown";

fn nameless(role: Role, name: &UnixName) -> Blocker {
    Blocker {
        role,
        state: None,
        local: name.to_string(),
        remote: None,
        expires_ms: None,
        uid: None,
        inode: None,
        owners: Vec::new(),
        reuse_addr: None,
        reuse_port: None,
        v6only: None,
        why: None,
    }
}
