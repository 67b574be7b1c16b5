"""Answers each SYN to the ports that it is given with an ICMP error of its own making.

The argument is JSON: for each port, type and code. Prints a line once it listens. The packets are
seen before the packet filter drops them, so that nothing else answers.
"""

import json
import socket
import struct
import sys

ETH_P_ALL = 3


def checksum(data):
    """The checksum of the internet, RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def main():
    """Watches all interfaces."""
    errors = {int(port): error for port, error in json.loads(sys.argv[1]).items()}
    watch = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    four = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    print("watching", flush=True)
    while True:
        packet, sender = watch.recvfrom(2048)
        if sender[2] == socket.PACKET_OUTGOING or len(packet) < 44:
            continue
        is_six = packet[0] >> 4 == 6
        head = 40 if is_six else 20
        protocol = packet[6 if is_six else 9]
        port = int.from_bytes(packet[head + 2:head + 4])
        if protocol != socket.IPPROTO_TCP or port not in errors:
            continue
        kind, code = errors[port][1 if is_six else 0]
        quoted = packet[:head + 20]
        if is_six:
            source = socket.inet_ntop(socket.AF_INET6, packet[8:24])
            # Its checksum covers addresses too; the kernel makes it.
            six.sendto(struct.pack("!BBHI", kind, code, 0, 0) + quoted, (source, 0))
        else:
            source = socket.inet_ntoa(packet[12:16])
            bare = struct.pack("!BBHI", kind, code, 0, 0) + quoted
            made = bare[:2] + struct.pack("!H", checksum(bare)) + bare[4:]
            four.sendto(made, (source, 0))


main()
