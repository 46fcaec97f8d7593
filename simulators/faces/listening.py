"""Where a face listens, and a clear word where it cannot."""

import socket
from typing import NamedTuple

from simulators.errors import SimulatorError


class Address(NamedTuple):
    """A TCP address of this machine; port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


LOOPBACK = Address("127.0.0.1", 0)


def check_free(what: str, address: Address) -> None:
    """Raise SimulatorError where the address cannot be listened at; the libraries only log that."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        cause = error.strerror or str(error)
        raise SimulatorError(f"{what} cannot listen at {address}: {cause}; choose another port") from error
