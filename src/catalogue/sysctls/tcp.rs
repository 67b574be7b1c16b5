//! The rest of TCP: tries, times, extensions.

use super::{
    ANY, BYTE, DefaultValue, JIFFIES, SWITCH, Scope, SysctlEntry, Unit, entry, integer, linux,
};
use crate::model::SysctlKind;

pub(super) const ENTRIES: &[SysctlEntry] = &[
    SysctlEntry {
        unit: Unit::Seconds,
        judgement: "60 to 600 where a NAT or load balancer forgets idle connections sooner than 2 h; \
                    only for sockets with SO_KEEPALIVE",
        myth: Some("it does not touch TIME_WAIT, nor a CLOSE_WAIT that a program does not close"),
        sources: &["net/ipv4/tcp_timer.c, tcp_keepalive_timer", "tcp(7)"],
        ..entry(
            "net.ipv4.tcp_keepalive_time",
            JIFFIES,
            "7200",
            "idle time before the first keepalive probe, of sockets with SO_KEEPALIVE",
        )
    },
    SysctlEntry {
        unit: Unit::Seconds,
        judgement: "10 to 75",
        sources: &["net/ipv4/tcp_timer.c, tcp_keepalive_timer", "tcp(7)"],
        ..entry("net.ipv4.tcp_keepalive_intvl", JIFFIES, "75", "time between keepalive probes")
    },
    SysctlEntry {
        unit: Unit::Count,
        judgement: "3 to 9",
        sources: &["net/ipv4/tcp_timer.c, tcp_keepalive_timer", "tcp(7)"],
        ..entry(
            "net.ipv4.tcp_keepalive_probes",
            BYTE,
            "9",
            "keepalive probes without an answer before a connection is given up",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        judgement: "3, as RFC 1122 has it",
        sources: &["net/ipv4/tcp_timer.c, tcp_write_timeout", "RFC 1122 section 4.2.3.5"],
        ..entry("net.ipv4.tcp_retries1", BYTE, "3", "retransmissions before the route is doubted")
    },
    SysctlEntry {
        unit: Unit::Count,
        judgement: "at least 8, which is the 100 s of RFC 1122; 15 is 924 s and more",
        danger: Some("below 8, a short outage of the network ends connections"),
        sources: &["net/ipv4/tcp_timer.c, tcp_write_timeout", "RFC 1122 section 4.2.3.5"],
        ..entry(
            "net.ipv4.tcp_retries2",
            BYTE,
            "15",
            "retransmissions before an open connection is given up (ETIMEDOUT)",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        judgement: "6 is 127 s, or 131 s with tcp_syn_linear_timeouts = 4; 3 to 6",
        sources: &["net/ipv4/tcp_timer.c, tcp_write_timeout", "tcp(7)"],
        ..entry(
            "net.ipv4.tcp_syn_retries",
            integer(1, 127),
            "6",
            "SYNs that connect() sends again before it gives up (ETIMEDOUT)",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        since: linux(6, 5),
        judgement: "leave 4",
        sources: &["net/ipv4/tcp_timer.c, tcp_retransmit_timer"],
        ..entry(
            "net.ipv4.tcp_syn_linear_timeouts",
            integer(0, 127),
            "4",
            "SYNs that are sent again after a second each, before the time is doubled",
        )
    },
    SysctlEntry {
        unit: Unit::Count,
        judgement: "5 is 63 s; 2 or 3 under a SYN flood",
        sources: &["net/ipv4/inet_connection_sock.c, reqsk_timer_handler", "tcp(7)"],
        ..entry(
            "net.ipv4.tcp_synack_retries",
            BYTE,
            "5",
            "SYN-ACKs that a listener sends again for a half-open connection",
        )
    },
    SysctlEntry {
        judgement: "1, the client's side; 3 for servers whose programs ask for it (TCP_FASTOPEN)",
        sources: &["net/ipv4/tcp_fastopen.c", "RFC 7413"],
        ..entry(
            "net.ipv4.tcp_fastopen",
            SysctlKind::Bitmask { low: -2_147_483_648, high: 2_147_483_647 },
            "1",
            "data in the SYN: 1 client, 2 server, 4 without cookie, 0x400 every listener",
        )
    },
    SysctlEntry {
        judgement: "1",
        danger: Some("0 makes every loss on a fast line slow"),
        sources: &["net/ipv4/tcp_input.c, tcp_parse_options", "RFC 2018"],
        ..entry("net.ipv4.tcp_sack", BYTE, "1", "selective acknowledgements")
    },
    SysctlEntry {
        judgement: "1",
        danger: Some("0 limits the window to 64 KiB, and so the speed over any distance"),
        sources: &["net/ipv4/tcp_output.c, tcp_select_initial_window", "RFC 7323"],
        ..entry("net.ipv4.tcp_window_scaling", BYTE, "1", "windows above 64 KiB")
    },
    SysctlEntry {
        judgement: "0 for programs that send in bursts over one long connection",
        sources: &["net/ipv4/tcp_output.c, tcp_cwnd_restart", "RFC 5681 section 4.1"],
        ..entry(
            "net.ipv4.tcp_slow_start_after_idle",
            BYTE,
            "1",
            "1 starts slowly again after a connection was idle",
        )
    },
    SysctlEntry {
        judgement: "0; 1 is folklore of tuning guides for most machines",
        sources: &["net/ipv4/tcp_metrics.c, tcp_update_metrics"],
        ..entry(
            "net.ipv4.tcp_no_metrics_save",
            BYTE,
            "0",
            "1 forgets what was learnt of a peer when a connection ends",
        )
    },
    SysctlEntry {
        judgement: "0; 1 where ICMP is filtered and large packets vanish",
        sources: &["net/ipv4/tcp_timer.c, tcp_mtu_probing", "RFC 4821"],
        ..entry(
            "net.ipv4.tcp_mtu_probing",
            BYTE,
            "0",
            "finds the packet size of a path by trying: 0 never, 1 after a black hole, 2 always",
        )
    },
    SysctlEntry {
        judgement: "2; 1 where the network marks",
        sources: &["net/ipv4/tcp_output.c, tcp_ecn_send_syn", "RFC 3168"],
        ..entry(
            "net.ipv4.tcp_ecn",
            integer(0, 2),
            "2",
            "explicit congestion notification: 0 off, 1 ask and answer, 2 answer",
        )
    },
    SysctlEntry {
        default: DefaultValue::Formula("cubic, or what the kernel was built with"),
        judgement: "cubic or bbr; names of tcp_available_congestion_control",
        sources: &["net/ipv4/tcp_cong.c, tcp_set_default_congestion_control"],
        ..entry(
            "net.ipv4.tcp_congestion_control",
            SysctlKind::Word,
            "",
            "the congestion control of new connections",
        )
    },
    SysctlEntry {
        since: linux(5, 14),
        judgement: "1 where listeners with SO_REUSEPORT come and go",
        sources: &["net/core/sock_reuseport.c, reuseport_migrate_sock"],
        ..entry(
            "net.ipv4.tcp_migrate_req",
            SWITCH,
            "0",
            "1 gives half-open connections of a closed SO_REUSEPORT listener to another",
        )
    },
    SysctlEntry {
        judgement: "remove it: nothing reads it any more",
        myth: Some(
            "it does not lower the latency: the kernel keeps the name for old scripts alone",
        ),
        scope: Scope::Global,
        sources: &["net/ipv4/sysctl_net_ipv4.c", "commit b6690b14386698ce"],
        ..entry("net.ipv4.tcp_low_latency", ANY, "0", "obsolete: without effect since Linux 4.14")
    },
    SysctlEntry {
        judgement: "remove it: nothing reads it any more",
        myth: Some("forward acknowledgement was replaced by RACK"),
        sources: &["net/ipv4/sysctl_net_ipv4.c", "commit 713bafea9292"],
        ..entry("net.ipv4.tcp_fack", BYTE, "0", "obsolete: without effect since Linux 4.15")
    },
    SysctlEntry {
        scope: Scope::Global,
        default: DefaultValue::Formula("what is built in or loaded"),
        is_writable: false,
        judgement: "it can only be read",
        sources: &["net/ipv4/tcp_cong.c, tcp_get_available_congestion_control"],
        ..entry(
            "net.ipv4.tcp_available_congestion_control",
            SysctlKind::Word,
            "",
            "the congestion controls that there are",
        )
    },
];
