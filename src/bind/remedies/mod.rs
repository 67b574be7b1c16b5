//! What helps and what does not, in this very case. Nothing here opens anything: what is `verified`
//! was tried by `probe.rs`.

mod in_use;
mod refused;

use serde::Serialize;

use super::blockers::{Blocker, Role};
pub use in_use::{Situation, in_use};
pub use refused::{
    Privilege, Unavailable, forbidden, no_scope, not_available, not_permitted, other, unix,
};

/// Something that one could do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// A stable name.
    pub id: &'static str,
    /// What to do and what comes of it, in a sentence without a full stop.
    pub text: String,
    /// Whether it was tried just now.
    pub verified: bool,
    /// Whether it helps.
    pub helps: bool,
}

fn expected(id: &'static str, text: impl Into<String>) -> Remedy {
    Remedy { id, text: text.into(), verified: false, helps: true }
}

fn tried(id: &'static str, helps: bool, text: impl Into<String>) -> Remedy {
    Remedy { id, text: text.into(), verified: true, helps }
}

fn myth(id: &'static str, text: &str) -> Remedy {
    Remedy { id, text: text.to_owned(), verified: false, helps: false }
}

/// Who has to stop, in one sentence for all that have the sockets, and what comes of it.
fn stop_owners(blockers: &[Blocker], hidden_processes: u64) -> Vec<Remedy> {
    let mut processes: Vec<(i32, &str)> = Vec::new();
    for owner in blockers.iter().flat_map(|it| &it.owners) {
        if processes.iter().all(|(pid, _)| *pid != owner.pid) {
            processes.push((owner.pid, &owner.name));
        }
    }
    let aftermath = aftermath(blockers);
    let mut remedies = Vec::new();
    if let [(pid, name), others @ ..] = processes.as_slice() {
        let who = match name {
            &"" => format!("process {pid}"),
            name => format!("{name} (pid {pid})"),
        };
        let others = match others.len() {
            0 => String::new(),
            1 => " and the other process that has it open".to_owned(),
            more => format!(" and the {more} other processes that have it open"),
        };
        remedies.push(expected("stop_owner", format!("stop {who}{others}{aftermath}")));
    }
    let is_hidden = |it: &&Blocker| it.owners.is_empty() && it.uid.is_some();
    if let Some(uid) = blockers.iter().find(is_hidden).and_then(|it| it.uid) {
        let where_ = if hidden_processes > 0 {
            "netkit as root names it"
        } else {
            "netkit outside of this PID namespace names it"
        };
        let text = format!("stop the program of user {uid} that has it; {where_}{aftermath}");
        remedies.push(expected("stop_owner", text));
    }
    remedies
}

/// What is left of connections when their program is stopped.
fn aftermath(blockers: &[Blocker]) -> &'static str {
    let has = |role| blockers.iter().any(|it| it.role == role);
    let is_open = |it: &Blocker| it.role == Role::Accepted && !it.is_mini();
    let shares = blockers.iter().filter(|it| it.role == Role::Listener || is_open(it));
    if has(Role::Outgoing) {
        "; where it closes first, the port stays taken for 60 s more"
    } else if !blockers.iter().any(is_open) {
        ""
    } else if shares.map(|it| it.reuse_addr).all(|it| it == Some(true)) {
        "; its connections stay in TIME_WAIT for 60 s, which SO_REUSEADDR gets past"
    } else {
        "; its connections stay in TIME_WAIT for 60 s, and refuse a bind until then"
    }
}
