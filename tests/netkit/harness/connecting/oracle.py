"""What Python's own connect_ex says in its three modes.

Reads a JSON list of command lines as netkit has them, and prints a JSON object: for each line, the
codes of a blocking socket, of one with a timeout and of a non-blocking one, what the last came
to, and whether the code was raised and not returned. Arguments: --one-by-one instead of all at once; --as-nobody, without any rights.
"""

import argparse
import json
import os
import select
import socket
import struct
import sys
import threading

# As netkit is given it: a second after a SYN was sent again, and two before the kernel gives up in
# the namespaces of these tests.
DEADLINE = 2.0
IP_TTL_OF = {socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TTL),
             socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)}
UNIX_KINDS = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM,
              "seqpacket": socket.SOCK_SEQPACKET}


def parser():
    """The options that connect(2) can feel."""
    options = argparse.ArgumentParser()
    options.add_argument("target")
    options.add_argument("--ttl", type=int)
    options.add_argument("--source")
    options.add_argument("--interface")
    options.add_argument("--type", default="stream", choices=UNIX_KINDS)
    return options


def internet(text):
    """`HOST:PORT`, or a bare address, as the address of a socket."""
    has_port = "]:" in text or text.count(":") == 1
    host, port = text.rsplit(":", 1) if has_port else (text, "0")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    info = socket.getaddrinfo(host, int(port), family, flags=socket.AI_NUMERICHOST)
    return family, info[0][4]


class Question:
    """One command line."""

    def __init__(self, line):
        self.options = parser().parse_args(line.split())
        target = self.options.target
        if target.startswith("unix:"):
            path = target[len("unix:"):]
            self.family, self.kind = socket.AF_UNIX, UNIX_KINDS[self.options.type]
            self.address = "\0" + path[1:] if path.startswith("@") else path
        else:
            is_udp = target.startswith("udp://")
            self.kind = socket.SOCK_DGRAM if is_udp else socket.SOCK_STREAM
            self.family, self.address = internet(target.removeprefix("udp://"))
        self.source = self.options.source and internet(self.options.source)[1]

    def socket(self):
        """A socket as the options want it, which leaves no TIME_WAIT."""
        made = socket.socket(self.family, self.kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.family == socket.AF_UNIX:
            # connect(2) would wait for a place in the backlog without end.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 500000))
        if self.options.ttl is not None:
            made.setsockopt(*IP_TTL_OF[self.family], self.options.ttl)
        if self.options.interface is not None:
            name = self.options.interface.encode()
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name)
        if self.source is not None:
            made.bind(self.source)
        return made

    def ask(self, mode):
        """The code of connect_ex in this mode, and in the end; whether it was raised before."""
        try:
            asking = self.socket()
        except OSError as error:
            return error.errno, error.errno, True
        with asking:
            asking.settimeout({"block": None, "timeout": DEADLINE, "nonblock": 0}[mode])
            code = asking.connect_ex(self.address)
            later = self.spoken(asking) if code == 0 else self.outcome(asking, code)
            return code, later, False

    def outcome(self, asking, code):
        """What a connect in progress comes to."""
        if code != 115:
            return code
        poll = select.poll()
        poll.register(asking, select.POLLOUT | select.POLLERR)
        if not poll.poll(DEADLINE * 1000):
            return code
        return asking.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def spoken(self, asking):
        """What a datagram comes to: connect(2) sends none."""
        if self.kind != socket.SOCK_DGRAM or self.family == socket.AF_UNIX:
            return 0
        asking.settimeout(DEADLINE / 2)
        try:
            asking.send(b"?")
            asking.recv(1)
            return 0
        except TimeoutError:
            return 11
        except OSError as error:
            return error.errno


def main():
    """Asks all at once, or one by one."""
    lines = json.load(sys.stdin)
    answers = {line: {} for line in lines}
    questions = {line: Question(line) for line in lines}
    if "--as-nobody" in sys.argv:
        # Python's own files may be out of his reach, so what it loads is loaded by now.
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    def ask(line, mode):
        answers[line][mode], later, is_raised = questions[line].ask(mode)
        if mode == "nonblock":
            answers[line].update(later=later, is_raised=is_raised)

    threads = []
    for line in lines:
        for mode in ("block", "timeout", "nonblock"):
            thread = threading.Thread(target=ask, args=(line, mode))
            thread.start()
            if "--one-by-one" in sys.argv:
                thread.join()
            threads.append(thread)
    for thread in threads:
        thread.join()
    json.dump(answers, sys.stdout)


main()
