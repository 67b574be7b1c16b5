#!/usr/bin/env python3
"""Runs rounds inside a scene, for as long as none of its sockets expires. Reads its orders from stdin as JSON, and
writes the samples to stdout as JSON."""

import json
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from answers import complaints, is_near
from contender import Contender
from ending import CannotRun, exit_with
from measuring import one_round

# A machine on which the table does not keep still gives no figures, rather than wrong ones.
MOST_DISCARDED = 3


def count(floor):
    """How many sockets are in TIME_WAIT now, by the floor program."""
    ran = subprocess.run([floor, "0x40"], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise CannotRun(ran.stderr.strip())
    return int(ran.stdout)


def one_counted(order, contenders):
    """A round, and the lesser of the counts before and after it; None if that is not the table that was asked for.
    Where no pile was asked for, what the contenders themselves leave is no fault."""
    programs, sockets = order["programs"], order["sockets"]
    before, samples, after = count(programs["floor"]), one_round(programs["measure"], contenders), count(programs["floor"])
    if not sockets or (is_near(before, sockets) and is_near(after, sockets)):
        return {"sockets": min(before, after), "samples": samples}
    print(f"{sockets:,} sockets: a round discarded, {before:,} before and {after:,} after", file=sys.stderr, flush=True)
    return None


def answer_to(order):
    """The first order of a scene comes without the time that a round takes: the answers are looked at then, which is the
    round that does not count."""
    contenders = [Contender(**each) for each in order["contenders"]]
    kept, wrong, takes, discarded = [], None, order["takes"], order["discarded"]
    begun = time.monotonic()
    if takes is None:
        wrong = complaints(contenders, order["sockets"], order["until"])
        takes = time.monotonic() - begun
    while len(kept) < order["rounds"] and time.monotonic() + 1.25 * takes < order["until"]:
        begun, counted = time.monotonic(), one_counted(order, contenders)
        takes = time.monotonic() - begun
        kept += [counted] if counted else []
        discarded += not counted
        if discarded > MOST_DISCARDED:
            raise CannotRun(f"{order['sockets']:,} sockets do not keep still")
    return {"rounds": kept, "wrong": wrong, "takes": takes, "discarded": discarded}


def main():
    json.dump(answer_to(json.load(sys.stdin)), sys.stdout)
    return 0


exit_with(main)
