"""An echo server by Python's selectors, as its documentation shows one: what a script would use."""

import selectors
import socket
import sys

selector = selectors.DefaultSelector()


def take(listener):
    connection, _ = listener.accept()
    connection.setblocking(False)
    selector.register(connection, selectors.EVENT_READ, echo)


def echo(connection):
    data = connection.recv(65536)
    if data:
        connection.send(data)
    else:
        selector.unregister(connection)
        connection.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096)
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ, take)
print("serving", flush=True)
while True:
    for key, _ in selector.select():
        key.data(key.fileobj)
