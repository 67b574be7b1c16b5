"""One server, one load, measured: the server on the first processor, the load on the second."""

import os
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from threading import Timer

from contenders import PATH, PORT
from ending import CannotRun

# How long a server may take until it serves, and a load or a client until it is done.
START, END = 10, 30


def pinned(cpu, command):
    return ["taskset", "-c", str(cpu % os.cpu_count()), *command]


def tree(pid):
    """A process and all that it has started."""
    found = [pid]
    for child in children(pid):
        found += tree(child)
    return found


def children(pid):
    try:
        texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for text in texts for child in text.split()]


def cpu_ns(pid):
    """The time on a processor of a server and its children, to the nanosecond (schedstat)."""
    total = 0
    for each in tree(pid):
        for path in Path(f"/proc/{each}/task").glob("*/schedstat"):
            try:
                total += int(path.read_text().split()[0])
            except OSError:
                pass
    return total


def peak_mib(pid):
    """What a server and its children had at most, each by itself; of one that has ended meanwhile, nothing."""
    total = 0
    for each in tree(pid):
        with suppress(OSError):
            lines = Path(f"/proc/{each}/status").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return total / 1024


def serves(kind):
    """Whether somebody serves. A UDP server is taken to, once its socket is there."""
    if kind == "udp":
        rows = Path("/proc/net/udp").read_text().splitlines()[1:]
        return any(int(row.split()[1].split(":")[1], 16) == int(PORT) for row in rows)
    family, address = (socket.AF_UNIX, PATH) if kind == "unix" else (socket.AF_INET, ("127.0.0.1", int(PORT)))
    with socket.socket(family) as probe:
        return probe.connect_ex(address) == 0


def started(scene, command):
    Path(PATH).unlink(missing_ok=True)
    server = subprocess.Popen(pinned(0, command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + START
    while not serves(scene.kind):
        if server.poll() is not None or time.monotonic() > until:
            raise CannotRun(f"`{' '.join(command)}` does not serve")
        time.sleep(0.01)
    time.sleep(0.05)
    return server


def measured(scene, name, programs, _is_first):
    """The figures of one run; None if it did not end in time."""
    server = started(scene, scene.contenders[name])
    where = PATH if scene.kind == "unix" else PORT
    words = [programs["load"], scene.kind, where, str(scene.connections), str(scene.seconds), str(scene.size)]
    client = subprocess.Popen(pinned(1, words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    timer = Timer(END, client.kill)
    timer.start()
    try:
        _, connect_ms, errors = client.stdout.readline().split()
        time.sleep(0.1)
        before = cpu_ns(server.pid)
        client.stdin.write("\n")
        client.stdin.flush()
        _, done, elapsed_us, wrong, p50_us = client.stdout.readline().split()
        cpu = cpu_ns(server.pid) - before
        done, seconds = int(done), int(elapsed_us) / 1e6
        return {
            "connect_ms": float(connect_ms),
            "errors": int(errors) + int(wrong),
            "rate": done / seconds if seconds else 0,
            "cpu_us": cpu / 1000 / done if done else 0,
            "per_cpu": done / cpu * 1e9 if cpu else 0,
            "p50_us": int(p50_us),
            "peak_mib": peak_mib(server.pid),
        }
    except ValueError as error:
        if not timer.is_alive():
            return None
        raise CannotRun(f"{scene.name}: the load ended early: {error}") from error
    finally:
        timer.cancel()
        client.kill()
        client.wait()
        end(server)


def end(server):
    """Ends a server and its children, of which some may end by themselves meanwhile."""
    for pid in reversed(tree(server.pid)):
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
    server.wait()
