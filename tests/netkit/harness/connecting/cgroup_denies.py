"""Forbids connect(2) to the programs of a cgroup, by a BPF program that says 0, "no"."""

import ctypes
import os
import platform
import struct
import sys

BPF_PROG_LOAD, BPF_PROG_ATTACH = 5, 8
BPF_PROG_TYPE_CGROUP_SOCK_ADDR = 18
BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT = 10, 11
SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
# r0 = 0; exit
PROGRAM = struct.pack("<BBhi", 0xB7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0)

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    """bpf(2)."""
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"))
    result = libc.syscall(SYS_BPF, command, buffer, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def main():
    """Loads and attaches it for each family."""
    group = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
    code, licence = ctypes.create_string_buffer(PROGRAM), ctypes.create_string_buffer(b"GPL")
    for kind in (BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT):
        load = struct.pack("<IIQQIIQII16sII", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, 2,
                           ctypes.addressof(code), ctypes.addressof(licence), 0, 0, 0, 0, 0,
                           b"", 0, kind)
        program = bpf(BPF_PROG_LOAD, load)
        bpf(BPF_PROG_ATTACH, struct.pack("<IIII", group, program, kind, 0))


main()
