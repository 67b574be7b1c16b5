//! What the rows say about TIME_WAIT, counted as they come and before any judgement.
//!
//! Nothing is kept per row: a destination costs some 100 bytes whatever runs to it, and rows that do
//! not tell their side wait in a batch of fixed size.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::kernel::tcp_settings::{TcpSettings, TwReuse};
use crate::model::{
    Address, Endpoint, PortSet, Side, Sides, Socket, StateClass, TIME_WAIT_MS, TcpState,
};

/// From when a TIME_WAIT may be reused on kernels without `tcp_tw_reuse_delay` (before 6.14): they
/// compare whole seconds, so after one to two of them; counted here as two.
const DELAY_BEFORE_6_14_MS: u32 = 2_000;
/// Rows whose side is open that are decided together. The kernel walks its table in the order of a
/// hash, so that a batch of a larger table is a random sample of it.
const BATCH: usize = 8192;

/// When connect(2) may take over a TIME_WAIT socket (`net/ipv4/tcp_ipv4.c`, `tcp_twsk_unique`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReuseRule {
    mode: TwReuse,
    /// The age from which it may, in milliseconds.
    pub delay_ms: u32,
}

impl ReuseRule {
    /// The rule under `settings`. Without timestamps there is no reuse; what could not be read
    /// counts as off.
    pub fn of(settings: &TcpSettings) -> Self {
        let has_timestamps = settings.timestamps.unwrap_or(false);
        let mode = settings.tw_reuse.filter(|_| has_timestamps).unwrap_or(TwReuse::Off);
        Self { mode, delay_ms: settings.tw_reuse_delay_ms.unwrap_or(DELAY_BEFORE_6_14_MS) }
    }

    /// Whether it covers connections between these addresses.
    #[inline]
    pub fn covers(self, source: Address, destination: Address) -> bool {
        match self.mode {
            TwReuse::Off => false,
            TwReuse::Everywhere => true,
            TwReuse::Loopback => source.is_loopback() || destination.is_loopback(),
        }
    }
}

/// Connections that this host opened share their supply of ports if all of this is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The address here.
    pub source: Address,
    /// The end there.
    pub end: Endpoint,
}

/// The connections of one destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DestinationCount {
    /// Sockets in TIME_WAIT.
    pub time_wait: u64,
    /// Of these, those that connect(2) may take over now.
    pub reusable: u64,
    /// FIN_WAIT2 mini-sockets, which are never taken over.
    pub fin_wait2_mini: u64,
    /// Sockets in any other state.
    pub live: u64,
    /// Ephemeral ports of the live ones.
    pub live_ports: u64,
    /// Ephemeral ports of TIME_WAITs and mini-sockets that cannot be taken over now.
    pub waiting_ports: u64,
    /// TIME_WAITs younger than a second: what was closed in the last one.
    pub last_second: u64,
    /// Sockets of which this side closed first.
    pub closed_here_first: u64,
    /// Sockets of which the peer closed first.
    pub closed_there_first: u64,
}

/// All that the rows say.
#[derive(Debug)]
pub struct Census {
    /// The ephemeral ports: the range less the reserved ones. `None` if they could not be read.
    pub ephemeral: Option<PortSet>,
    /// Ports that bind(2) holds, and with them from every destination.
    pub bound: PortSet,
    /// Connections that this host opened.
    pub destinations: HashMap<Destination, DestinationCount, RandomState>,
    /// TIME_WAITs of connections that this host accepted.
    pub services: HashMap<Endpoint, u64, RandomState>,
    /// Sockets in TIME_WAIT.
    pub time_wait: u64,
    /// FIN_WAIT2 mini-sockets.
    pub fin_wait2_mini: u64,
    /// TIME_WAITs of which nothing tells the side.
    pub side_unknown: u64,
    /// Sockets that are no mini-sockets and no half-open connections.
    pub full_sockets: u64,
    /// TIME_WAITs by their age in seconds; the last place has those that are overdue.
    pub ages: [u64; 61],
    sides: Sides,
    reuse: ReuseRule,
    open: Vec<Row>,
}

