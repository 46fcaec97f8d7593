"""The `mqtt` section of the configuration."""

from dataclasses import dataclass
from typing import Literal

from drivers.values import Seconds, Secret


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How a broker at mqtts:// is checked, and who we are to it. Paths to PEM files."""

    ca: str | None = None
    """Who signed the broker's certificate; the system's authorities where absent."""
    certificate: str | None = None
    private_key: str | None = None


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """The link to the broker and the shape of what is published."""

    url: str = "mqtt://127.0.0.1:1883"
    """mqtt://HOST[:PORT], mqtts://HOST[:PORT], or embedded://[HOST][:PORT] for a broker of our own."""
    username: str | None = None
    password: Secret | None = None
    client_id: str | None = None
    """`plantgate-{gateway id}` where absent."""
    root: str = "agent"
    """First level of every topic."""
    publish: Literal["tag", "device"] = "tag"
    """tag: one retained topic a tag; device: one batch a device a scan."""
    keepalive: Seconds = Seconds(10)
    status_life: Seconds = Seconds(90)
    """How long a retained status counts; it is republished every third of that."""
    reconnect_max: Seconds = Seconds(30)
    """The longest pause between two attempts to connect."""
    tls: TlsSettings = TlsSettings()
