//! Causes of a Unix socket's refusal.

use serde_json::json;

use super::Diagnosis;
use crate::catalogue::errnos;
use crate::catalogue::findings::{
    CONNECT_ACCEPT_QUEUE_FULL, CONNECT_NOT_LISTENING, CONNECT_STALE_SOCKET, CONNECT_UNIX_DENIED,
};
use crate::connect::attempt::Attempt;
use crate::connect::evidence::{Barrier, Evidence, UnixEvidence};
use crate::kernel::unix_binding::{FileKind, UnixType};
use crate::model::{Severity, TcpState, UnixName};

/// Judges an attempt at `name`, of a socket of this type.
pub fn judge(
    attempt: &Attempt,
    (name, kind): (&UnixName, UnixType),
    evidence: &Evidence,
    diagnosis: &mut Diagnosis,
) {
    let Some(seen) = &evidence.unix else { return };
    match attempt.code {
        errnos::ECONNREFUSED => refused(name, kind, seen, diagnosis),
        errnos::EAGAIN if attempt.deadline => {
            let message = "the backlog of the listener is full: its program does not accept";
            let advice = [
                "look at the server: it is stuck, or too slow".to_owned(),
                "a larger backlog in its listen(), cut to net.core.somaxconn, takes more at once"
                    .to_owned(),
            ];
            let id = (CONNECT_ACCEPT_QUEUE_FULL, Severity::Critical);
            diagnosis.found(id, message.to_owned(), json!({}), &advice);
        }
        errnos::EPROTOTYPE => wrong_type(seen, diagnosis),
        errnos::EACCES | errnos::ENOENT => barrier(seen, diagnosis),
        _ => {}
    }
}

fn refused(name: &UnixName, kind: UnixType, seen: &UnixEvidence, diagnosis: &mut Diagnosis) {
    let is_bound = |(number, state): &&(u8, TcpState)| {
        *number == kind.number() && *state != TcpState::LISTEN && *state != TcpState::ESTABLISHED
    };
    match seen.file {
        FileKind::Directory => {
            diagnosis.cause("it is a directory, and no socket");
            diagnosis.advise(format!("write the path of the socket: `ls -l {}`", path(name)));
        }
        FileKind::Other => {
            diagnosis.cause("it is a file that is no socket");
            diagnosis.advise(format!("correct the path: `ls -l {}`", path(name)));
        }
        FileKind::DanglingLink | FileKind::Nothing | FileKind::Socket(_)
            if seen.sockets.iter().find(is_bound).is_some() =>
        {
            let message = format!("a socket is bound to {name}, and has not called listen()");
            let advice =
                ["the server is starting, or stuck before listen(): `netkit wait` waits"
                    .to_owned()];
            diagnosis.found(
                (CONNECT_NOT_LISTENING, Severity::Critical),
                message,
                json!({}),
                &advice,
            );
        }
        FileKind::Socket(_) => {
            let message =
                "the socket file is stale: no socket of this network namespace has it any more"
                    .to_owned();
            let advice = [
                "start the server; if it says \"Address already in use\", remove the file first"
                    .to_owned(),
                format!("netkit bind {name} tells more"),
            ];
            diagnosis.found(
                (CONNECT_STALE_SOCKET, Severity::Critical),
                message,
                json!({}),
                &advice,
            );
        }
        // Abstract names of each type are apart (`unix_find_abstract`), so the kernel does not tell.
        FileKind::Nothing if !seen.sockets.is_empty() => wrong_type(seen, diagnosis),
        FileKind::DanglingLink | FileKind::Nothing => {
            diagnosis.cause("no socket of this network namespace has that name");
            diagnosis
                .advise("start the server; an abstract name is of one network namespace alone");
        }
    }
}

fn path(name: &UnixName) -> String {
    name.to_string().trim_start_matches("unix:").to_owned()
}

fn wrong_type(seen: &UnixEvidence, diagnosis: &mut Diagnosis) {
    let word = match seen.sockets.first() {
        Some((1, _)) => "stream",
        Some((2, _)) => "dgram",
        Some((5, _)) => "seqpacket",
        _ => return,
    };
    diagnosis.cause(format!("the socket there is of the type {word}"));
    diagnosis.advise(format!("--type {word}"));
}

fn barrier(seen: &UnixEvidence, diagnosis: &mut Diagnosis) {
    let Some((path, barrier)) = &seen.barrier else { return };
    let (message, advice) = match barrier {
        Barrier::Missing => {
            diagnosis.cause(format!("`{path}` does not exist"));
            return;
        }
        Barrier::NoSearch => (
            format!("this user may not search the directory `{path}`"),
            format!("`ls -ld {path}`: it takes the right `x` there"),
        ),
        Barrier::NoWrite => (
            format!("this user may not write to `{path}`, which connect() takes"),
            format!("`ls -l {path}`: the group of the socket, and who is in it"),
        ),
    };
    let found = json!({ "path": path });
    diagnosis.found((CONNECT_UNIX_DENIED, Severity::Critical), message, found, &[advice]);
}
