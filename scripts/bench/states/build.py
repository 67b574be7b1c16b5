"""Builds the programs that the benchmark runs, into target/bench: the C ones with cc, the procfs peer with cargo."""

import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TARGET = ROOT / "target" / "bench"
NETKIT = ROOT / "target" / "release" / "netkit"
PEER = TARGET / "procfs-peer" / "release" / "procfs-peer"


class CannotRun(Exception):
    """The benchmark cannot go on. Its message is for the reader; the exit code is 3."""


def compile_c(*names):
    """Compiles NAME.c of this folder and gives {name: path}."""
    TARGET.mkdir(parents=True, exist_ok=True)
    programs = {}
    for name in names:
        programs[name] = TARGET / name
        command = ["cc", "-O2", "-Wall", "-o", programs[name], HERE / f"{name}.c"]
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotRun(f"compiling {name}.c: {error}") from error
    return programs


def build_peer():
    """Builds the program on the procfs crate. Where that fails, the peer is merely absent from the table."""
    if not shutil.which("cargo"):
        return
    environment = dict(os.environ, CARGO_TARGET_DIR=str(TARGET / "procfs-peer"))
    command = ["cargo", "build", "--release", "--locked", "--quiet"]
    subprocess.run(command, cwd=HERE / "procfs-peer", env=environment, check=False)
