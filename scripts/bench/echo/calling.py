"""One client, measured: the C server on the first processor, the client on the second."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from threading import Timer

from contenders import PORT
from ending import CannotRun
from serving import END, end, pinned, started


def measured(scene, name, programs, is_first):
    """The figures of one run; None if it did not end in time."""
    command = scene.contenders[name]
    server = started(scene, scene.own_servers.get(name, [programs["server"], scene.kind, PORT]))
    try:
        if scene.seconds:
            return exchanged(command, programs["measure"])
        if is_first and copied(command, programs["measure"], 64 << 20, is_compared=True) is None:
            return None
        return copied(command, programs["measure"], scene.size)
    finally:
        end(server)


def exchanged(command, launcher):
    """A client that sends messages, and says how many round trips there were."""
    client, report = launched(launcher, command, stdin=subprocess.PIPE, text=True)
    # The load program begins when it is told to.
    client.stdin.write("\n")
    client.stdin.close()
    words, used = ended(client, report, client.stdout.read)
    if used is None:
        return None
    done = counted(command, words)
    return done | used.figures(done["done"])


def counted(command, words):
    """What a client says that it has done."""
    try:
        if words.startswith("{"):
            report = json.loads(words)
            p50 = next(it["us"] for it in report["latency"]["percentiles"] if it["percent"] == 50)
            wrong = report["lost"] + report["corrupted"] + report["not_opened"]
            return figures(report["received"], report["rate_per_s"], p50, wrong)
        if found := re.search(r"done (\d+) (\d+) (\d+) (\d+)", words):
            done, elapsed_us, wrong, p50 = map(int, found.groups())
            return figures(done, done / elapsed_us * 1e6, p50, wrong)
        seconds, done = re.search(r"RunTime=([\d.]+) sec;.*ReceivedMessages=(\d+)", words).groups()
        p50 = float(re.search(r"percentile 50.000 = *([\d.]+)", words).group(1))
        return figures(int(done), int(done) / float(seconds), p50, 0)
    except (AttributeError, ValueError, KeyError, StopIteration) as error:
        raise CannotRun(f"`{' '.join(command)}` does not say what it has done: {error!r}") from error


def figures(done, rate, p50_us, errors):
    return {"done": done, "rate": rate, "p50_us": p50_us, "errors": errors, "connect_ms": 0}


def copied(command, launcher, size, is_compared=False):
    """A client that copies its standard input to the server and back, to a pipe that is drained beside it."""
    source = patterned(size) if is_compared else zeros(size)
    os.lseek(source, 0, os.SEEK_SET)
    client, report = launched(launcher, command, stdin=source)
    drain = ["cmp", "-", f"/proc/self/fd/{source}"] if is_compared else ["wc", "-c"]
    taker = subprocess.Popen(pinned(1, drain), stdin=client.stdout, stdout=subprocess.PIPE, pass_fds=[source])
    client.stdout.close()
    words, used = ended(client, report, lambda: taker.communicate()[0])
    if used is None:
        return None
    is_right = taker.returncode == 0 if is_compared else int(words) == size
    if not is_right:
        raise CannotRun(f"`{' '.join(command)}` does not give back what it was given")
    return figures(size, size / used.seconds, 0, 0) | used.figures(size)


@cache
def zeros(size):
    """A file of nothing, that costs no memory: most of the time is to be the client's."""
    descriptor = os.memfd_create("zeros")
    os.ftruncate(descriptor, size)
    return descriptor


@cache
def patterned(size):
    """A file in which each MiB is another, for the run that does not count."""
    descriptor = os.memfd_create("pattern")
    for number in range(size >> 20):
        os.write(descriptor, bytes((number + at * 7) % 251 for at in range(1024)) * 1024)
    return descriptor


@dataclass(frozen=True)
class Used:
    """What a client took, as measure.c says it."""

    cpu_us: int
    seconds: float
    peak_mib: float

    def figures(self, done):
        return {"cpu_us": self.cpu_us / done if done else 0, "peak_mib": self.peak_mib}


def launched(launcher, command, **streams):
    """The client under measure.c, and where that reports to."""
    reading, writing = os.pipe()
    words = pinned(1, [launcher, str(writing), "same", *command])
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "start_new_session": True}
    client = subprocess.Popen(words, pass_fds=[writing], **quiet, **streams)
    os.close(writing)
    return client, reading


def ended(client, report, read):
    """What `read` gives, and what the client took; None if it has to be ended."""
    timer = Timer(END, os.killpg, [client.pid, 9])
    timer.start()
    words = read()
    client.wait()
    timer.cancel()
    with open(report) as lines:
        told = lines.read().split()
    if client.returncode == -9:
        return None, None
    if client.returncode or not told or told[0] != "0":
        raise CannotRun(f"`{' '.join(client.args)}` ends with {told[0] if told else client.returncode}")
    _, user, system, wall, peak = map(int, told)
    return words, Used(user + system, wall / 1e6, peak / 1024)
