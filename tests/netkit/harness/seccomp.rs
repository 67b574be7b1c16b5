//! A process that may not use netlink, not make namespaces, or not connect, as under many container runtimes.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

const AF_NETLINK: u64 = 16;
const EPERM: u32 = 1;

/// The number of socket(2).
const SOCKET: i64 = if cfg!(target_arch = "x86_64") { 41 } else { 198 };

/// The number of unshare(2).
const UNSHARE: i64 = if cfg!(target_arch = "x86_64") { 272 } else { 97 };

/// The number of bind(2).
const BIND: i64 = if cfg!(target_arch = "x86_64") { 49 } else { 200 };
/// The number of connect(2).
const CONNECT: i64 = if cfg!(target_arch = "x86_64") { 42 } else { 203 };
/// The number of accept4(2).
const ACCEPT4: i64 = if cfg!(target_arch = "x86_64") { 288 } else { 242 };

/// The number of pidfd_getfd(2), the same everywhere.
const PIDFD_GETFD: i64 = 438;

/// Calls `body` on a thread where `socket(AF_NETLINK, …)` fails with EPERM; programs that it starts
/// inherit that.
pub fn without_netlink<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    let is_netlink =
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, AF_NETLINK);
    let rule = SeccompRule::new(vec![is_netlink.unwrap()]).unwrap();
    confined((SOCKET, EPERM), vec![rule], body)
}

/// The same where unshare(2) fails with EPERM.
pub fn without_unshare<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    confined((UNSHARE, EPERM), Vec::new(), body)
}

/// The same where connect(2) fails with EPERM, whatever the family.
pub fn without_connect<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    confined((CONNECT, EPERM), Vec::new(), body)
}

/// The same where bind(2) fails with EPERM.
pub fn without_bind<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    confined((BIND, EPERM), Vec::new(), body)
}

/// The same where pidfd_getfd(2) fails with EPERM.
pub fn without_pidfd_getfd<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    confined((PIDFD_GETFD, EPERM), Vec::new(), body)
}

/// The same where accept4(2) fails with `errno`.
pub fn without_accept<T: Send>(errno: u32, body: impl FnOnce() -> T + Send) -> T {
    confined((ACCEPT4, errno), Vec::new(), body)
}

/// Calls `body` where the system call fails so if a rule applies, or in any case if there is none.
fn confined<T: Send>(
    call: (i64, u32),
    rules: Vec<SeccompRule>,
    body: impl FnOnce() -> T + Send,
) -> T {
    std::thread::scope(|scope| {
        let confined = scope.spawn(|| {
            seccompiler::apply_filter(&filter(call, rules)).unwrap();
            body()
        });
        confined.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn filter((call, errno): (i64, u32), rules: Vec<SeccompRule>) -> BpfProgram {
    let filter = SeccompFilter::new(
        BTreeMap::from([(call, rules)]),
        SeccompAction::Allow,
        SeccompAction::Errno(errno),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    filter.unwrap().try_into().unwrap()
}
