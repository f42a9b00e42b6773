"""Machines made of one: network namespaces, which talk over TCP as machines on a switch do.

Linux lets root give a process a network of its own. Here each namespace has one address, and a
bridge joins them. Processes in two of them share a processor, and no loopback.
"""

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

LAUNCH = """#!/bin/sh
# Called by hydra where it would call ssh: options, a host, a command.
while [ "${{1#-}}" != "$1" ]; do shift; done
host=$1; shift
exec ip netns exec "{prefix}${{host##*.}}" sh -c "$*"
"""


def unavailable() -> str:
    """Why there can be no namespaces here; empty if there can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "only root may make network namespaces"
    if shutil.which("ip") is None:
        return "there is no ip command (Debian: iproute2)"
    name = f"probe{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        return "this system makes no network namespaces"
    _ip("netns", "del", name)
    return ""


@contextlib.contextmanager
def joined(count: int) -> Iterator[list[str]]:
    """Yield the options of MPICH's mpiexec that start ranks in ``count`` namespaces."""
    prefix, bridge = f"tc{os.getpid()}n", f"tc{os.getpid()}b"
    net = f"10.213.{os.getpid() % 250}"
    with contextlib.ExitStack() as undo, tempfile.TemporaryDirectory() as folder:
        _ip("link", "add", bridge, "type", "bridge")
        undo.callback(_ip, "link", "del", bridge)
        _ip("addr", "add", f"{net}.254/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number in range(1, count + 1):
            undo.callback(_ip, "netns", "del", f"{prefix}{number}")
            _add(f"{prefix}{number}", bridge, f"{net}.{number}/24")
        script = Path(folder) / "launch"
        script.write_text(LAUNCH.format(prefix=prefix))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        hosts = ",".join(f"{net}.{number}" for number in range(1, count + 1))
        yield [
            *("-launcher", "ssh", "-launcher-exec", str(script), "-iface", bridge),
            *("-genv", "UCX_TLS", "tcp,self", "-genv", "UCX_NET_DEVICES", "eth0"),
            *("-hosts", hosts),
        ]


def _add(name: str, bridge: str, address: str) -> None:
    _ip("netns", "add", name)
    outside = name.replace("n", "v")
    _ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("link", "set", outside, "master", bridge, "up")
    _ip("-n", name, "addr", "add", address, "dev", "eth0")
    for device in ("lo", "eth0"):
        _ip("-n", name, "link", "set", device, "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
