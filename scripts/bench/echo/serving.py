"""One server, one load, measured: the server on the first processor, the load on the second."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

from contenders import PATH, PORT
from ending import CannotRun

# How long a server may take until it serves, and a load until it is done.
START, END = 10, 60


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


def rss_mib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise CannotRun(f"/proc/{pid}/status has no VmRSS")


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


def measured(scene, command, load):
    """The figures of one run."""
    server = started(scene, command)
    where = PATH if scene.kind == "unix" else PORT
    words = [load, scene.kind, where, str(scene.connections), str(scene.seconds), str(scene.size)]
    client = subprocess.Popen(pinned(1, words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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
            "p50_us": int(p50_us),
            "rss_mib": rss_mib(server.pid),
        }
    except ValueError as error:
        raise CannotRun(f"{scene.name}: the load ended early: {error}") from error
    finally:
        client.kill()
        client.wait()
        end(server)


def end(server):
    """Ends a server and its children, of which some may end by themselves meanwhile."""
    for pid in reversed(tree(server.pid)):
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
    server.wait()


def medians(scene, load, rounds):
    """{name: medians} over the rounds, A B C and so on, after one that does not count."""
    present = {name: command for name, command in scene.servers.items() if shutil.which(command[0])}
    samples = {name: [] for name in present}
    for number in range(rounds + 1):
        for name, command in present.items():
            sample = measured(scene, command, load)
            if number:
                samples[name].append(sample)
    figures = {name: {key: median(each[key] for each in all) for key in all[0]} for name, all in samples.items()}
    socats = [each["rate"] for name, each in figures.items() if name.startswith("socat-")]
    if socats:
        figures["best socat"] = {"rate": max(socats)}
    return figures
