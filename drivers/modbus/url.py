"""Where a Modbus endpoint is: the `url` of a device, taken apart by its scheme."""

import posixpath
from typing import Literal, NamedTuple, TypeAlias, cast
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from drivers.values import Seconds

Scheme: TypeAlias = Literal["tcp", "tls", "rtu+tcp"]
Parity: TypeAlias = Literal["N", "E", "O"]

_SERIAL_PORT = "rtu:///dev/ttyUSB0?baudrate=19200&parity=E&stopbits=1"
_EXAMPLES = {"tcp": "tcp://HOST:PORT", "tls": "tls://HOST:PORT", "rtu+tcp": "rtu+tcp://HOST:PORT"}
_ANY = f"{', '.join(_EXAMPLES.values())} or {_SERIAL_PORT}"
_PORTS = {"tcp": 502, "tls": 802}
"""As they are registered; a serial server listens wherever its maker chose."""
_SLOWEST, _FASTEST = 300, 4_000_000
_FAST = 19200
"""Baud, above which 3.5 characters would be too short a silence to be told (Modbus over Serial Line V1.02, 2.5.1.1)."""


class NetworkAddress(NamedTuple):
    """A host and a port, and what is spoken there."""

    scheme: Scheme
    host: str
    port: int

    @property
    def is_rtu(self) -> bool:
        """Whether frames are those of a serial line."""
        return self.scheme == "rtu+tcp"

    @property
    def character(self) -> Seconds:
        """Nothing: how fast a line behind a serial server is, is not known here."""
        return Seconds(0.0)

    @property
    def quiet(self) -> Seconds:
        """Nothing: a serial server keeps the silence between frames by itself."""
        return Seconds(0.0)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class SerialAddress(NamedTuple):
    """A serial port of this machine, and how its line is set."""

    path: str
    baudrate: int
    parity: Parity
    stopbits: int

    @property
    def is_rtu(self) -> bool:
        """Whether frames are those of a serial line."""
        return True

    @property
    def character(self) -> Seconds:
        """How long one byte takes: a start bit, eight of data, the parity, the stop bits."""
        return Seconds((9 + (self.parity != "N") + self.stopbits) / self.baudrate)

    @property
    def quiet(self) -> Seconds:
        """The silence between frames: 3.5 characters, or a fixed 1.75 ms above 19200 baud (same document, 2.5.1.1)."""
        return Seconds(3.5 * self.character if self.baudrate <= _FAST else 0.00175)

    def __str__(self) -> str:
        return f"rtu://{self.path}?baudrate={self.baudrate}&parity={self.parity}&stopbits={self.stopbits}"


Address: TypeAlias = NetworkAddress | SerialAddress


def parse_url(url: str) -> Address:
    """Return where it leads. Raises ValueError saying what would be right."""
    scheme = url.partition("://")[0].lower()
    if scheme == "rtu":
        return _serial(url)
    example = _EXAMPLES.get(scheme, _ANY)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # as the resolver does, which would raise in the middle of connecting
    except UnicodeError:
        raise ValueError(f"url: {url!r} names no host that can be looked up; write {example}") from None
    except ValueError as error:
        raise ValueError(f"url: {url!r}: {error}; write {example}") from None
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if scheme not in _EXAMPLES or not host or extra or port == 0:
        raise ValueError(f"url: {url!r} is no address of a Modbus device; write {example}")
    port = port or _PORTS.get(scheme)
    if port is None:
        raise ValueError(f"url: {url!r} names no port, and there is no usual one; write {example}")
    return NetworkAddress(cast("Scheme", scheme), host, port)


def _serial(url: str) -> SerialAddress:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"url: {url!r}: {error}; write {_SERIAL_PORT}") from None
    path = unquote(parts.path)
    if parts.netloc or parts.fragment or not posixpath.basename(path) or not path.isprintable():
        raise ValueError(f"url: {url!r} names no serial port; write {_SERIAL_PORT}")
    line = _line(url, parts)
    baudrate = line.get("baudrate", "19200")
    if not (
        baudrate.isdecimal() and baudrate.isascii() and len(baudrate) < 8 and _SLOWEST <= int(baudrate) <= _FASTEST
    ):
        raise ValueError(f"url: baudrate={baudrate} is not within {_SLOWEST} and {_FASTEST}")
    parity = line.get("parity", "E").upper()
    if parity not in {"N", "E", "O"}:
        raise ValueError(f"url: parity={parity} is none of N, E and O")
    # A character has eleven bits: without a parity bit, a second stop bit takes its place (same document, 2.5.1).
    stopbits = line.get("stopbits", "2" if parity == "N" else "1")
    if stopbits not in {"1", "2"}:
        raise ValueError(f"url: stopbits={stopbits} is neither 1 nor 2")
    return SerialAddress(
        "/" + posixpath.normpath(path).lstrip("/"), int(baudrate), cast("Parity", parity), int(stopbits)
    )


def _line(url: str, parts: SplitResult) -> dict[str, str]:
    try:
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    except ValueError:
        raise ValueError(f"url: {url!r} has something else than KEY=VALUE after the ?; write {_SERIAL_PORT}") from None
    line = dict(given)
    for key in line:
        if key not in {"baudrate", "parity", "stopbits"}:
            raise ValueError(f"url: {key} is no setting of a serial line; there are baudrate, parity and stopbits")
    if len(line) < len(given):
        raise ValueError(f"url: {url!r} sets something twice")
    return line
