"""What `netkit echo server` is compared with: the least that a server can do, and what people start today."""

from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent

# All of them listen on this port or at this path, one after the other.
PORT, PATH = "7007", "/tmp/netkit-bench-echo.sock"


@dataclass(frozen=True)
class Bar:
    """`figure` is at most, or at least, `limit` times that of `peer`; of no peer, `limit` itself."""

    figure: str
    limit: float
    peer: str | None = None
    is_least: bool = False


@dataclass(frozen=True)
class Scene:
    """A load: its kind of socket, connections, seconds, and the size of messages or of the stream."""

    name: str
    kind: str
    connections: int
    seconds: float
    size: int
    servers: dict
    bars: list = field(default_factory=list)


def servers(netkit, c_server):
    """The command lines by the kind of socket."""
    quiet = [netkit, "echo", "server", "--drain", "0", "--quiet"]
    tcp = {
        "netkit": [*quiet, f"tcp://127.0.0.1:{PORT}"],
        "c": [c_server, "tcp", PORT],
        "selectors": ["python3", "-S", str(HERE / "selectors_server.py"), PORT],
        "socat": ["socat", f"TCP-LISTEN:{PORT},bind=127.0.0.1,reuseaddr,nodelay,backlog=1024,fork", "PIPE"],
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
    return tcp, unix, udp


def only(commands, *names):
    return {name: command for name, command in commands.items() if name in names}


def scenes(netkit, c_server, seconds):
    tcp, unix, udp = servers(netkit, c_server)
    cpu = Bar("cpu_us", 1.10, "c")
    at_64 = [cpu, Bar("rate", 1.25, "selectors", True), Bar("rate", 5, "socat", True), Bar("rate", 5, "ncat", True)]
    at_1000 = [Bar("rate", 0.90, "c", True), Bar("connect_ms", 2, "c"), Bar("errors", 0)]
    sizes = {f"socat-{size}": [*tcp["socat"][:1], "-b", str(size), *tcp["socat"][1:]] for size in (8192, 65536, 262144)}
    return [
        Scene("tcp-1", "tcp", 1, seconds, 64, only(tcp, "netkit", "c", "selectors", "socat")),
        Scene("tcp-64", "tcp", 64, seconds, 64, tcp, at_64),
        Scene("tcp-1000", "tcp", 1000, seconds, 64, only(tcp, "netkit", "c", "selectors"), at_1000),
        Scene("unix-64", "unix", 64, seconds, 64, unix, [cpu]),
        Scene("udp-64", "udp", 64, seconds, 64, udp, [cpu]),
        Scene("idle-10000", "tcp", 10_000, 0, 0, only(tcp, "netkit", "c"), [Bar("rss_mib", 40), Bar("errors", 0)]),
        Scene("bulk", "tcp", 1, 0, 1 << 30, only(tcp, "netkit", "c") | sizes, [Bar("rate", 0.9, "best socat", True)]),
    ]
