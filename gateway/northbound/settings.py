"""The `mqtt` section of the configuration."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from drivers.values import Seconds, Secret
from gateway.northbound.address import BrokerAddress, parse_address


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How a broker at mqtts:// is checked, and who we are to it. Paths to PEM files."""

    ca: Path | None = None
    """Who signed the broker's certificate; the system's authorities where absent."""
    certificate: Path | None = None
    private_key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key: give both or neither")


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
    trust_topic_principal: bool = False
    """Believe the last level of a command's topic; only with a broker that lets each user write below its own name."""
    tls: TlsSettings = TlsSettings()

    def __post_init__(self) -> None:
        try:
            address = self.address
        except ValueError as error:
            raise ValueError(f"url: {error}") from None
        if self.tls != TlsSettings() and not address.encrypted:
            raise ValueError(f"tls: is given, but {self.url} is not encrypted; write mqtts://")
        if self.password is not None and self.username is None:
            raise ValueError("password: is given without a username")
        levels = self.root.split("/")
        if self.root.startswith("$") or not all(levels) or any(character in self.root for character in "+#\0"):
            raise ValueError(f"root: {self.root!r} cannot start a topic; write a word such as agent")
        if not 1 <= self.keepalive <= 65535:
            raise ValueError(f"keepalive: {self.keepalive:g} s is not between 1 s and 65535 s")
        if not self.status_life >= 1:
            raise ValueError(f"status_life: {self.status_life:g} s is shorter than 1 s")
        if not self.reconnect_max >= 1:
            raise ValueError(f"reconnect_max: {self.reconnect_max:g} s is shorter than 1 s")

    @property
    def address(self) -> BrokerAddress:
        """Where the broker is. Raises ValueError where the URL cannot be read."""
        return parse_address(self.url)
