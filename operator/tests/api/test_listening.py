"""Where a server can be reached."""

from __future__ import annotations

import socket

import pytest
from spark_operator.serving import PortInUse, listen


def has_loopback_of_ipv6() -> bool:
    """A container may have the protocol, and no address of it."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def reaches(address: str, port: int) -> bool:
    with socket.create_connection((address, port), timeout=5):
        return True


def test_all_addresses_are_those_of_either_protocol() -> None:
    with listen(0) as listener:
        port = listener.getsockname()[1]
        assert reaches("127.0.0.1", port)
        # an IPv6-only cluster probes a pod there
        assert (listener.family is socket.AF_INET6) == socket.has_dualstack_ipv6()
        if has_loopback_of_ipv6():
            assert reaches("::1", port)


def test_one_address_is_that_address_alone() -> None:
    with listen(0, "127.0.0.1") as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
def test_a_port_that_is_taken_is_named(host: str) -> None:
    with listen(0, host) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"^port {port}.*: Address already in use"):
            listen(port, host)
