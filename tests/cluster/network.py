"""A network of the cluster's own: a namespace joined to the host by a veth pair; nothing goes further.

The namespace (and a mount namespace with it) is held by a process and has no name: when the last process of
the cluster has ended, the kernel removes both, the veth pair and all mounts, however they ended.
"""

from __future__ import annotations

import ipaddress
import os
import subprocess
import urllib.request
from dataclasses import dataclass

# RFC 2544: addresses for tests inside one network, routed nowhere. One block of four addresses each checkout.
POOL = ipaddress.ip_network("198.18.0.0/15")
POD_ADDRESSES = "10.244.0.0/24"


@dataclass(frozen=True)
class Network:
    host: str
    node: str
    host_interface: str

    def join(self, holder: int) -> None:
        """Makes the veth pair between the host and the network namespace of process `holder`."""
        _refuse_taken(self)
        node = ["nsenter", f"--target={holder}", "--net", "ip"]
        peer = ["peer", "name", "eth0", "netns", str(holder)]
        _run("ip", "link", "add", self.host_interface, "type", "veth", *peer)
        _run("ip", "address", "add", f"{self.host}/30", "dev", self.host_interface)
        _run("ip", "link", "set", self.host_interface, "up")
        _run(*node, "address", "add", f"{self.node}/30", "dev", "eth0")
        _run(*node, "link", "set", "lo", "up")
        _run(*node, "link", "set", "eth0", "up")
        _run(*node, "route", "add", "default", "via", self.host)

    def leave(self) -> None:
        """Removes the veth pair where the kernel has not yet done so."""
        subprocess.run(["ip", "link", "delete", self.host_interface], capture_output=True)


def of(name: str) -> Network:
    """The network of the checkout whose hash is `name`."""
    block = int(name[:8], 16) % (POOL.num_addresses // 4)
    first = POOL.network_address + 4 * block
    return Network(str(first + 1), str(first + 2), f"spark{name[:8]}")


def ask_directly(*addresses: str) -> None:
    """Keeps this process and those that it starts from asking a proxy of the machine for these."""
    if not urllib.request.getproxies_environment():
        return
    for name in ("no_proxy", "NO_PROXY"):
        known = [each for each in os.environ.get(name, "").split(",") if each]
        os.environ[name] = ",".join(dict.fromkeys([*known, *addresses]))


def _refuse_taken(network: Network) -> None:
    taken = _run("ip", "-oneline", "address", "show", "to", f"{network.host}/30")
    if taken:
        raise RuntimeError(f"{network.host}/30 is used on this machine already: {taken}")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()
