"""The network namespace in which everything happens: nothing of it reaches the host's sockets, nor theirs the figures."""

import os
import subprocess

from build import CannotRun

# No port may be taken twice while its socket waits, and no socket may be dropped for want of a bucket.
SETTINGS = {"tcp_tw_reuse": 0, "tcp_max_tw_buckets": 1_000_000}


def inside(command):
    """The command, put into a network namespace of its own."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", *map(str, command)]


def prepare():
    """Brings the loopback up and makes the settings. Only ever to be called inside."""
    if open("/proc/net/dev").read().count(":") > 1:
        raise CannotRun("this is not a namespace of its own: it has interfaces besides `lo`")
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for name, value in SETTINGS.items():
            with open(f"/proc/sys/net/ipv4/{name}", "w") as setting:
                setting.write(str(value))
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotRun(f"preparing the namespace: {error}") from error
