"""Clients of an echo server, in Python: clients.py WHAT PORT PATH. Nothing is said, or what is wrong."""

import asyncio
import random
import socket
import struct
import sys
import threading
import time

MIB = 1 << 20


def connected(port, path, kind):
    if kind == "tcp":
        return socket.create_connection(("127.0.0.1", port), timeout=20)
    one = socket.socket(socket.AF_UNIX)
    one.settimeout(20)
    one.connect(path)
    return one


def take(one, expected, pause=0.0):
    """Reads to the end, and compares."""
    at = 0
    while data := one.recv(1 << random.randrange(6, 19)):
        assert data == expected[at : at + len(data)], f"wrong between {at} and {at + len(data)}"
        at += len(data)
        time.sleep(pause)
    assert at == len(expected), f"{at} of {len(expected)} bytes"


def stream(port, path, kind, length, pause=0.0):
    """`length` bytes in pieces of random sizes, then a half-close; a reader at the same time."""
    sent = random.randbytes(MIB) * (length // MIB)
    with connected(port, path, kind) as one:
        failed = []

        def read():
            try:
                take(one, sent, pause)
            except BaseException as error:
                failed.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        at = 0
        while at < len(sent):
            at += one.send(sent[at : at + (1 << random.randrange(0, 20)) + random.randrange(999)])
        one.shutdown(socket.SHUT_WR)
        reader.join()
        assert not failed, failed


def random_chunks(port, path):
    """100 MiB over each kind of stream."""
    stream(port, path, "tcp", 100 * MIB)
    stream(port, path, "unix", 100 * MIB)


def slow_reader(port, path):
    stream(port, path, "tcp", 4 * MIB, 0.002)
    stream(port, path, "unix", 4 * MIB, 0.002)


def half_close(port, path):
    """What was sent before the half-close comes back after it, and then the end."""
    for kind in ("tcp", "unix"):
        with connected(port, path, kind) as one:
            one.sendall(b"a" * 1000)
            one.shutdown(socket.SHUT_WR)
            time.sleep(0.05)
            take(one, b"a" * 1000)


def reset(port, path):
    """Connections that are reset in the middle do not harm the one beside them."""
    with connected(port, path, "tcp") as beside:
        for _ in range(20):
            one = connected(port, path, "tcp")
            one.sendall(random.randbytes(MIB // 4))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
        beside.sendall(b"still there?")
        beside.shutdown(socket.SHUT_WR)
        take(beside, b"still there?")


def datagrams(port, path):
    """Each from a port of its own, and each whole; the reply is from where it was asked."""
    for length in (1, 512, 1400, 9000, 65507):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.settimeout(5)
            sent = random.randbytes(length)
            one.sendto(sent, ("127.0.0.1", port))
            data, source = one.recvfrom(70000)
            assert (data, source) == (sent, ("127.0.0.1", port)), (length, source)


def thousand(port, path):
    """1,000 at once of asyncio, each with bytes of its own."""

    async def one(number, gate):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        gate.append(number)
        while len(gate) < 1000:
            await asyncio.sleep(0.01)
        sent = number.to_bytes(4, "big") * 500
        writer.write(sent)
        assert await reader.readexactly(len(sent)) == sent, number
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()

    async def all_of_them():
        gate = []
        await asyncio.wait_for(asyncio.gather(*(one(it, gate) for it in range(1000))), 30)

    asyncio.run(all_of_them())


def tutorial(port, path):
    """The client of the tutorials: a prompt's lines, one recv for each. The server makes them large."""
    host = "127.0.0.1"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.connect((host, port))
        for line in ("hello", "zwölf Boxkämpfer", "bye"):
            s.sendall(line.encode())
            data = s.recv(1024)
            assert data.decode() == line.upper(), data


if __name__ == "__main__":
    globals()[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
