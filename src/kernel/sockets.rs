//! The socket tables, whichever way they are read: `sock_diag` where it is allowed, /proc else.

use std::ops::ControlFlow;
use std::os::fd::AsFd as _;

use nix::errno::Errno;
use nix::sys::stat::fstat;
use socket2::{Domain, Socket as OwnSocket, Type};

use super::proc_net::{self, ProcNotes};
use super::sock_diag::{Detail, DumpNotes, Request, SockDiag};
use super::{KernelError, ProcRoot};
use crate::model::{Family, Protocol, Socket, StateClass, StateSet, TcpState};

/// Which way the tables were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `NETLINK_SOCK_DIAG`.
    SockDiag,
    /// /proc/net.
    Proc,
}

impl Source {
    /// The name in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::SockDiag => "sock_diag",
            Self::Proc => "proc",
        }
    }
}

/// Which rows are wanted. The kernel is asked for no others where it can tell them apart; /proc
/// cannot, so that other rows come too, those in states without a name among them.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The protocols, each once.
    pub protocols: Vec<Protocol>,
    /// The states; `BOUND_INACTIVE` costs the kernel a walk of its own.
    pub states: StateSet,
    /// Which connections of TCP, and which sockets of UDP. Listeners and bound sockets come all.
    pub detail: Detail,
}

impl Wanted {
    /// Every socket of `protocols` in one of `states`.
    pub fn all(protocols: Vec<Protocol>, states: StateSet) -> Self {
        Self { protocols, states, detail: Detail::default() }
    }
}

/// What the reading of the tables was like.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The way that was taken.
    pub source: Source,
    /// What the reader has to know about the rows, in words.
    pub warnings: Vec<String>,
}

/// Calls `visit` for each wanted row until it breaks; TCP sockets that listen come first, then those
/// that are bound.
///
/// With `source` `None` the tables are read by `sock_diag` where that is allowed and `proc_root` is
/// the running system, and else from /proc, with a warning. Fails if neither can be read, or if
/// something is wanted that the way taken cannot tell.
pub fn scan(
    source: Option<Source>,
    proc_root: &ProcRoot,
    wanted: &Wanted,
    visit: &mut dyn FnMut(&Socket) -> ControlFlow<()>,
) -> Result<Reading, KernelError> {
    let by_netlink =
        source.unwrap_or(if proc_root.is_live() { Source::SockDiag } else { Source::Proc });
    if by_netlink == Source::Proc {
        return scan_proc(proc_root, wanted, visit);
    }
    if !proc_root.is_live() {
        return Err(KernelError::CannotTell {
            what: "sock_diag tells of the running system alone, from inside the namespace",
            instead: "leave out `--source sock_diag`: the tables under --procfs or /proc/PID/net are \
                      then read",
        });
    }
    let mut notes = DumpNotes::default();
    match scan_sock_diag(wanted, &mut notes, visit) {
        Err(refusal @ KernelError::Refused { .. }) if source.is_none() && notes.rows == 0 => {
            tracing::info!(%refusal, "reading /proc instead");
            let mut reading = scan_proc(proc_root, wanted, visit)?;
            reading.warnings.insert(0, format!("{refusal}; read from /proc instead"));
            Ok(reading)
        }
        result => result,
    }
}

fn scan_proc(
    proc_root: &ProcRoot,
    wanted: &Wanted,
    visit: &mut dyn FnMut(&Socket) -> ControlFlow<()>,
) -> Result<Reading, KernelError> {
    if wanted.states == StateSet::only(TcpState::BOUND_INACTIVE) {
        return Err(KernelError::CannotTell {
            what: "/proc has no bound sockets that do not listen",
            instead: "they need sock_diag: leave out `--source proc` and `--procfs`",
        });
    }
    let notes = proc_net::read(proc_root, &wanted.protocols, visit)?;
    let mut warnings = proc_warnings(notes);
    if wanted.states.contains(TcpState::BOUND_INACTIVE) {
        warnings.push("bound sockets that do not listen are not in /proc and not shown".to_owned());
    }
    Ok(Reading { source: Source::Proc, warnings })
}

fn proc_warnings(notes: ProcNotes) -> Vec<String> {
    let mut warnings = malformed_warning(notes.malformed, "line");
    if notes.had_no_end {
        warnings.push(format!(
            "/proc showed {} rows again and no end, as it does while sockets are added; the table \
             may be incomplete",
            notes.repeated
        ));
    }
    if notes.over_budget > 0 {
        warnings.push(
            "/proc showed more rows than the kernel counts, and was not read further; the table may \
             be incomplete"
                .to_owned(),
        );
    }
    warnings
}

fn malformed_warning(count: u64, what: &str) -> Vec<String> {
    match count {
        0 => Vec::new(),
        1 => vec![format!("1 malformed {what} was left out")],
        _ => vec![format!("{count} malformed {what}s were left out")],
    }
}

