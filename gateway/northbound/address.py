"""Where the broker is: the URL of the configuration and the command line, taken apart. Pure."""

from typing import NamedTuple
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
_PORTS = {"mqtt": 1883, "mqtts": 8883, "embedded": 1883}


class BrokerAddress(NamedTuple):
    """A broker as a client reaches it."""

    host: str
    port: int
    encrypted: bool = False
    embedded: bool = False
    """That the broker is our own, to be started at this address first."""

    @property
    def url(self) -> str:
        """The address as logs and messages name it; it never holds a password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.encrypted else 'mqtt'}://{host}:{self.port}"


def parse_address(url: str) -> BrokerAddress:
    """Take apart mqtt://HOST[:PORT], mqtts:// or embedded://. Raises ValueError with one clear line."""
    wanted = "write mqtt://HOST:PORT, mqtts://HOST:PORT or embedded://"
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"the broker's address cannot be read: {wanted}") from None
    if parts.scheme not in _PORTS:
        raise ValueError(f"{url!r} is no broker's address: {wanted}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the broker's address holds a user name or password: use `username` and `password`")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{url!r} holds more than host and port: write {parts.scheme}://HOST:PORT")
    try:
        port = parts.port or _PORTS[parts.scheme]
    except ValueError:
        raise ValueError(f"{url!r}: the port is no number from 1 to 65535") from None
    embedded = parts.scheme == "embedded"
    host = parts.hostname or (LOOPBACK if embedded else "")
    if not host:
        raise ValueError(f"{url!r} names no host: write {parts.scheme}://HOST:PORT")
    return BrokerAddress(host, port, parts.scheme == "mqtts", embedded)
