"""A benchmark from its command line to its table: the contenders of each scene, round by round."""

import argparse
import json
import os
from pathlib import Path

from build import NETKIT, compile_c, existing
from contender import chosen
from scene import collect
from table import HEAD, lines, result


def names(text):
    return [name for name in text.split(",") if name]


def sizes(text):
    return [int(size) for size in names(text)]


def parser_of(description, sockets):
    """What all of them take that make piles."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--sockets", type=sizes, default=sockets, metavar="N[,N]", help="in TIME_WAIT")
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    parser.add_argument("--netkit", type=Path, default=NETKIT, metavar="PATH")
    return parser


def parsed(parser):
    arguments = parser.parse_args()
    if arguments.rounds < 1 or min(arguments.sockets, default=1) < 1:
        parser.error("--rounds and --sockets need numbers above 0")
    arguments.netkit = existing(arguments.netkit)
    return arguments


def read_arguments(description, sockets, contenders_of):
    """The arguments, and those contenders that are asked for."""
    parser = parser_of(description, sockets)
    parser.add_argument("--only", type=names, default=[], metavar="NAME[,NAME]", help="these contenders and their peers")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all samples besides")
    arguments = parsed(parser)
    known = contenders_of(str(arguments.netkit))
    try:
        return arguments, chosen(known, arguments.only)
    except KeyError as error:
        parser.error(f"unknown contender {error}: there are {', '.join(dict.fromkeys(each.name for each in known))}")


def machine(rounds):
    system = os.uname()
    return f"Linux {system.release} {system.machine}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, medians of {rounds} rounds"


def scene_results(scene, contenders, arguments, programs):
    """The results of one scene for those contenders that belong there, those not installed included."""
    belonging = [each for each in contenders if each.where == scene.where]
    present = [each for each in belonging if each.is_there()]
    if not present:
        return []
    answer = collect(scene, arguments.netkit, present, arguments.rounds, programs)
    return [result(each, answer) | {"scene": scene.where, "size": scene.sockets} for each in belonging]


def run(arguments, contenders, scenes):
    """Prints the rows of each scene as soon as they are there. Gives the exit code."""
    programs = compile_c("floor.c", "measure.c")
    print(machine(arguments.rounds), HEAD.rstrip(), sep="\n", flush=True)
    found = []
    for scene in scenes:
        rows = scene_results(scene, contenders, arguments, programs)
        for row in rows:
            print("\n".join(lines(row)), flush=True)
        found += rows
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))
    return 3 if any(row["wrong"] for row in found) else 0
