"""The keys of an OPC UA device and of its tags that are this driver's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from drivers.opcua.node_id import format_node_id, parse_node_id
from drivers.opcua.security_settings import OpcUaSecurity
from drivers.opcua.server_profile import PROFILES, ProfileName, ServerProfile, override
from drivers.values import DataType, Seconds, Secret

DEFAULT_PORT = 4840

Mode: TypeAlias = Literal["subscribe", "poll"]


@dataclass(frozen=True, slots=True)
class OpcUaDevice:
    """An OPC UA server."""

    url: str
    """`opc.tcp://HOST[:PORT][/path]`, port 4840 where left out."""
    security: OpcUaSecurity = field(default_factory=OpcUaSecurity)
    username: str | None = None
    """Anonymous where left out."""
    password: Secret | None = None
    user_certificate: Path | None = None
    """Log in by a certificate, PEM or DER, in place of a user name."""
    user_key: Path | None = None
    """The key of `user_certificate`, PEM or DER, without a passphrase."""
    timeout: Seconds = Seconds(4.0)
    """How long an answer may take. A server that is silent for half of it is asked, and then given up."""
    scan: Seconds = Seconds(1.0)
    """The publishing interval, and the sampling interval of points that have none. At least every 2 s is published."""
    source_time: Literal["use", "ignore"] | None = None
    """Whether the server's time stamps count; `ignore` for a server whose clock is not set. As the profile says."""
    mode: Mode = "subscribe"
    """Whether the server reports changes by itself, or is asked for the values at every scan."""
    verify: Seconds = Seconds(5.0)
    """How often a subscribed value that a decision rests on is read as well; 0 for never, where none is."""
    compare: Seconds = Seconds(30.0)
    """How often all monitored items are held against what the server has, and against what is read."""
    profile: ProfileName = "standard"
    """What the make of server can take."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """In the profile's place: `read` and `create`, nodes of one call, and `subscriptions`, those of this device."""

    def __post_init__(self) -> None:
        split_url(self.url)
        if not 0.1 <= self.timeout <= 60:
            raise ValueError(f"timeout: {self.timeout:g} s is not within 100ms and 1m")
        if not 0.01 <= self.scan <= 3600:
            raise ValueError(f"scan: {self.scan:g} s is not within 10ms and 1h")
        if self.verify and not 0.5 <= self.verify <= 60:
            raise ValueError(f"verify: {self.verify:g} s is neither 0 nor within 500ms and 1m")
        if not 1 <= self.compare <= 3600:
            raise ValueError(f"compare: {self.compare:g} s is not within 1s and 1h")
        override(PROFILES[self.profile], self.limits)
        _check_login(self)
        if self.password is not None and self.security.policy == "None" and not self.security.plain_password:
            raise ValueError(
                "password: others could read it on the wire; set security.policy: Basic256Sha256, "
                "or allow it with security.plain_password: true"
            )

    @property
    def server(self) -> ServerProfile:
        """What the server can take: its profile, with the limits that go before it."""
        return override(PROFILES[self.profile], self.limits)

    @property
    def with_time(self) -> bool:
        """Whether the server's time stamps count."""
        return self.server.source_time if self.source_time is None else self.source_time == "use"

    @property
    def host(self) -> str:
        return str(split_url(self.url).hostname)

    @property
    def address(self) -> str:
        """The URL with its port."""
        parts = split_url(self.url)
        host = f"[{parts.hostname}]" if ":" in self.host else self.host
        return f"opc.tcp://{host}:{parts.port or DEFAULT_PORT}{parts.path}"

    def endpoint(self) -> str:
        """Return what devices must have in common to share a connection: address, protection and user."""
        security = self.security
        known_as = self.username if self.user_certificate is None else self.user_certificate
        user = f" as {known_as}" if known_as is not None else ""
        if security.policy == "None":
            return f"{self.address}{user}"
        believed = ", ".join(str(path) for path in (*security.trusted, *security.revocation_lists))
        return f"{self.address}{user} ({security.policy} {security.mode} {security.certificate}, trust {believed})"


@dataclass(frozen=True, slots=True)
class OpcUaPoint:
    """Where a tag lives in the server."""

    node: str
    """`nsu=urn:boiler-house;s=Turbine.Speed`, or with the namespace's index of today `ns=2;s=Turbine.Speed`."""
    sampling: Seconds | None = None
    """How often the server looks at the value; 0 as often as it can. The publishing interval where left out."""
    type: DataType | None = None
    """What the values have to be, else they are BAD(wrong_type). As the server declares it where left out."""
    interval: Seconds | None = None
    """A publishing interval of the tag's own, shorter than the device's scan."""
    mode: Mode | None = None
    """As for the device, where left out."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "node", format_node_id(parse_node_id(self.node)))
        if self.sampling is not None and not 0 <= self.sampling <= 3600:
            raise ValueError(f"sampling: {self.sampling:g} s is not within 0s and 1h")
        if self.interval is not None and not 0.01 <= self.interval <= 3600:
            raise ValueError(f"interval: {self.interval:g} s is not within 10ms and 1h")
        if self.mode == "poll":
            _check_polled(self)


def _check_login(device: OpcUaDevice) -> None:
    if device.username == "":
        raise ValueError("username: is empty; leave it out to log in as anonymous")
    if device.password is not None and device.username is None:
        raise ValueError("password: there is no username to go with it")
    if (device.user_certificate is None) is not (device.user_key is None):
        raise ValueError("user_certificate: needs user_key beside it, and user_key needs user_certificate")
    if device.user_certificate is None:
        return
    if device.username is not None:
        raise ValueError("user_certificate: log in by a certificate or by username, not by both")
    if device.security.policy == "None":
        raise ValueError("user_certificate: needs a protected connection; set security.policy: Basic256Sha256")


def check_together(device: OpcUaDevice, points: Sequence[OpcUaPoint]) -> None:
    """Refuse points that the device's keys make senseless. Raises ValueError."""
    for point in points:
        if (point.mode or device.mode) == "poll":
            _check_polled(point)


def _check_polled(point: OpcUaPoint) -> None:
    for key in ("interval", "sampling"):
        if getattr(point, key) is not None:
            raise ValueError(
                f"{key}: {point.node} is polled at the device's scan; leave it out, or set mode: subscribe"
            )


def split_url(url: str) -> SplitResult:
    """Take the URL of a server apart. Raises ValueError, one line that begins with `url: `."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"url: {url!r} is not opc.tcp://HOST[:PORT][/path]: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("url: user name and password have keys of their own, username and password")
    if parts.scheme != "opc.tcp" or not parts.hostname or parts.query or parts.fragment or parts.port == 0:
        raise ValueError(f"url: {url!r} is not opc.tcp://HOST[:PORT][/path]")
    return parts
