"""The table of what is run, and of the bars that it is held against. A new contender is a new entry here."""

from build import PEER, TARGET
from contender import Bar, Contender

EIGHT_MIB = Bar("peak_mib", 8)
START_UP = Bar("wall_ms", 5)
# Every state from ESTABLISHED (bit 1) to CLOSING (bit 11), LISTEN (bit 10) included.
ALL_STATES = "0xffe"
TIME_WAIT = "0x40"


def netkit_contenders(netkit):
    never = ["--fail-on", "never"]
    states, waiting = [netkit, "states"], [netkit, "states", "--time-wait"]
    all_bars = [Bar("cpu_ms", 1.25, "floor-all"), EIGHT_MIB]
    list_bars = [Bar("cpu_ms", 1.6, "floor-tw"), Bar("cpu_ms", 0.25, "ss-tw"), EIGHT_MIB]
    # netkit reads tcp6 as well, and an empty tcp6 costs a walk of the whole table too: hence both comparisons.
    proc_bars = [Bar("cpu_ms", 1.15, "cat-tcp"), Bar("cpu_ms", 1.15, "cat-tcp-tcp6")]
    return [
        Contender("version", [netkit, "--version"], bars=[START_UP], where="empty"),
        Contender("empty", states, bars=[START_UP], where="empty"),
        Contender("counts", states, bars=all_bars),
        Contender("verdict", [*waiting, *never], bars=all_bars),
        Contender("list", [*waiting, "--list", *never], "pipe", list_bars),
        Contender("ndjson", [*waiting, "--list", "--format", "ndjson", *never], "pipe", [Bar("cpu_ms", 2.5, "floor-tw")]),
        Contender("proc", [*states, "--source", "proc"], bars=proc_bars),
        Contender("proc-verdict", [*waiting, "--source", "proc", *never], bars=proc_bars),
    ]


def peers():
    floor = str(TARGET / "floor")
    return [
        Contender("floor-empty", [floor, ALL_STATES], where="empty"),
        Contender("floor-all", [floor, ALL_STATES]),
        Contender("floor-tw", [floor, TIME_WAIT]),
        Contender("ss-tw", ["ss", "-Htan", "state", "time-wait"], "pipe"),
        Contender("ss-all", ["ss", "-tan"], "pipe"),
        Contender("netstat", ["netstat", "-tan"], "pipe"),
        Contender("procfs-peer", [str(PEER)]),
        Contender("cat-tcp", ["cat", "/proc/net/tcp"]),
        Contender("cat-tcp-tcp6", ["cat", "/proc/net/tcp", "/proc/net/tcp6"]),
    ]


def all_contenders(netkit):
    return netkit_contenders(netkit) + peers()