fn scan_sock_diag(
    wanted: &Wanted,
    notes: &mut DumpNotes,
    visit: &mut dyn FnMut(&Socket) -> ControlFlow<()>,
) -> Result<Reading, KernelError> {
    let mut dumps = Dumps { diag: SockDiag::open()?, notes, detail: wanted.detail };
    let mut warnings = Vec::new();
    for protocol in &wanted.protocols {
        match protocol {
            Protocol::Tcp => dumps.tcp(wanted.states, visit, &mut warnings)?,
            Protocol::Udp => {
                let (states, detail) = (udp_mask(wanted.states), wanted.detail);
                dumps.by_family(Protocol::Udp, states, detail, visit)?;
            }
        }
    }
    warnings.extend(dump_warnings(*notes));
    Ok(Reading { source: Source::SockDiag, warnings })
}

fn dump_warnings(notes: DumpNotes) -> Vec<String> {
    let mut warnings = malformed_warning(notes.malformed, "message");
    if notes.lost > 0 {
        warnings.push(format!(
            "{} netlink buffers were cut or lost; the table may be incomplete",
            notes.lost
        ));
    }
    if notes.interrupted {
        warnings.push(
            "the kernel reports that the table changed in mid-dump; it may be incomplete"
                .to_owned(),
        );
    }
    warnings
}

/// The states that UDP sockets have: connected and not.
fn udp_mask(states: StateSet) -> u32 {
    let unconnected = states.matches(StateClass::UdpUnconnected);
    let own = if unconnected { StateSet::only(TcpState::CLOSE) } else { StateSet::EMPTY };
    let connected = StateSet::only(TcpState::ESTABLISHED).kernel_mask();
    states.kernel_mask() & connected | own.kernel_mask()
}

/// What answers dump requests; the tests put a scripted one in the kernel's place.
trait Dumper {
    fn dump(
        &mut self,
        request: Request,
        notes: &mut DumpNotes,
        visit: Visit<'_>,
    ) -> Result<(), KernelError>;
}

impl Dumper for SockDiag {
    fn dump(
        &mut self,
        request: Request,
        notes: &mut DumpNotes,
        visit: Visit<'_>,
    ) -> Result<(), KernelError> {
        SockDiag::dump(self, request, notes, visit)
    }
}

struct Dumps<'a, D> {
    diag: D,
    notes: &'a mut DumpNotes,
    detail: Detail,
}

type Visit<'a> = &'a mut dyn FnMut(&Socket) -> ControlFlow<()>;

