"""The `http` and `logging` sections of the configuration."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from drivers.values import Secret


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where /metrics, /healthz and /readyz are served. Beyond loopback give TLS and a password."""

    enabled: bool = True
    listen: str = "127.0.0.1:9464"
    """HOST:PORT, an IPv6 address in brackets; port 0 takes a free one."""
    certificate: Path | None = None
    """PEM file, with the chain above it; together with `private_key`."""
    private_key: Path | None = None
    username: str | None = None
    password: Secret | None = None
    """Asked for by HTTP basic authentication, together with `username`."""

    def __post_init__(self) -> None:
        split_listen(self.listen)
        for first, second in (("certificate", "private_key"), ("username", "password")):
            _need_both(first, getattr(self, first), second, getattr(self, second))
        if self.username is not None and ":" in self.username:
            raise ValueError("username: holds a colon, which HTTP basic authentication cannot carry")
        if self.password is not None and not self.password:
            raise ValueError("password: is empty")

    @property
    def address(self) -> tuple[str, int]:
        """The host, without brackets, and the port to listen at."""
        return split_listen(self.listen)


def _need_both(first: str, one: str | None, second: str, other: str | None) -> None:
    if (one is None) != (other is None):
        given, missing = (first, second) if other is None else (second, first)
        raise ValueError(f"{given}: is of no use without {missing}")


def split_listen(listen: str) -> tuple[str, int]:
    """Split HOST:PORT. Raises ValueError, beginning with `listen:`."""
    host, colon, port = listen.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not host or (":" in host) != bracketed or not host.isprintable() or " " in host:
        raise ValueError(f"listen: {listen!r} is not HOST:PORT, such as 127.0.0.1:9464, 0.0.0.0:9464 or [::1]:9464")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise ValueError(f"listen: {port!r} is no port; it is a number from 0, any free one, to 65535")
    return host, int(port)


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """How much is logged."""

    level: Literal["debug", "info", "warning", "error"] = "info"
