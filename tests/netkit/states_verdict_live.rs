//! The verdict against the kernel itself: as many connections as netkit says are left can be
//! opened, and the next one fails with EADDRNOTAVAIL.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use socket2::SockRef;

use crate::harness::needs::run;
use crate::harness::sockets::{Connection, bound, connect, listen_at, listen_for_data};
use crate::harness::verdict::{destination, finding, findings, verdict};
use crate::harness::{Need, eventually, live, netkit, sysctl};

/// A hundred ports, of either parity fifty.
const RANGE: (u16, u16) = (40_000, 40_099);
/// A port of a service, outside that range.
const SERVICE: u16 = 7000;

/// A service that accepts what comes, and connections that are held open.
struct Service {
    listener: TcpListener,
    address: &'static str,
    open: Vec<Connection>,
}

impl Service {
    fn at(address: &'static str, port: u16) -> Self {
        Self { listener: listen_at(address, port), address, open: Vec::new() }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    fn connect(&self) -> Connection {
        connect(&self.listener, self.address)
    }

    /// `number` connections that stay.
    fn keep(mut self, number: usize) -> Self {
        let new: Vec<_> = (0..number).map(|_| self.connect()).collect();
        self.open.extend(new);
        self
    }

    /// `number` connections that the client closes first, side by side, so that none is reused.
    fn leave_time_waits(self, number: usize) -> Self {
        let connections: Vec<_> = (0..number).map(|_| self.connect()).collect();
        connections.into_iter().for_each(Connection::client_closes_first);
        self
    }

    /// Ports that the verdict says are left to this service.
    fn headroom(&self) -> usize {
        let verdict = verdict("");
        let there = destination(&verdict, &self.address.replace("::ffff:", ""), self.port());
        usize::try_from(there["headroom"].as_u64().unwrap()).unwrap()
    }

    /// Connects until the kernel has no port for it, and counts.
    #[track_caller]
    fn connections_until_refused(&self) -> usize {
        let mut held = Vec::new();
        loop {
            match self.try_connect() {
                Ok(stream) => {
                    // Reset when dropped, so that nothing of it waits.
                    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                    held.push(stream);
                }
                Err(error) if error.kind() == ErrorKind::AddrNotAvailable => return held.len(),
                Err(error) => panic!("after {} connections: {error}", held.len()),
            }
        }
    }

    fn try_connect(&self) -> std::io::Result<TcpStream> {
        let address: IpAddr = self.address.parse().unwrap();
        TcpStream::connect(SocketAddr::new(address, self.port()))
    }
}

/// The narrow range, and no reuse.
fn narrow() {
    let (low, high) = RANGE;
    sysctl::set("ip_local_port_range", &format!("{low} {high}"));
    sysctl::set("tcp_tw_reuse", "0");
}

/// Waits until each TIME_WAIT is older than a delay of 1 ms, which nothing shows but the clock.
fn older_than_the_delay() {
    std::thread::sleep(Duration::from_millis(20));
}

/// Demands that the verdict gives `expected` ports, and that the kernel does.
#[track_caller]
fn exact(service: &Service, expected: usize) {
    let by_netkit = service.headroom();
    let by_the_kernel = service.connections_until_refused();
    assert_eq!(
        (by_netkit, by_the_kernel),
        (expected, expected),
        "ports by netkit and by the kernel"
    );
}

#[test]
fn headroom_is_what_time_wait_and_live_connections_leave() {
    live(&[], || {
        narrow();
        let service = Service::at("127.0.0.1", SERVICE).leave_time_waits(30).keep(20);
        let seen = verdict("");
        let there = destination(&seen, "127.0.0.1", SERVICE);
        assert_eq!((&there["time_wait"], &there["live"]), (&30.into(), &20.into()), "{there}");
        assert_eq!((&there["headroom"], &there["used_percent"]), (&50.into(), &50.0.into()));
        assert_eq!(there["reusable"], 0, "{there}");
        // (N - B - U) / hold, with N = 100, U = 20 and 60 s.
        assert_eq!(there["ceiling_per_s"], 1.33, "{there}");
        assert_eq!(there["closed_here_first"], 30, "{there}");
        exact(&service, 50);
    });
}

#[test]
fn ipv6_destinations_are_counted_the_same_way() {
    live(&[Need::Ipv6], || {
        narrow();
        let service = Service::at("::1", SERVICE).leave_time_waits(10).keep(5);
        exact(&service, 85);
    });
}

#[test]
fn an_ipv6_socket_to_a_mapped_address_shares_the_ports_of_ipv4() {
    live(&[], || {
        narrow();
        let plain = Service::at("127.0.0.1", SERVICE).leave_time_waits(10).keep(5);
        let mapped: Vec<_> = (0..7).map(|_| connect(&plain.listener, "::ffff:127.0.0.1")).collect();
        exact(&plain, 78);
        drop(mapped);
    });
}

#[test]
fn a_dual_stack_service_is_one_destination_for_its_ipv4_clients() {
    live(&[Need::Ipv6], || {
        narrow();
        let service = Service { address: "127.0.0.1", ..Service::at("::", SERVICE) };
        exact(&service.leave_time_waits(10).keep(5), 85);
    });
}

#[test]
fn reserved_ports_are_no_supply() {
    live(&[], || {
        narrow();
        sysctl::set("ip_local_reserved_ports", "40010-40019,40050,50000");
        let service = Service::at("127.0.0.1", SERVICE).leave_time_waits(4).keep(3);
        let ephemeral = &verdict("")["pileup"]["ephemeral"];
        assert_eq!((&ephemeral["reserved"], &ephemeral["available"]), (&11.into(), &89.into()));
        exact(&service, 82);
    });
}

#[test]
fn what_bind_holds_is_taken_from_every_destination() {
    live(&[Need::Ipv6], || {
        narrow();
        let _elsewhere = listen_at("127.0.0.9", 40_020);
        let _bound = bound("127.0.0.1", 40_021);
        let _ipv6 = listen_at("::1", 40_022);
        let _udp_does_not = UdpSocket::bind("127.0.0.1:40023").unwrap();
        let service = Service::at("127.0.0.1", SERVICE).leave_time_waits(4).keep(3);
        assert_eq!(verdict("")["pileup"]["ephemeral"]["bound"], 3);
        exact(&service, 90);
    });
}

#[test]
fn time_waits_of_a_service_that_is_gone_still_hold_its_port() {
    live(&[], || {
        narrow();
        let gone = Service::at("127.0.0.2", 40_050);
        let closing: Vec<_> = (0..5).map(|_| gone.connect()).collect();
        closing.into_iter().for_each(Connection::server_closes_first);
        drop(gone);
        let service = Service::at("127.0.0.1", SERVICE).keep(2);
        let seen = verdict("");
        let services = &seen["pileup"]["services"];
        let expected =
            serde_json::json!([{"address": "127.0.0.2", "port": 40_050, "time_wait": 5}]);
        assert_eq!(*services, expected, "{seen:#}");
        exact(&service, 97);
    });
}

#[test]
fn time_waits_to_a_service_that_is_gone_are_the_clients() {
    live(&[], || {
        narrow();
        let gone = Service::at("127.0.0.2", 40_050).leave_time_waits(5);
        drop(gone);
        let seen = verdict("");
        assert_eq!(seen["pileup"]["services"], serde_json::json!([]), "{seen:#}");
        let there = destination(&seen, "127.0.0.2", 40_050);
        assert_eq!(there["headroom"], 95, "{seen:#}");
        // Its listener comes back on a port of the range, which costs that one.
        exact(&Service::at("127.0.0.2", 40_050), 94);
    });
}

#[test]
fn fin_wait2_that_no_program_has_takes_a_port_as_well() {
    live(&[], || {
        narrow();
        sysctl::set("tcp_tw_reuse", "2");
        sysctl::set("tcp_fin_timeout", "60");
        let service = Service::at("127.0.0.1", SERVICE);
        let peers: Vec<_> = (0..6)
            .map(|_| {
                let Connection { client, server } = service.connect();
                drop(client);
                server
            })
            .collect();
        // FIN_WAIT1 until the peer's acknowledgement, which may be delayed.
        let seen = eventually(|| {
            let seen = verdict("");
            let minis = destination(&seen, "127.0.0.1", SERVICE)["fin_wait2_mini"].clone();
            (minis == 6).then_some(seen).ok_or(minis.to_string())
        });
        assert!(findings(&seen).contains(&"TW_MOSTLY_FIN_WAIT2".to_owned()), "{seen:#}");
        exact(&service, 94);
        drop(peers);
    });
}

#[test]
fn time_waits_of_ipv6_sockets_to_mapped_addresses_share_the_ports_too() {
    live(&[Need::Ipv6], || {
        narrow();
        let service = Service::at("127.0.0.1", SERVICE).leave_time_waits(6);
        let mapped = Service { address: "::ffff:127.0.0.1", ..service };
        exact(&mapped.leave_time_waits(8).keep(2), 84);
    });
}

#[test]
fn connections_that_outlive_their_listener_hold_its_port() {
    live(&[], || {
        narrow();
        let Service { listener, open, .. } = Service::at("127.0.0.2", 40_050).keep(5);
        drop(listener);
        let service = Service::at("127.0.0.1", SERVICE).keep(2);
        exact(&service, 97);
        drop(open);
    });
}

#[test]
fn handshakes_that_are_not_complete_take_ports_as_well() {
    live(&[Need::Python3], || {
        narrow();
        let patient = listen_for_data("127.0.0.1");
        let listener = TcpListener::from(patient);
        let address = listener.local_addr().unwrap();
        let half_open: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
        assert_eq!(verdict("")["pileup"]["ephemeral"]["bound"], 1);
        let other = Service::at("127.0.0.1", SERVICE).keep(1);
        exact(&other, 98);
        drop(half_open);
    });
}

#[test]
fn a_range_of_even_width_is_used_to_its_last_port() {
    live(&[], || {
        narrow();
        for (port, (range, width)) in (SERVICE..).zip([("40001 40004", 4), ("40001 40100", 100)]) {
            sysctl::set("ip_local_port_range", range);
            exact(&Service::at("127.0.0.1", port).keep(1), width - 1);
        }
    });
}

/// Of an odd number of ports the kernel tries one less, the first or the last being left out by
/// chance (net/ipv4/inet_hashtables.c, `__inet_hash_connect`: `remaining &= ~1U`). So the last port
/// may be refused and still be free.
#[test]
fn a_range_of_odd_width_is_used_to_its_last_port_or_the_one_before() {
    live(&[], || {
        narrow();
        sysctl::set("ip_local_port_range", "40001 40005");
        let service = Service::at("127.0.0.1", SERVICE).keep(1);
        assert_eq!(service.headroom(), 4);
        assert!([3, 4].contains(&service.connections_until_refused()));
    });
}

#[test]
fn each_destination_has_ports_of_its_own() {
    live(&[], || {
        narrow();
        let full = Service::at("127.0.0.1", SERVICE).keep(100);
        let other = Service::at("127.0.0.1", SERVICE + 1).keep(1);
        let further = Service::at("127.0.0.3", SERVICE).keep(2);
        assert_eq!(full.headroom(), 0);
        exact(&other, 99);
        exact(&further, 98);
    });
}

#[test]
fn ports_that_connect_could_not_have_picked_are_not_counted() {
    live(&[], || {
        narrow();
        let service = Service::at("127.0.0.1", SERVICE).keep(1);
        let own_port = bound("127.0.0.1", 30_000);
        own_port.connect(&SocketAddr::from(([127, 0, 0, 1], SERVICE)).into()).unwrap();
        exact(&service, 99);
    });
}

#[test]
fn a_port_that_bind_and_a_connection_hold_is_taken_once() {
    live(&[], || {
        narrow();
        let service = Service::at("127.0.0.1", SERVICE).keep(4);
        let port = service.open[0].client.local_addr().unwrap().port();
        let _bound = bound("127.0.0.77", port);
        exact(&service, 96);
    });
}

#[test]
fn with_reuse_on_loopback_old_time_waits_cost_nothing() {
    live(&[Need::Sysctl("net.ipv4.tcp_tw_reuse_delay")], || {
        narrow();
        sysctl::set("tcp_tw_reuse", "2");
        sysctl::set("tcp_tw_reuse_delay", "100");
        let service = Service::at("127.0.0.1", SERVICE).leave_time_waits(30).keep(20);
        eventually(|| {
            let seen = verdict("");
            let there = destination(&seen, "127.0.0.1", SERVICE);
            (there["reusable"] == 30).then_some(()).ok_or(there.to_string())
        });
        let seen = verdict("");
        let there = destination(&seen, "127.0.0.1", SERVICE);
        assert_eq!((&there["hold_ms"], &there["ceiling_per_s"]), (&100.into(), &800.0.into()));
        exact(&service, 80);
    });
}

#[test]
fn young_time_waits_are_not_reused_whatever_the_mode() {
    live(&[Need::Sysctl("net.ipv4.tcp_tw_reuse_delay")], || {
        narrow();
        sysctl::set("tcp_tw_reuse", "1");
        sysctl::set("tcp_tw_reuse_delay", "60000");
        let service = Service::at("127.0.0.1", SERVICE).leave_time_waits(30);
        exact(&service, 70);
    });
}

#[test]
fn reuse_of_loopback_addresses_does_not_cover_the_hosts_others() {
    live(&[Need::Sysctl("net.ipv4.tcp_tw_reuse_delay")], || {
        narrow();
        run("ip address add 10.9.0.2/32 dev lo");
        sysctl::set("tcp_tw_reuse", "2");
        sysctl::set("tcp_tw_reuse_delay", "1");
        let loopback_only = Service::at("10.9.0.2", SERVICE).leave_time_waits(30);
        let everywhere = Service::at("10.9.0.2", SERVICE + 1).leave_time_waits(30);
        older_than_the_delay();
        exact(&loopback_only, 70);
        sysctl::set("tcp_tw_reuse", "1");
        exact(&everywhere, 100);
    });
}

#[test]
fn without_timestamps_nothing_is_reused_and_that_is_said() {
    live(&[Need::Sysctl("net.ipv4.tcp_tw_reuse_delay")], || {
        narrow();
        sysctl::set("tcp_tw_reuse", "1");
        sysctl::set("tcp_tw_reuse_delay", "1");
        sysctl::set("tcp_timestamps", "0");
        let service = Service::at("127.0.0.1", SERVICE).leave_time_waits(30);
        older_than_the_delay();
        let seen = verdict("");
        assert_eq!(finding(&seen, "TW_REUSE_BLOCKED_BY_TIMESTAMPS")["severity"], "warning");
        exact(&service, 70);
    });
}

#[test]
fn no_port_left_is_exhaustion_and_connect_fails() {
    live(&[], || {
        narrow();
        let service = Service::at("127.0.0.1", SERVICE).leave_time_waits(60).keep(39);
        assert_eq!(service.headroom(), 1);
        let service = service.keep(1);
        let seen = netkit("states --time-wait --json").run().exits(1).quietly().json();
        let exhausted = finding(&seen, "TW_PORTS_EXHAUSTED");
        assert_eq!(exhausted["severity"], "critical");
        assert_eq!(exhausted["subject"], "127.0.0.1 to 127.0.0.1:7000");
        assert_eq!(seen["pileup"]["severity"], "critical");
        assert_eq!(destination(&seen, "127.0.0.1", SERVICE)["exhaustion_s"], 0.0);
        assert_eq!(service.connections_until_refused(), 0);
        netkit("states --time-wait --fail-on never --json").run().exits(0);
        netkit("states --time-wait --quiet").run().is(1, "", "");
    });
}

#[test]
fn a_pile_on_the_server_side_costs_nothing_and_is_no_finding() {
    live(&[], || {
        let service = Service::at("127.0.0.1", SERVICE);
        let closing: Vec<_> = (0..300).map(|_| service.connect()).collect();
        closing.into_iter().for_each(Connection::server_closes_first);
        let seen = netkit("states --time-wait --json --fail-on warning").run().exits(0).json();
        assert_eq!(findings(&seen), [""; 0], "{seen:#}");
        assert_eq!(seen["pileup"]["severity"], "ok");
        assert_eq!(seen["pileup"]["time_wait"], 300);
        assert_eq!(seen["pileup"]["destinations"], serde_json::json!([]));
        let expected =
            serde_json::json!([{"address": "127.0.0.1", "port": 7000, "time_wait": 300}]);
        assert_eq!(seen["pileup"]["services"], expected);
    });
}

#[test]
fn full_buckets_are_critical_and_nearly_full_ones_a_warning() {
    live(&[], || {
        sysctl::set("tcp_max_tw_buckets", "10");
        let service = Service::at("127.0.0.1", SERVICE).leave_time_waits(9);
        let seen = verdict("");
        assert_eq!(finding(&seen, "TW_BUCKETS_PRESSURE")["severity"], "warning");
        assert_eq!(seen["pileup"]["buckets_used_percent"], 90.0);
        netkit("states --time-wait --quiet --fail-on warning").run().is(1, "", "");
        netkit("states --time-wait --quiet").run().is(0, "", "");
        let service = service.leave_time_waits(1);
        let seen = netkit("states --time-wait --json").run().exits(1).json();
        assert_eq!(findings(&seen), ["TW_BUCKETS_FULL"], "{seen:#}");
        drop(service.leave_time_waits(5));
        let seen = netkit("states --time-wait --json").run().exits(1).json();
        assert_eq!(findings(&seen), ["TW_BUCKETS_FULL", "TW_OVERFLOWED"], "{seen:#}");
        assert_eq!(finding(&seen, "TW_OVERFLOWED")["severity"], "info");
        assert_eq!(seen["pileup"]["overflows_since_boot"], 5);
    });
}

#[test]
fn sockets_that_skip_time_wait_while_netkit_looks_are_overflowing() {
    live(&[], || {
        sysctl::set("tcp_max_tw_buckets", "2");
        let service = Service::at("127.0.0.1", SERVICE).leave_time_waits(5);
        let stop = std::sync::atomic::AtomicBool::new(false);
        let seen = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    service.connect().client_closes_first();
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            let seen = netkit("states --time-wait --json --sample 200ms").run();
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            seen.exits(1).json()
        });
        assert_eq!(findings(&seen), ["TW_BUCKETS_FULL", "TW_OVERFLOWING"], "{seen:#}");
        assert_eq!(finding(&seen, "TW_OVERFLOWING")["severity"], "warning");
        let sample = &seen["pileup"]["sample"];
        assert!(sample["overflows"].as_u64() > Some(0), "{sample}");
        assert!(sample["seconds"].as_f64() >= Some(0.2), "{sample}");
    });
}

#[test]
fn closes_faster_than_ports_come_back_are_said() {
    live(&[], || {
        narrow();
        let _service = Service::at("127.0.0.1", SERVICE).leave_time_waits(5);
        let seen = verdict("");
        assert_eq!(findings(&seen), ["TW_RATE_ABOVE_CEILING"], "{seen:#}");
        let there = destination(&seen, "127.0.0.1", SERVICE);
        assert_eq!(there["rate_per_s"], 5.0, "{seen:#}");
        assert_eq!(there["ceiling_per_s"], 1.67, "{seen:#}");
        assert_eq!(there["exhaustion_s"], 19.0, "{seen:#}");
    });
}

#[test]
fn a_long_list_of_reserved_ports_is_read_whole() {
    live(&[], || {
        // Far more than the 32 bytes that the kernel would show to a reader who begins with those.
        let ports: Vec<String> = (40_000..41_000).step_by(2).map(|port| port.to_string()).collect();
        sysctl::set("ip_local_reserved_ports", &ports.join(","));
        assert_eq!(verdict("")["pileup"]["ephemeral"]["reserved"], 500);
    });
}
