"""Builds the programs that the benchmarks run, into target/bench: the C ones with cc, the Rust one with rustc, the procfs peer with
cargo."""

import os
import shutil
import subprocess
from pathlib import Path

from ending import CannotRun

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parents[1]
TARGET = ROOT / "target" / "bench"
NETKIT = ROOT / "target" / "release" / "netkit"
PEER = TARGET / "procfs-peer" / "release" / "procfs-peer"


def existing(netkit):
    """The path of a netkit. Without one there are no scenes to run in."""
    if not netkit.exists():
        raise CannotRun(f"there is no `{netkit}`: `cargo build --release` makes it")
    return netkit.resolve()


def compile_c(*sources):
    """Compiles files below this folder and gives {stem: path}."""
    TARGET.mkdir(parents=True, exist_ok=True)
    programs = {}
    for source in map(Path, sources):
        program = TARGET / source.stem
        try:
            subprocess.run(["cc", "-O2", "-Wall", "-o", program, BENCH / source], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotRun(f"compiling {source}: {error}") from error
        programs[source.stem] = str(program)
    return programs


def compile_rust(source):
    """Compiles a file below this folder as netkit is compiled, and gives its path."""
    TARGET.mkdir(parents=True, exist_ok=True)
    program = TARGET / Path(source).stem
    flags = ["-O", "-C", "lto=fat", "-C", "codegen-units=1", "-C", "strip=symbols"]
    try:
        subprocess.run(["rustc", "--edition", "2024", *flags, "-o", program, BENCH / source], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotRun(f"compiling {source}: {error}") from error
    return str(program)


def build_peer():
    """Builds the program on the procfs crate. Where that fails, the peer is merely absent from the table."""
    if not shutil.which("cargo"):
        return
    environment = dict(os.environ, CARGO_TARGET_DIR=str(TARGET / "procfs-peer"))
    command = ["cargo", "build", "--release", "--locked", "--quiet"]
    subprocess.run(command, cwd=BENCH / "states" / "procfs-peer", env=environment, check=False)
