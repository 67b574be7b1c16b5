#!/usr/bin/env python3
"""Which of the tools names what is in the way, in each `address-in-use` scenario of `netkit lab`. Started by `run`, and
started again inside each scenario, where it looks up the truth and runs the tools."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))

from contenders import PEERS, USED, tools
from ending import CannotRun
from rows import in_time_wait
from scene import Scene


@dataclass(frozen=True)
class Condition:
    """`fact` is what has to be in the answer, by one of FACTS."""

    words: str
    scenario: str
    address: str
    fact: str = "process"


CONDITIONS = [
    Condition("another listener", "listener", "127.0.0.1"),
    Condition("bound, does not listen", "bound", "127.0.0.1"),
    Condition("TIME_WAIT of a gone server", "time-wait", "127.0.0.1", "connection"),
    Condition("an outgoing connection", "outgoing", "0.0.0.0"),
    Condition("[::] that has 0.0.0.0 too", "dual-stack", "0.0.0.0"),
    Condition("the file of a gone server", "unix-stale", "unix", "staleness"),
]


def holder():
    """The process that holds the scenario's sockets: the other child of our parent (docs/lab.md, How it works)."""
    parent = os.getppid()
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    [other] = set(children) - {str(os.getpid())}
    return other


def remote_end():
    """The other end of the one connection in TIME_WAIT."""
    [key] = in_time_wait()
    return ":".join(key.split()[2:])


FACTS = {"process": holder, "connection": remote_end, "staleness": lambda: "STALE"}


def socket_file():
    """The scenario's, on the tmpfs that only its mount namespace has."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    [found] = [path for mount in mounts if mount[0] == "netkit" for path in Path(mount[1]).glob("*.sock")]
    return found


def word(command, fact):
    """`named`, `not named` where something else was printed, `silent` where nothing was."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "not installed"
    words = ran.stdout.replace("=", " ").replace(",", " ").replace(")", " ").split()
    return "named" if fact in words else "not named" if words else "silent"


def inside(netkit, condition):
    fact = FACTS[condition.fact]()
    target = f"unix:{socket_file()}" if condition.address == "unix" else f"{condition.address}:{USED}"
    return {name: word(command, fact) for name, command in tools(netkit, target).items()}


def ask(netkit, index, condition):
    scene = Scene("condition", f"address-in-use-{condition.scenario}")
    command = scene.shell(netkit, [sys.executable, __file__, netkit, index])
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode:
        raise CannotRun(f"no answers in `{scene.scenario}`")
    return json.loads(ran.stdout)


def print_table(netkit):
    """Runs and prints them all."""
    names = ["netkit", *PEERS]
    print(f"\n{'in the way':<27} {'looked for':<11}" + "".join(f"{name:<14}" for name in names).rstrip())
    for index, condition in enumerate(CONDITIONS):
        answers = ask(netkit, index, condition)
        cells = "".join(f"{answers[name]:<14}" for name in names)
        print(f"{condition.words:<27} {condition.fact:<11}{cells}".rstrip(), flush=True)


if __name__ == "__main__":
    json.dump(inside(sys.argv[1], CONDITIONS[int(sys.argv[2])]), sys.stdout)
