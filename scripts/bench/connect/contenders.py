"""What `netkit connect` is compared with: the least that a program can do, and what scripts use today."""

import shutil

from build import TARGET, compile_rust
from contender import Bar, Contender

OPEN, CLOSED = 8080, 8081
MANY, FEWER = 10_000, 1_000


def targets(count):
    """A file with so many targets, each an address of its own that accepts."""
    TARGET.mkdir(parents=True, exist_ok=True)
    file = TARGET / f"targets-{count}"
    addresses = (f"127.0.{number // 250}.{number % 250 + 1}:{OPEN}\n" for number in range(count))
    file.write_text("".join(addresses))
    return file


def single(netkit, use, port):
    """One target by each of them. A tool that says nothing has said so by its exit code."""
    code = 0 if use == "open" else 1
    end = ["127.0.0.1", str(port)]
    commands = {
        "minimal": [compile_rust("connect/minimal.rs"), ":".join(end)],
        "nc": ["nc", "-z", *end],
        "ncat": ["ncat", "-z", *end],
        "python": ["python3", "-S", "-c", PYTHON, *end],
    }
    bars = [Bar("wall_ms", 1.3, f"minimal-{use}"), Bar("wall_ms", 1, f"nc-{use}")]
    yield Contender(f"netkit-{use}", [netkit, "connect", ":".join(end)], bars=bars, where="accept", exit_code=code, pattern=".")
    for name, command in commands.items():
        yield Contender(f"{name}-{use}", command, where="accept", exit_code=code, pattern="")


PYTHON = """import socket, sys
code = socket.socket().connect_ex((sys.argv[1], int(sys.argv[2])))
sys.exit(code != 0)"""

# Each target in a process of its own, as a script does it.
LOOP = "while IFS=: read -r address port; do nc -z \"$address\" \"$port\" || exit 1; done < \"$1\""


def many(netkit):
    """netkit has to be done with 10,000 before a loop has done 1,000."""
    command = [netkit, "connect", "--targets", str(targets(MANY)), "--format", "csv"]
    yield Contender("netkit-10000", command, bars=[Bar("wall_ms", 1, "nc-1000"), Bar("peak_mib", 16)], where="accept", pattern=".")
    if shutil.which("nc"):
        loop = ["sh", "-c", LOOP, "loop", str(targets(FEWER))]
        yield Contender("nc-1000", loop, where="accept", pattern="")


def all_contenders(netkit):
    return [*single(netkit, "open", OPEN), *single(netkit, "closed", CLOSED), *many(netkit)]
