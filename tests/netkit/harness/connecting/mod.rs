//! What stands in the way of a connection, what the kernel says of it to Python, and what netkit
//! makes of it. A row is one obstacle; the tables of rows are in the files of their families.

pub mod compare;
pub mod inet;
pub mod oracle;
pub mod sandbox;
pub mod street;
pub mod unix;
pub mod unrouted;

pub use compare::{Place, compare};
pub use street::Street;

/// The ways to ask, as netkit's options; Python's are in oracle.py.
pub const MODES: [(&str, &str); 3] =
    [("block", "--block"), ("timeout", "--timeout 2s"), ("nonblock", "--nonblock --timeout 2s")];

/// `ECONNREFUSED` and the other codes of the tables, by their C names.
pub mod code {
    pub const OK: i32 = 0;
    pub const EPERM: i32 = 1;
    pub const ENOENT: i32 = 2;
    pub const EAGAIN: i32 = 11;
    pub const EACCES: i32 = 13;
    pub const ENOTDIR: i32 = 20;
    pub const EINVAL: i32 = 22;
    pub const ELOOP: i32 = 40;
    pub const ENONET: i32 = 64;
    pub const EPROTO: i32 = 71;
    pub const EPROTOTYPE: i32 = 91;
    pub const ENOPROTOOPT: i32 = 92;
    pub const EOPNOTSUPP: i32 = 95;
    pub const EADDRINUSE: i32 = 98;
    pub const EADDRNOTAVAIL: i32 = 99;
    pub const ENETUNREACH: i32 = 101;
    pub const ETIMEDOUT: i32 = 110;
    pub const ECONNREFUSED: i32 = 111;
    pub const EHOSTDOWN: i32 = 112;
    pub const EHOSTUNREACH: i32 = 113;
    pub const EINPROGRESS: i32 = 115;
}

/// An ICMP error: type, code and who sent it.
pub type Icmp = (u8, u8, &'static str);

/// One obstacle, or none.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is.
    pub name: String,
    /// The target and the options, in netkit's words, which oracle.py knows too.
    pub line: String,
    /// What connect_ex says in the order of [`MODES`].
    pub codes: [i32; 3],
    /// What a non-blocking connect comes to.
    pub later: i32,
    /// What netkit should call it.
    pub outcome: &'static str,
    /// What netkit should have received.
    pub icmp: Option<Icmp>,
    /// The call that fails, where Python raises instead of returning its code.
    pub raises: Option<&'static str>,
    /// A word of the causes that netkit should give.
    pub cause: Option<&'static str>,
}

impl Row {
    /// connect(2) itself fails, so that the mode makes no difference.
    pub fn at_once(name: &str, line: &str, code: i32, outcome: &'static str) -> Self {
        let (name, line) = (name.to_owned(), line.to_owned());
        Self {
            name,
            line,
            codes: [code; 3],
            later: code,
            outcome,
            icmp: None,
            raises: None,
            cause: None,
        }
    }

    /// It does not come to connect(2), since `call` fails.
    pub fn before(name: &str, line: &str, call: &'static str, code: i32) -> Self {
        let outcome = if code == code::EACCES { "denied" } else { "local_error" };
        Self { raises: Some(call), ..Self::at_once(name, line, code, outcome) }
    }

    /// Something answers, after connect(2) has begun.
    pub fn answered(name: &str, line: &str, code: i32, outcome: &'static str) -> Self {
        let codes = [code, code, code::EINPROGRESS];
        Self { codes, ..Self::at_once(name, line, code, outcome) }
    }

    /// Nothing answers: the kernel's code for giving up is not that of a deadline.
    pub fn silent(name: &str, line: &str) -> Self {
        let codes = [code::ETIMEDOUT, code::EAGAIN, code::EINPROGRESS];
        Self { codes, ..Self::at_once(name, line, code::EINPROGRESS, "timed_out") }
    }

    /// A datagram can be sent, and this is what comes of it.
    pub fn datagram(name: &str, line: &str, later: i32, outcome: &'static str) -> Self {
        Self { later, ..Self::at_once(name, line, code::OK, outcome) }
    }

    /// A word without which netkit has not found the cause.
    pub fn because(mut self, cause: &'static str) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The ICMP error that is its reason.
    pub fn icmp(mut self, icmp: Icmp) -> Self {
        self.icmp = Some(icmp);
        self
    }
}