impl<D: Dumper> Dumps<'_, D> {
    /// Listeners are in a small table of their own, and bound sockets in a large one, so each is
    /// its own request; the mask is exact, for an idle bit can cost a walk.
    fn tcp(
        &mut self,
        states: StateSet,
        visit: Visit<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<(), KernelError> {
        let mask = states.kernel_mask();
        let listen = StateSet::only(TcpState::LISTEN).kernel_mask();
        let bound = StateSet::only(TcpState::BOUND_INACTIVE).kernel_mask();
        // Closed sockets are in no table; the kernel takes the bit for a half-open connection
        // from SYN_RECV.
        let idle = StateSet::of(&[TcpState::CLOSE, TcpState::NEW_SYN_RECV]).kernel_mask();
        let connected = mask & !(listen | bound | idle) & 0xfff;
        if mask & listen != 0 {
            self.both_families(listen, Detail::default(), visit)?;
        }
        if mask & bound != 0 {
            self.bound(bound, visit, warnings)?;
        }
        if connected != 0 {
            self.both_families(connected, self.detail, visit)?;
        }
        Ok(())
    }

    /// TCP of both families: in one walk by the old request; where that is refused, in two.
    fn both_families(
        &mut self,
        states: u32,
        detail: Detail,
        visit: Visit<'_>,
    ) -> Result<(), KernelError> {
        let rows_before = self.notes.rows;
        match self.dump(Request::Legacy { states, detail }, visit) {
            Err(KernelError::Refused { errno: Errno::EINVAL | Errno::EOPNOTSUPP, .. })
                if self.notes.rows == rows_before =>
            {
                self.by_family(Protocol::Tcp, states, detail, visit)
            }
            result => result,
        }
    }

    fn by_family(
        &mut self,
        protocol: Protocol,
        states: u32,
        detail: Detail,
        visit: Visit<'_>,
    ) -> Result<(), KernelError> {
        if states == 0 {
            return Ok(());
        }
        [Family::Ipv4, Family::Ipv6].into_iter().try_for_each(|family| {
            self.dump(Request::ByFamily { family, protocol, states, detail }, visit)
        })
    }

    /// Sockets that are bound and neither listen nor are connected. A kernel before 6.8 answers
    /// with no row and no error, so a socket of our own that must be among them tells it.
    fn bound(
        &mut self,
        mask: u32,
        visit: Visit<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<(), KernelError> {
        let probe = BoundProbe::new();
        let mut probe_seen = false;
        let mut others_seen = false;
        self.both_families(mask, Detail::default(), &mut |socket| {
            if socket.inode.is_some() && socket.inode == probe.inode() {
                probe_seen = true;
                return ControlFlow::Continue(());
            }
            others_seen = true;
            visit(socket)
        })?;
        if !probe_seen && !others_seen && !self.notes.broke {
            let what = "bound sockets that do not listen";
            warnings.push(match probe.inode() {
                Some(_) => format!("this kernel does not show {what} (Linux 6.8 does)"),
                None => format!("whether this kernel shows {what} could not be tried"),
            });
        }
        Ok(())
    }

    fn dump(&mut self, request: Request, visit: Visit<'_>) -> Result<(), KernelError> {
        if self.notes.broke {
            return Ok(());
        }
        let result = self.diag.dump(request, self.notes, visit);
        tracing::debug!(?request, notes = ?self.notes, "dumped");
        result
    }
}

/// A socket of our own that is bound and does not listen.
struct BoundProbe {
    inode: Option<u32>,
    _socket: Option<OwnSocket>,
}

impl BoundProbe {
    /// Bound to a loopback address that nobody uses, at the first port that is free there. Asking
    /// for any port would take an ephemeral one, and fail where those are exhausted.
    fn new() -> Self {
        let bound = (1025..1041_u16).find_map(|port| {
            let socket = OwnSocket::new(Domain::IPV4, Type::STREAM, None).ok()?;
            let end = std::net::SocketAddr::from(([127, 84, 119, 107], port));
            socket.bind(&end.into()).ok().map(|()| socket)
        });
        let inode = bound.as_ref().and_then(|socket| {
            let number = fstat(socket.as_fd()).ok()?.st_ino;
            // `idiag_inode` has 32 bits, the file system's number 64.
            u32::try_from(number & u64::from(u32::MAX)).ok()
        });
        Self { inode, _socket: bound }
    }

    fn inode(&self) -> Option<u32> {
        self.inode
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refuses what `refuses` says, notes every other request, and has no rows.
    struct Script {
        refuses: fn(Request) -> bool,
        asked: Vec<Request>,
    }

    impl Dumper for Script {
        fn dump(
            &mut self,
            request: Request,
            _: &mut DumpNotes,
            _: Visit<'_>,
        ) -> Result<(), KernelError> {
            if (self.refuses)(request) {
                let operation = "the socket dump";
                return Err(KernelError::Refused { operation, errno: Errno::EINVAL });
            }
            self.asked.push(request);
            Ok(())
        }
    }

    /// What is asked for when `states` are wanted, and the warnings.
    fn asked(states: &str, refuses: fn(Request) -> bool) -> (Vec<Request>, Vec<String>) {
        let diag = Script { refuses, asked: Vec::new() };
        let detail = Detail::default();
        let mut dumps = Dumps { diag, notes: &mut DumpNotes::default(), detail };
        let mut warnings = Vec::new();
        let visit: Visit<'_> = &mut |_| ControlFlow::Continue(());
        dumps.tcp(states.parse().unwrap(), visit, &mut warnings).unwrap();
        (dumps.diag.asked, warnings)
    }

    #[test]
    fn the_mask_is_exact_and_listeners_are_a_request_of_their_own() {
        let legacy = |states| Request::Legacy { states, detail: Detail::default() };
        assert_eq!(asked("time-wait", |_| false).0, [legacy(1 << 6)]);
        assert_eq!(asked("listen", |_| false).0, [legacy(1 << 10)]);
        let connected = 0b1011_0111_1110;
        assert_eq!(asked("connected", |_| false).0, [legacy(connected)]);
        let all = [legacy(1 << 10), legacy(1 << 13), legacy(connected)];
        assert_eq!(asked("all", |_| false).0, all, "and never a bit for closed sockets");
    }

    #[test]
    fn where_the_old_request_is_refused_each_family_is_asked() {
        let is_legacy = |request| matches!(request, Request::Legacy { .. });
        let (protocol, states, detail) = (Protocol::Tcp, 1 << 6, Detail::default());
        let by_family = |family| Request::ByFamily { family, protocol, states, detail };
        let both = [by_family(Family::Ipv4), by_family(Family::Ipv6)];
        assert_eq!(asked("time-wait", is_legacy).0, both);
    }

    #[test]
    fn a_kernel_that_does_not_show_bound_sockets_is_found_out() {
        let (_, warnings) = asked("bound", |_| false);
        assert!(warnings[0].contains("does not show bound sockets"), "{warnings:?}");
    }

    #[test]
    fn udp_is_asked_for_its_two_states_alone() {
        let all: StateSet = "all".parse().unwrap();
        assert_eq!(udp_mask(all), 1 << 1 | 1 << 7);
        assert_eq!(udp_mask(StateSet::only(TcpState::TIME_WAIT)), 0);
    }

    #[test]
    fn what_was_left_out_is_said() {
        let notes = ProcNotes { malformed: 1, repeated: 200, had_no_end: true, over_budget: 0 };
        let warnings = proc_warnings(notes);
        assert_eq!(warnings[0], "1 malformed line was left out");
        assert!(warnings[1].ends_with("the table may be incomplete"), "{warnings:?}");
        let lost = DumpNotes { lost: 2, ..DumpNotes::default() };
        assert!(dump_warnings(lost)[0].contains("may be incomplete"));
        assert_eq!(dump_warnings(DumpNotes::default()), Vec::<String>::new());
    }
}
