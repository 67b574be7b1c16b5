"""What `netkit echo server` is compared with: the least that a server can do, and what people start today."""

from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent

# All of them listen on this port or at this path, one after the other.
PORT, PATH = "7007", "/tmp/netkit-bench-echo.sock"
GIB = 1 << 30
# How many times as fast as these netkit is to be with 64 connections.
FACTORS = {"selectors": 1.25, "socat": 5, "socat-cat": 5, "ncat": 5}


@dataclass(frozen=True)
class Bar:
    """`figure` is at most, or at least, `limit` times that of `peer`; of no peer, `limit` itself."""

    figure: str
    limit: float
    peer: str | None = None
    is_least: bool = False


@dataclass(frozen=True)
class Scene:
    """A load: its kind of socket, connections, seconds, and the size of messages or of the stream. Its contenders are
    servers under the load program, or clients before the C server, or before one of their own."""

    name: str
    kind: str
    connections: int
    seconds: float
    size: int
    contenders: dict
    bars: list = field(default_factory=list)
    are_clients: bool = False
    own_servers: dict = field(default_factory=dict)


def servers(netkit, c_server):
    """The command lines by the kind of socket."""
    quiet = [netkit, "echo", "server", "--drain", "0", "--quiet"]
    listen = f"TCP-LISTEN:{PORT},bind=127.0.0.1,reuseaddr,nodelay,backlog=1024,fork"
    tcp = {
        "netkit": [*quiet, f"tcp://127.0.0.1:{PORT}"],
        "c": [c_server, "tcp", PORT],
        "selectors": ["python3", "-S", str(HERE / "selectors_server.py"), PORT],
        "socat": ["socat", listen, "PIPE"],
        "socat-cat": ["socat", listen, "EXEC:cat"],
        "ncat": ["ncat", "-l", "-k", "-m", "2000", "-e", "/bin/cat", "127.0.0.1", PORT],
    }
    unix = {
        "netkit": [*quiet, f"unix:{PATH}"],
        "c": [c_server, "unix", PATH],
        "socat": ["socat", f"UNIX-LISTEN:{PATH},backlog=1024,fork", "PIPE"],
    }
    udp = {
        "netkit": [*quiet, f"udp://127.0.0.1:{PORT}", "--rate-per-source", "0", "--rate-total", "0"],
        "c": [c_server, "udp", PORT],
    }
    # With as much as its pipe holds, 65536 bytes, socat waits for itself and never ends.
    bulk = {f"socat-{size}": ["socat", "-b", str(size), listen, "PIPE"] for size in (8192, 16384, 32768)}
    return tcp, unix, udp, bulk


def clients(netkit, load, connections, seconds):
    """The command lines of clients that send messages of 64 bytes."""
    shape = ["--connections", str(connections), "--duration", f"{round(seconds * 1000)}ms", "--size", "64"]
    return {
        "netkit": [netkit, "echo", "client", f"127.0.0.1:{PORT}", *shape, "--format", "json"],
        "c": [load, "tcp", PORT, str(connections), str(seconds), "64"],
    }


def sockperf(seconds):
    """Its client and its server, which understand nobody else."""
    where = ["--tcp", "-i", "127.0.0.1", "-p", PORT]
    shape = ["-t", str(max(1, round(seconds))), "--msg-size", "64", "--full-rtt"]
    return ["sockperf", "ping-pong", *where, *shape], ["sockperf", "server", *where]


def streams(netkit):
    """The command lines of clients that copy their standard input to the server, and what comes back to standard output."""
    socats = {f"socat-{size}": ["socat", "-b", str(size), "-", f"TCP:127.0.0.1:{PORT}"] for size in (8192, 65536, 262144)}
    return {
        "netkit": [netkit, "echo", "client", f"127.0.0.1:{PORT}"],
        **socats,
        "ncat": ["ncat", "127.0.0.1", PORT],
    }


def only(commands, *names):
    return {name: command for name, command in commands.items() if name in names}


def scenes(netkit, c_server, load, seconds):
    tcp, unix, udp, bulk = servers(netkit, c_server)
    cpu, best = Bar("cpu_us", 1.10, "c"), Bar("rate", 0.9, "best socat", True)
    at_64 = [cpu, *(Bar(figure, least, peer, True) for peer, least in FACTORS.items() for figure in ("rate", "per_cpu"))]
    at_1000 = [Bar("rate", 0.90, "c", True), Bar("connect_ms", 2, "c"), Bar("errors", 0)]
    few, many = (clients(netkit, load, connections, seconds) for connections in (64, 1000))
    sockperf_client, sockperf_server = sockperf(seconds)
    one = clients(netkit, load, 1, seconds) | {"sockperf": sockperf_client}
    as_c = [Bar("rate", 0.90, "c", True)]
    return [
        Scene("tcp-1", "tcp", 1, seconds, 64, only(tcp, "netkit", "c", "selectors", "socat")),
        Scene("tcp-64", "tcp", 64, seconds, 64, tcp, at_64),
        Scene("tcp-1000", "tcp", 1000, seconds, 64, only(tcp, "netkit", "c", "selectors"), at_1000),
        Scene("unix-64", "unix", 64, seconds, 64, unix, [cpu]),
        Scene("udp-1", "udp", 1, seconds, 64, udp),
        Scene("udp-64", "udp", 64, seconds, 64, udp, [cpu]),
        Scene("idle-10000", "tcp", 10_000, 0, 0, only(tcp, "netkit", "c"), [Bar("peak_mib", 40), Bar("errors", 0)]),
        Scene("bulk", "tcp", 1, 0, GIB, only(tcp, "netkit", "c") | bulk, [best]),
        Scene("client-1", "tcp", 1, seconds, 64, one, [], True, {"sockperf": sockperf_server}),
        Scene("client-64", "tcp", 64, seconds, 64, few, as_c, True),
        Scene("client-1000", "tcp", 1000, seconds, 64, many, as_c, True),
        Scene("client-bulk", "tcp", 1, 0, GIB, streams(netkit), [best], True),
    ]
