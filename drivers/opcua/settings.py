"""The keys of an OPC UA device and of its tags that are this driver's own."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from drivers.opcua.node_id import format_node_id, parse_node_id
from drivers.opcua.security_settings import OpcUaSecurity
from drivers.values import DataType, Seconds, Secret

DEFAULT_PORT = 4840


@dataclass(frozen=True, slots=True)
class OpcUaDevice:
    """An OPC UA server."""

    url: str
    """`opc.tcp://HOST[:PORT][/path]`, port 4840 where left out."""
    security: OpcUaSecurity = field(default_factory=OpcUaSecurity)
    username: str | None = None
    """Anonymous where left out."""
    password: Secret | None = None
    timeout: Seconds = Seconds(4.0)
    """How long an answer may take. A server that is silent for half of it is asked, and then given up."""
    scan: Seconds = Seconds(1.0)
    """The publishing interval, and the sampling interval of points that have none. At least every 2 s is published."""
    source_time: Literal["use", "ignore"] = "use"
    """Whether the server's time stamps count; `ignore` for a server whose clock is not set."""

    def __post_init__(self) -> None:
        split_url(self.url)
        if not 0.1 <= self.timeout <= 60:
            raise ValueError(f"timeout: {self.timeout:g} s is not within 100ms and 1m")
        if not 0.01 <= self.scan <= 3600:
            raise ValueError(f"scan: {self.scan:g} s is not within 10ms and 1h")
        if self.password is not None and self.username is None:
            raise ValueError("password: there is no username to go with it")
        if self.password is not None and self.security.policy == "None" and not self.security.plain_password:
            raise ValueError(
                "password: others could read it on the wire; set security.policy: Basic256Sha256, "
                "or allow it with security.plain_password: true"
            )

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
        user = f" as {self.username}" if self.username is not None else ""
        if security.policy == "None":
            return f"{self.address}{user}"
        return f"{self.address}{user} ({security.policy} {security.mode} {security.certificate})"


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "node", format_node_id(parse_node_id(self.node)))
        if self.sampling is not None and not 0 <= self.sampling <= 3600:
            raise ValueError(f"sampling: {self.sampling:g} s is not within 0s and 1h")
        if self.interval is not None and not 0.01 <= self.interval <= 3600:
            raise ValueError(f"interval: {self.interval:g} s is not within 10ms and 1h")


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
