"""Started inside a namespace by `run`: lets each waiter wait, in turn, and listens after a time that it cannot know.
Reads the order on standard input and writes the samples on standard output."""

import json
import random
import socket
import subprocess
import sys
import time

# Long enough for a pause that grows to have grown, and spread over a second, the pause of wait-for-it.
LEAST_S, SPREAD_S = 1.5, 1.0


def reaction_ms(command, port):
    """From the return of listen(2) to the end of the waiter's process."""
    waiter = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    time.sleep(LEAST_S + random.random() * SPREAD_S)
    if waiter.poll() is not None:
        raise SystemExit(f"{command[0]} did not wait: exit code {waiter.returncode}")
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen(64)
        began = time.monotonic()
        code = waiter.wait()
        took = (time.monotonic() - began) * 1000
    if code:
        raise SystemExit(f"{command[0]}: exit code {code}")
    return took


def main():
    order = json.load(sys.stdin)
    found = {name: [] for name in order["waiters"]}
    for _ in range(order["rounds"]):
        for name, command in order["waiters"].items():
            found[name].append(reaction_ms(command, order["port"]))
    json.dump(found, sys.stdout)


main()
