"""Reads the sockets that a program printed, and compares them with those that are known to be there. The key of a socket
is its two ends, as text: `local-address local-port remote-address remote-port`."""

import json
import sys
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """What a table held: its rows, those of them that came before, the most frequent socket, and known ones not in it."""

    rows: int
    repeated: int
    most: int
    missing: int
    unread: int


def of_ndjson(line):
    """netkit's `--format ndjson`."""
    row = json.loads(line)
    local, remote = row["local"], row["remote"]
    return f"{local['address']} {local['port']} {remote['address']} {remote['port']}"


def of_ss(line):
    """`ss -Htan`: the state, two queues, and the two ends."""
    local, remote = line.split()[3:5]
    return " ".join([*local.rsplit(":", 1), *remote.rsplit(":", 1)])


def of_proc(line):
    """/proc/net/tcp: a number, which widens as it grows, and the two ends in hexadecimal."""
    local, remote = line.split()[1:3]
    return f"{proc_end(local)} {proc_end(remote)}"


def proc_end(text):
    """An address is in the host's byte order there; a port is not."""
    address, port = text.split(":")
    octets = int(address, 16).to_bytes(4, sys.byteorder)
    return f"{'.'.join(map(str, octets))} {int(port, 16)}"


def in_time_wait():
    """All sockets of IPv4 in TIME_WAIT. To be read only while the table keeps still: see README.md on `cat`."""
    with open("/proc/net/tcp") as table:
        return {of_proc(line) for line in table if line.split()[3] == "06"}


def compare(path, key_of, known):
    """Reads the file and compares it with the set `known`. A line that cannot be read costs that line, and is counted."""
    seen, unread = Counter(), 0
    with open(path, errors="replace") as lines:
        for line in lines:
            try:
                seen[key_of(line)] += 1
            except (ValueError, KeyError, IndexError, TypeError):
                unread += 1
    rows, most = seen.total(), max(seen.values(), default=0)
    return Comparison(rows, rows - len(seen), most, len(known - seen.keys()), unread)
