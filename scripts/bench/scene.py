"""Where the contenders run: inside a scenario of `netkit lab`, which makes a network namespace with its sockets, holds
it for a command, and leaves nothing."""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from build import BENCH
from ending import CannotRun

# TIME_WAIT lasts 60 s (TCP_TIMEWAIT_LEN), counted from the first socket. Timers are late, never early.
LIFETIME = 59.0


@dataclass(frozen=True)
class Scene:
    """`sockets` is how many are in TIME_WAIT. `where` is what contenders call it. `within` is a program that the rounds
    run under, for what the scenario does not have."""

    where: str
    scenario: str
    sockets: int = 0
    within: tuple = ()

    def shell(self, netkit, command):
        """The command line that runs `command` inside."""
        size = ["--sockets", str(self.sockets)] if self.sockets else []
        return [str(netkit), "lab", "shell", self.scenario, *size, "--", *self.within, *map(str, command)]


def pile(sockets):
    return Scene("pile", "time-wait-pileup", sockets)


def ask_inside(scene, netkit, order):
    """What rounds.py answers inside. The sockets of a pile are made now, so no answer is later than `until`."""
    until = time.monotonic() + LIFETIME if scene.sockets else float("inf")
    order = json.dumps(order | {"sockets": scene.sockets, "until": until})
    command = scene.shell(netkit, [sys.executable, BENCH / "rounds.py"])
    ran = subprocess.run(command, input=order, stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode:
        raise CannotRun(f"no figures of `{scene.scenario}` with {scene.sockets:,} sockets")
    return json.loads(ran.stdout)


def collect(scene, netkit, contenders, rounds, programs):
    """So many rounds of one scene, and what is wrong with the answers. A pile is made anew as often as it takes."""
    order = {"programs": programs, "contenders": [asdict(each) | {"bars": []} for each in contenders], "takes": None}
    kept, wrong, discarded = [], None, 0
    while len(kept) < rounds:
        answer = ask_inside(scene, netkit, order | {"rounds": rounds - len(kept), "discarded": discarded})
        kept += answer["rounds"]
        wrong = answer["wrong"] if wrong is None else wrong
        # The first of several may have had the time for the look at the answers alone.
        if not answer["rounds"] and order["takes"]:
            raise CannotRun(f"{scene.sockets:,} sockets do not last for a round of {answer['takes']:.0f} s: try --only")
        order["takes"], discarded = answer["takes"], answer["discarded"]
        if len(kept) < rounds:
            print(f"{scene.sockets:,} sockets: {len(kept)} of {rounds} rounds", file=sys.stderr, flush=True)
    return {"wrong": wrong, "rounds": kept}
