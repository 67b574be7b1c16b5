//! The four ways to bind beside a TCP socket in each state, with each option of its owner's, for
//! the owner and for another user: what netkit says, what the kernel says, and the table.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::harness::binding::{IN_USE, OK, REUSE, Reuse, User, bind_codes};
use crate::harness::conditions::{Condition, Occupant};
use crate::harness::judgement::{codes, judge, judged};
use crate::harness::{Need, Nobody, live};

/// What is on the port, and the options of the one who put it there.
type Row = (&'static [Occupant], Reuse, Columns, Columns);
/// For a new socket with neither option, `SO_REUSEADDR`, `SO_REUSEPORT`, both: `E` where it cannot
/// bind, `-` where it can. First for the owner's user, then for another.
type Columns = &'static str;

const LISTENER: &[Occupant] = &[Occupant::Listener];
const BOUND: &[Occupant] = &[Occupant::Bound];
const CHILDREN: &[Occupant] = &[
    Occupant::Established,
    Occupant::CloseWait,
    Occupant::LastAck,
    Occupant::FinWait2,
    Occupant::FinWait1Orphan,
];
const MINIS: &[Occupant] =
    &[Occupant::FinWait2Mini, Occupant::TimeWait, Occupant::TimeWaitOfBoundClient];
const OUTGOING: &[Occupant] = &[Occupant::OutgoingEstablished, Occupant::OutgoingSynSent];
const OUTGOING_MINI: &[Occupant] = &[Occupant::OutgoingTimeWait];

/// Measured on Linux 6.18. The rule is `inet_bind_conflict` in net/ipv4/inet_connection_sock.c.
const TABLE: [Row; 24] = [
    (LISTENER, Reuse::No, "EEEE", "EEEE"),
    (LISTENER, Reuse::Addr, "EEEE", "EEEE"),
    (LISTENER, Reuse::Port, "EE--", "EEEE"),
    (LISTENER, Reuse::Both, "EE--", "EEEE"),
    (BOUND, Reuse::No, "EEEE", "EEEE"),
    (BOUND, Reuse::Addr, "E-E-", "E-E-"),
    (BOUND, Reuse::Port, "EE--", "EEEE"),
    (BOUND, Reuse::Both, "E---", "E-E-"),
    (CHILDREN, Reuse::No, "EEEE", "EEEE"),
    (CHILDREN, Reuse::Addr, "E-E-", "E-E-"),
    (CHILDREN, Reuse::Port, "EE--", "EEEE"),
    (CHILDREN, Reuse::Both, "E---", "E-E-"),
    (MINIS, Reuse::No, "EEEE", "EEEE"),
    (MINIS, Reuse::Addr, "E-E-", "E-E-"),
    (MINIS, Reuse::Port, "EE--", "EE--"),
    (MINIS, Reuse::Both, "E---", "E---"),
    (OUTGOING, Reuse::No, "EEEE", "EEEE"),
    // A client that set an option and did not bind: that the kernel chose the port does not matter.
    (OUTGOING, Reuse::Addr, "E-E-", "E-E-"),
    (OUTGOING, Reuse::Port, "EE--", "EEEE"),
    (OUTGOING, Reuse::Both, "E---", "E-E-"),
    (OUTGOING_MINI, Reuse::No, "EEEE", "EEEE"),
    (OUTGOING_MINI, Reuse::Addr, "E-E-", "E-E-"),
    (OUTGOING_MINI, Reuse::Port, "EE--", "EE--"),
    (OUTGOING_MINI, Reuse::Both, "E---", "E---"),
];

/// One occupant with its options, and the user who asks.
#[derive(Clone, Copy, Debug)]
struct Case {
    occupant: Occupant,
    owner: Reuse,
    user: User,
    table: Columns,
}

/// The cases of these rows, each for both users.
fn cases(rows: &[Occupant]) -> Vec<Case> {
    let row = |(occupants, owner, same, other): &Row| {
        let owner = *owner;
        let columns = [(User::Owner, *same), (User::Nobody, *other)];
        occupants.iter().flat_map(move |&occupant| {
            columns.map(|(user, table)| Case { occupant, owner, user, table })
        })
    };
    TABLE.iter().filter(|(occupants, ..)| rows == *occupants).flat_map(row).collect()
}

impl Case {
    /// A port where it is so. What the kernel and netkit are asked about is never the same one:
    /// a bind may change the answer to the next.
    fn make(self) -> Condition {
        Condition::new(self.occupant, self.owner)
    }

    fn by_netkit(self, nobody: &Nobody) -> (Condition, Value) {
        let condition = self.make();
        let line = format!("bind --json {}", condition.local);
        let answer = match self.user {
            User::Owner => judge(&condition.local.to_string()),
            User::Nobody => judged(nobody.netkit(&line)),
        };
        (condition, answer)
    }

    /// What is wrong, a line for each column and for each member of the blocker.
    fn complaints(self, nobody: &Nobody) -> String {
        let by_kernel = bind_codes(self.make().local, self.user);
        let (condition, answer) = self.by_netkit(nobody);
        let by_netkit = codes(&answer);
        let mut text = String::new();
        for (at, column) in REUSE.into_iter().enumerate() {
            let table = if &self.table[at..=at] == "E" { IN_USE } else { OK };
            let (kernel, netkit) = (by_kernel[at], by_netkit[at]);
            if (kernel, netkit) != (table, table) {
                writeln!(
                    text,
                    "{self:?}, new socket with {column:?}: table {table}, kernel {kernel}, netkit \
                     {netkit}"
                )
                .unwrap();
            }
        }
        let blockers = answer["blockers"].as_array().unwrap();
        if blockers.len() != 1 {
            writeln!(text, "{self:?}: not one blocker\n{answer:#}").unwrap();
        }
        let can_be_hidden = self.user == User::Nobody && condition.descriptor().is_some();
        if (answer["blockers_hidden_processes"] != 0) != can_be_hidden {
            writeln!(text, "{self:?}: hidden {}", answer["blockers_hidden_processes"]).unwrap();
        }
        if self.user == User::Owner {
            text += &self.judged_for_options(&condition);
        }
        for (member, got, expected) in blockers.iter().flat_map(|it| self.members(&condition, it)) {
            if got != expected {
                writeln!(text, "{self:?}, {member}: {got}, and should be {expected}").unwrap();
            }
        }
        text
    }

    /// The role, where it is right: a connection out whose owner shares its port may as well be one
    /// of a client that had bound it.
    fn role(self, role: &Value) -> Value {
        let is_shared = self.occupant.is_outgoing() && self.owner != Reuse::No;
        if is_shared && role == "either" { json!("outgoing") } else { role.clone() }
    }

    /// The same for one who asks for options: the answer is theirs, and who refuses is the same.
    fn judged_for_options(self, condition: &Condition) -> String {
        let mut text = String::new();
        for (reuse, cell) in REUSE.into_iter().zip(self.table.chars()).skip(1) {
            let answer = judge(&format!("{} {}", condition.local, reuse.words()));
            let expected = if cell == 'E' { (IN_USE, 1) } else { (OK, 0) };
            let blockers = answer["blockers"].as_array().unwrap().len();
            if answer["code"] != expected.0 || blockers != expected.1 {
                writeln!(text, "{self:?}, asked with {reuse:?}: {answer:#}").unwrap();
            }
        }
        text
    }

    /// Members of the blocker as they are, and as they should be.
    fn members(self, condition: &Condition, blocker: &Value) -> Vec<(&'static str, Value, Value)> {
        let holders: Vec<_> = blocker["owners"].as_array().unwrap().iter().collect();
        let holders = holders.iter().map(|it| json!([it["pid"], it["fd"], it["uid"]])).collect();
        let own = |fd| json!([[std::process::id(), fd, 0]]);
        let holder = condition.descriptor().filter(|_| self.user == User::Owner);
        let get = |name: &str| blocker[name].clone();
        let mut members = vec![
            ("state", get("state"), json!(self.occupant.state())),
            ("role", self.role(&get("role")), json!(self.occupant.role())),
            ("why is said", json!(get("why").is_string()), json!(get("role") == "either")),
            ("local", get("local"), json!(condition.local.to_string())),
            ("remote", get("remote"), json!(condition.remote.map(|it| it.to_string()))),
            ("owners", Value::Array(holders), holder.map_or(json!([]), own)),
            ("a timer", json!(get("expires_ms").is_i64()), json!(self.occupant.is_mini())),
            ("v6only", get("v6only"), Value::Null),
        ];
        if condition.descriptor().is_some() {
            members.push(("uid", get("uid"), json!(0)));
            members.push(("inode", json!(get("inode").is_i64()), json!(true)));
        }
        if self.occupant.is_outgoing() {
            members.push(("a bind is claimed", json!(claims_a_bind(blocker)), json!(false)));
        }
        for (name, is_set) in [("reuse_addr", self.owner.addr()), ("reuse_port", self.owner.port())]
        {
            // The owner's own is read by root; of what no program has, the probes prove it.
            let is_known = holder.is_some() || self.occupant.is_mini() || get(name) != Value::Null;
            members.extend(is_known.then(|| (name, get(name), json!(is_set))));
        }
        members
    }
}

/// Whether it is said that the client had bound its port, and not that it may have: one that set an
/// option and let the kernel choose leaves the same.
fn claims_a_bind(blocker: &Value) -> bool {
    blocker["why"].as_str().is_some_and(|why| why.contains("bound") && !why.contains("or "))
}

/// Compares all cases of these rows.
fn compare(rows: &[Occupant]) {
    let nobody = Nobody::new();
    let wrong: String = cases(rows).iter().map(|case| case.complaints(&nobody)).collect();
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn beside_a_listener() {
    live(&[Need::Root, Need::Setpriv], || compare(LISTENER));
}

#[test]
fn beside_a_bound_socket() {
    live(&[Need::Root, Need::Setpriv], || compare(BOUND));
}

#[test]
fn beside_a_connection_that_outlived_its_listener() {
    live(&[Need::Root, Need::Setpriv], || compare(CHILDREN));
}

#[test]
fn beside_what_a_closed_connection_leaves() {
    live(&[Need::Root, Need::Setpriv], || compare(MINIS));
}

#[test]
fn on_the_port_that_the_kernel_chose_for_a_connection_out() {
    live(&[Need::Root, Need::Setpriv], || compare(OUTGOING));
}

#[test]
fn on_the_port_of_a_connection_out_that_is_closed() {
    live(&[Need::Root, Need::Setpriv], || compare(OUTGOING_MINI));
}
