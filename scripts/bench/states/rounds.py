#!/usr/bin/env python3
"""Runs the rounds for one size, in a namespace that `run` has made for it. Reads its orders from stdin as JSON, writes
the samples to stdout as JSON and its progress to stderr. A namespace for each size, because the kernel throws the
sockets of a namespace away with it, and the next size need not wait for a minute."""

import json
import sys
import time

sys.dont_write_bytecode = True

from answers import complaints
from build import CannotRun
from contenders import Contender
from measuring import one_round
from namespace import prepare
from pile import Pile

# A machine that cannot do a round within the minute that a pile-up lasts gives no figures, rather than wrong ones.
MOST_DISCARDED = 3


def say(message):
    print(message, file=sys.stderr, flush=True)


def rounds_in_empty(launcher, contenders, rounds):
    """Nothing to keep up: a warm-up round and then the others."""
    one_round(launcher, contenders)
    kept = [{"sockets": 0, "samples": one_round(launcher, contenders)} for _ in range(rounds)]
    return {"wrong": complaints(contenders), "rounds": kept}


def warm_up(launcher, contenders):
    """Runs a round that does not count, and gives the seconds that it took."""
    begun = time.monotonic()
    one_round(launcher, contenders)
    return time.monotonic() - begun


def on_pile(pile, launcher, contenders, rounds):
    """Makes the pile, looks at the answers once, then runs the rounds."""
    say(f"{pile.size:,} sockets: {pile.make()}")
    wrong = complaints(contenders, pile)
    return {"wrong": wrong, "rounds": rounds_on_pile(pile, launcher, contenders, rounds)}


def rounds_on_pile(pile, launcher, contenders, rounds):
    """Rounds during which no socket expired, so that all contenders of a round met the same table."""
    takes, kept, discarded = warm_up(launcher, contenders), [], 0
    while len(kept) < rounds:
        if not pile.stands_for(1.25 * takes):
            say(f"{pile.size:,} sockets, {len(kept)} of {rounds} rounds: {pile.make()}")
        begun, before = time.monotonic(), pile.count()
        samples, after = one_round(launcher, contenders), pile.count()
        takes = time.monotonic() - begun
        if pile.is_enough(before) and pile.is_enough(after):
            kept.append({"sockets": min(before, after), "samples": samples})
            continue
        discarded += 1
        say(f"{pile.size:,} sockets: a round discarded, {before:,} before and {after:,} after")
        if discarded > MOST_DISCARDED:
            raise CannotRun(f"{pile.size:,} sockets do not last for a round of {takes:.0f} s: try --only")
    return kept


def main():
    order = json.load(sys.stdin)
    contenders = [Contender(**each) for each in order["contenders"]]
    launcher = order["programs"]["measure"]
    prepare()
    if not order["size"]:
        return rounds_in_empty(launcher, contenders, order["rounds"])
    pile = Pile(order["programs"], order["size"])
    try:
        return on_pile(pile, launcher, contenders, order["rounds"])
    finally:
        pile.close()


if __name__ == "__main__":
    try:
        json.dump(main(), sys.stdout)
    except CannotRun as error:
        say(f"rounds: {error}")
        sys.exit(3)
