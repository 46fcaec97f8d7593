"""The `http` and `logging` sections of the configuration."""

from dataclasses import dataclass
from typing import Literal

from drivers.values import Secret


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where /metrics, /healthz and /readyz are served. Beyond loopback give TLS and a password."""

    enabled: bool = True
    listen: str = "127.0.0.1:9464"
    """HOST:PORT; port 0 takes a free one."""
    certificate: str | None = None
    private_key: str | None = None
    username: str | None = None
    password: Secret | None = None
    """Asked for by HTTP basic authentication, together with `username`."""


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """How much is logged."""

    level: Literal["debug", "info", "warning", "error"] = "info"
