"""Echo servers in Python: servers.py WHAT PORT|PATH. `ready` is said when it serves."""

import asyncio
import socket
import struct
import sys


def ready():
    print("ready", flush=True)


def listening(where):
    if where.isdigit():
        one = socket.create_server(("127.0.0.1", int(where)))
    else:
        one = socket.socket(socket.AF_UNIX)
        one.bind(where)
        one.listen()
    ready()
    return one


def plain(where):
    """socket, one connection after the other."""
    with listening(where) as server:
        while True:
            conn, _ = server.accept()
            with conn:
                while data := conn.recv(65536):
                    conn.sendall(data)


def streams(where):
    """asyncio."""

    async def echo(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve():
        if where.isdigit():
            server = await asyncio.start_server(echo, "127.0.0.1", int(where), backlog=1024)
        else:
            server = await asyncio.start_unix_server(echo, where)
        ready()
        await server.serve_forever()

    asyncio.run(serve())


def datagrams(where):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", int(where)))
        ready()
        while True:
            server.sendto(*server.recvfrom(70000))


def upper(where):
    """The server of the tutorials: what one recv brought, in capitals."""
    HOST, PORT = "127.0.0.1", int(where)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind((HOST, PORT))
        s.listen()
        ready()
        conn, addr = s.accept()
        with conn:
            while True:
                data = conn.recv(1024)
                if not data:
                    break
                conn.sendall(data.decode().upper().encode())


def reset(where):
    """Resets each connection after the first bytes."""
    with listening(where) as server:
        while True:
            conn, _ = server.accept()
            conn.sendall(conn.recv(1000))
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            conn.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
