"""What `netkit bind` is compared with: the commands by which people look for who has a port."""

from contender import Bar, Contender

USED, FREE = 8080, 8081
# Of each scene the address whose port USED is in use, and nothing has FREE.
ADDRESSES = {"few": "127.0.0.1", "pile": "127.1.0.1", "server": "127.0.0.1"}
PEERS = ["ss", "lsof", "fuser"]


def tools(netkit, target):
    """{name: command} for a target as `netkit bind` takes it."""
    if target.startswith("unix:"):
        path = target.removeprefix("unix:")
        tellers = [["ss", "-Hxap", "src", path], ["lsof", "-nP", path], ["fuser", path]]
    else:
        port = target.rsplit(":", 1)[1]
        tellers = [["ss", "-Htanp", f"sport = :{port}"], ["lsof", "-nP", f"-iTCP:{port}"], ["fuser", f"{port}/tcp"]]
    return {"netkit": [netkit, "bind", target], **dict(zip(PEERS, tellers))}


def bars(where, use):
    """netkit also tries what helps, and finds what ss does not, for which it has a quarter more. Its memory grows with
    the sockets that are in the way."""
    found = [Bar("cpu_ms", 1.25, f"ss-{use}"), Bar("cpu_ms", 1, f"lsof-{use}"), Bar("cpu_ms", 1, f"fuser-{use}")]
    return found if where == "server" else [*found, Bar("peak_mib", 8)]


def of_scene(netkit, where):
    """A row for each of them and either port."""
    for use, port in (("used", USED), ("free", FREE)):
        for name, command in tools(netkit, f"{ADDRESSES[where]}:{port}").items():
            yield Contender(
                f"{name}-{use}",
                command,
                bars=bars(where, use) if name == "netkit" else [],
                where=where,
                exit_code=EXIT_CODES[name][use],
                pattern=PATTERNS[use],
            )


# netkit says whether it is free, the others whether they found anything; ss does not say.
EXIT_CODES = {
    "netkit": {"used": 1, "free": 0},
    "ss": {"used": 0, "free": 0},
    "lsof": {"used": 0, "free": 1},
    "fuser": {"used": 0, "free": 1},
}
# A process, as in `pid 1234`, `pid=1234` or ` 1234`; and no word but that the port is free.
PATTERNS = {"used": r"(pid[ =]| )\d+\b", "free": r"\A(FREE .*)?\s*\Z"}


def all_contenders(netkit):
    return [each for where in ADDRESSES for each in of_scene(netkit, where)]
