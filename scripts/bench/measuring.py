"""One run of one contender, measured by measure.c, and a round of all of them in turn."""

import os
import subprocess
from dataclasses import asdict, dataclass

from ending import CannotRun


@dataclass(frozen=True)
class Sample:
    exit_code: int
    cpu_ms: float
    wall_ms: float
    peak_mib: float


def measure(launcher, contender):
    """Runs the contender alone: its CPU, wall clock and peak memory, without the launcher's and the drain's."""
    reading, writing = os.pipe()
    command = [launcher, str(writing), contender.output, *contender.command]
    # A contender's own words would tear the table; its exit code says that it failed.
    silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command, pass_fds=[writing], check=False, **silent)
    os.close(writing)
    with open(reading) as report:
        figures = report.read().split()
    if not figures:
        raise CannotRun(f"`{' '.join(contender.command)}` could not be started")
    code, user, system, wall, peak = map(int, figures)
    return Sample(code, (user + system) / 1000, wall / 1000, peak / 1024)


def one_round(launcher, contenders):
    """A B C and so on, one after the other: whatever slows the machine for a while slows them all."""
    return {each.name: asdict(measure(launcher, each)) for each in contenders}
