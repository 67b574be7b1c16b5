//! Settings of tuning guides that the kernel has no more, or keeps and does not read.

use super::{ANY, ANY_BYTE, DefaultValue, Earlier, GLOBAL, Myth, PLAIN, SysctlEntry, Unit};
use crate::model::KernelRelease;

/// The entries, the worst first.
pub(super) const ENTRIES: &[SysctlEntry] = &[
    SysctlEntry {
        key: "net.ipv4.tcp_tw_recycle",
        kind: ANY,
        unit: Unit::Flag,
        until: Some(KernelRelease::new(4, 12)),
        meaning: "removed: it dropped the SYNs of hosts that its memory of timestamps took for old",
        judgement: "Remove it from every file. Since Linux 4.12 there is no such setting: `sysctl -p` says \
            so and exits with 1, `sysctl --system` is silent.",
        myth: Some(Myth {
            said: "tcp_tw_recycle = 1 cures TIME_WAIT",
            truth: "it never was a cure: it dropped the SYNs of clients behind one NAT, and \
                    since Linux 4.10, with random timestamp offsets, those of everybody",
        }),
        danger: Some(
            "On a kernel before 4.12, 1 means connections that time out at random: set 0.",
        ),
        instead: Some(
            "On a client, net.ipv4.tcp_tw_reuse and a wider net.ipv4.ip_local_port_range. On a server, \
             nothing: TIME_WAIT is no problem there.",
        ),
        sources: &["commit 4396e46187ca (tcp: remove tcp_tw_recycle)", "measured: ENOENT"],
        ..PLAIN
    },
    SysctlEntry {
        key: "net.ipv4.tcp_low_latency",
        kind: ANY,
        unit: Unit::Flag,
        unread_since: Some(KernelRelease::new(4, 14)),
        meaning: "nothing: the kernel keeps the file and does not read the value",
        judgement: "Remove it from every file. It chose between two ways of receiving, of which Linux 4.14 \
            removed one.",
        myth: Some(Myth {
            said: "tcp_low_latency = 1 lowers latency",
            truth: "no line of code looks at it since Linux 4.14",
        }),
        instead: Some(
            "net.core.busy_poll and net.core.busy_read, or SO_BUSY_POLL, trade CPU for latency.",
        ),
        sources: &[
            "commit e7942d0633c4 (tcp: remove prequeue support)",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..GLOBAL
    },
    SysctlEntry {
        key: "net.ipv4.tcp_fack",
        kind: ANY_BYTE,
        unit: Unit::Flag,
        earlier: &[Earlier {
            until: KernelRelease::new(4, 15),
            default: Some(DefaultValue::Fixed("1")),
            kind: Some(ANY),
            source: "commit 713bafea9292 (tcp: retire FACK loss detection)",
        }],
        unread_since: Some(KernelRelease::new(4, 15)),
        meaning: "nothing: the kernel keeps the file and does not read the value",
        judgement: "Remove it from every file. Loss is found by RACK instead, which is always there.",
        myth: Some(Myth {
            said: "tcp_fack = 1 recovers faster from loss",
            truth: "forward acknowledgement was taken out of the kernel with Linux 4.15",
        }),
        instead: Some("net.ipv4.tcp_sack = 1, the default, is what recovery depends on."),
        sources: &[
            "commit 713bafea9292 (tcp: retire FACK loss detection)",
            "Documentation/networking/ip-sysctl.rst",
        ],
        ..PLAIN
    },
];