/// What is counted of a connection, whichever side it will be found to be.
#[derive(Clone, Copy, Debug)]
struct Row {
    local: Endpoint,
    remote: Endpoint,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    TimeWait { age_ms: u32 },
    FinWait2Mini,
    Live { closed_first: Option<Closer> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closer {
    Here,
    There,
}

impl Census {
    /// Nothing counted yet. `settings` decide which port a row takes, and whether it can be reused.
    pub fn new(settings: &TcpSettings) -> Self {
        Self {
            ephemeral: settings.ephemeral_ports(),
            bound: PortSet::new(),
            destinations: HashMap::default(),
            services: HashMap::default(),
            time_wait: 0,
            fin_wait2_mini: 0,
            side_unknown: 0,
            full_sockets: 0,
            ages: [0; 61],
            sides: Sides::new(settings.port_range),
            reuse: ReuseRule::of(settings),
            open: Vec::new(),
        }
    }

    /// Counts a TCP socket. Listeners must come before all others.
    pub fn add(&mut self, socket: &Socket) {
        let kind = match socket.class() {
            StateClass::State(TcpState::LISTEN) => {
                self.full_sockets += 1;
                self.bound.insert(socket.local.port);
                return self.sides.listeners.add(socket);
            }
            StateClass::State(TcpState::BOUND_INACTIVE) => {
                return self.bound.insert(socket.local.port);
            }
            StateClass::State(TcpState::TIME_WAIT) => self.time_wait(socket),
            StateClass::FinWait2Mini => {
                self.fin_wait2_mini += 1;
                Kind::FinWait2Mini
            }
            StateClass::State(state) => {
                self.full_sockets += u64::from(state != TcpState::SYN_RECV);
                Kind::Live { closed_first: closer(state) }
            }
            StateClass::UdpUnconnected => return,
        };
        self.place(Row { local: socket.local, remote: socket.remote, kind });
    }

    fn time_wait(&mut self, socket: &Socket) -> Kind {
        self.time_wait += 1;
        let left_ms = socket.timer.map_or(0, |timer| timer.expires_ms);
        let age_ms = TIME_WAIT_MS.saturating_sub(left_ms);
        let second = usize::try_from(age_ms / 1000).unwrap_or(usize::MAX);
        if let Some(count) = self.ages.get_mut(second) {
            *count += 1;
        }
        Kind::TimeWait { age_ms }
    }

    fn place(&mut self, row: Row) {
        match self.sides.of(row.local, row.remote) {
            Side::Server(service) => self.serve(service, &row),
            Side::Client => self.open_here(&row),
            Side::Open if self.destinations.contains_key(&row.destination()) => {
                self.open_here(&row);
            }
            Side::Open => {
                self.open.push(row);
                if self.open.len() == BATCH {
                    self.settle();
                }
            }
        }
    }

    /// Decides the rows that are open, by counting. To be called once more when all have come.
    pub fn settle(&mut self) {
        let rows = std::mem::take(&mut self.open);
        let ends: Vec<_> = rows.iter().map(|row| (row.local, row.remote)).collect();
        let (services, destinations) = (&self.services, &self.destinations);
        let sides = self.sides.by_fan_out(&ends, |local, remote| {
            let there = Destination { source: local.address, end: remote };
            let there = destinations.get(&there).map_or(0, |count| count.time_wait + count.live);
            (services.get(&local).copied().unwrap_or(0), there)
        });
        for (row, side) in rows.iter().zip(sides) {
            match (side, row.kind) {
                (Side::Server(service), _) => self.serve(service, row),
                (Side::Client, _) => self.open_here(row),
                (Side::Open, Kind::TimeWait { .. }) => self.side_unknown += 1,
                (Side::Open, Kind::FinWait2Mini | Kind::Live { .. }) => {}
            }
        }
    }

    /// A connection that was accepted: its port is the service's, and held by the service's bind.
    fn serve(&mut self, service: Endpoint, row: &Row) {
        self.bound.insert(row.local.port);
        if matches!(row.kind, Kind::TimeWait { .. }) {
            *self.services.entry(service).or_default() += 1;
        }
    }

    /// A connection that was opened here: it takes a port from its destination.
    fn open_here(&mut self, row: &Row) {
        let port = row.local.port;
        let is_free_else = self.ephemeral.as_ref().is_some_and(|ports| ports.contains(port))
            && !self.bound.contains(port);
        let takes_port = u64::from(is_free_else);
        let covered = self.reuse.covers(row.local.address, row.remote.address);
        let count = self.destinations.entry(row.destination()).or_default();
        match row.kind {
            Kind::TimeWait { age_ms } => {
                let is_reusable = covered && age_ms >= self.reuse.delay_ms;
                count.time_wait += 1;
                count.reusable += u64::from(is_reusable);
                count.waiting_ports += if is_reusable { 0 } else { takes_port };
                count.last_second += u64::from(age_ms < 1000);
                count.closed_here_first += 1;
            }
            Kind::FinWait2Mini => {
                count.fin_wait2_mini += 1;
                count.waiting_ports += takes_port;
                count.closed_here_first += 1;
            }
            Kind::Live { closed_first } => {
                count.live += 1;
                count.live_ports += takes_port;
                count.closed_here_first += u64::from(closed_first == Some(Closer::Here));
                count.closed_there_first += u64::from(closed_first == Some(Closer::There));
            }
        }
    }

    /// How many ephemeral ports bind(2) holds.
    pub fn bound_ephemeral(&self) -> Option<u64> {
        self.ephemeral.as_ref().map(|ports| u64::from(ports.count_common(&self.bound)))
    }
}

impl Row {
    fn destination(&self) -> Destination {
        Destination { source: self.local.address, end: self.remote }
    }
}

/// Who closed a connection that is not yet gone.
fn closer(state: TcpState) -> Option<Closer> {
    match state {
        TcpState::FIN_WAIT1 | TcpState::FIN_WAIT2 | TcpState::CLOSING => Some(Closer::Here),
        TcpState::CLOSE_WAIT | TcpState::LAST_ACK => Some(Closer::There),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PortRange;
    use crate::model::test_sockets::{end, socket, time_wait};

    fn settings() -> TcpSettings {
        TcpSettings {
            port_range: Some(PortRange { low: 40_000, high: 40_009 }),
            tw_reuse: Some(TwReuse::Loopback),
            tw_reuse_delay_ms: Some(1000),
            timestamps: Some(true),
            ..TcpSettings::default()
        }
    }

    fn census(settings: &TcpSettings, sockets: &[Socket]) -> Census {
        let mut census = Census::new(settings);
        for socket in sockets {
            census.add(socket);
        }
        census.settle();
        census
    }

    fn one(census: &Census) -> DestinationCount {
        assert_eq!(census.destinations.len(), 1);
        *census.destinations.values().next().unwrap()
    }

    #[test]
    fn loopback_is_reusable_after_the_delay_and_others_are_not() {
        let rows = |to: &str| {
            [
                time_wait("10.0.0.1:40000", to, 59_500),
                time_wait("10.0.0.1:40001", to, 58_000),
                time_wait("10.0.0.1:40002", to, 0),
            ]
        };
        let near = one(&census(&settings(), &rows("127.0.0.1:80")));
        assert_eq!((near.time_wait, near.reusable, near.waiting_ports), (3, 2, 1));
        assert_eq!((near.last_second, near.closed_here_first), (1, 3));
        let far = one(&census(&settings(), &rows("10.0.0.2:80")));
        assert_eq!((far.reusable, far.waiting_ports), (0, 3));
    }

    #[test]
    fn nothing_is_reusable_without_timestamps() {
        let settings = TcpSettings { timestamps: Some(false), ..settings() };
        let rows = [time_wait("127.0.0.1:40001", "127.0.0.1:80", 0)];
        assert_eq!(one(&census(&settings, &rows)).reusable, 0);
    }

    #[test]
    fn live_and_mini_sockets_take_ports_and_ports_outside_do_not_count() {
        let mini = time_wait("10.0.0.1:40001", "10.0.0.2:80", 30_000);
        let rows = [
            socket("ESTABLISHED", "10.0.0.1:40000", "10.0.0.2:80"),
            Socket { state: TcpState::FIN_WAIT2, ..mini },
            socket("CLOSE_WAIT", "10.0.0.1:40002", "10.0.0.2:80"),
            socket("ESTABLISHED", "10.0.0.1:1000", "10.0.0.2:80"),
        ];
        let count = one(&census(&settings(), &rows));
        assert_eq!((count.live, count.live_ports, count.waiting_ports), (3, 2, 1));
        assert_eq!((count.fin_wait2_mini, count.closed_there_first), (1, 1));
    }

    #[test]
    fn accepted_connections_hold_their_services_port_for_all() {
        let rows = [
            socket("LISTEN", "0.0.0.0:40005", "0.0.0.0:0"),
            time_wait("10.0.0.1:40005", "10.0.0.9:50000", 100),
            socket("bound", "0.0.0.0:40006", "0.0.0.0:0"),
        ];
        let census = census(&settings(), &rows);
        assert_eq!(census.services.get(&end("0.0.0.0:40005")), Some(&1));
        assert_eq!(census.bound_ephemeral(), Some(2));
        assert_eq!(census.time_wait, 1);
        assert_eq!(census.ages[59], 1);
    }

    #[test]
    fn a_batch_is_settled_when_it_is_full_and_at_the_end() {
        let rows: Vec<_> = (0..10_000_u16)
            .map(|n| time_wait("10.0.0.1:9000", &format!("10.0.0.2:{}", 50_000 + n), 100))
            .collect();
        let census = census(&settings(), &rows);
        assert_eq!(census.services.get(&end("10.0.0.1:9000")), Some(&10_000));
        assert_eq!(census.side_unknown, 0);
    }
}
