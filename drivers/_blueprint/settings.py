"""The keys that this driver adds to a device and to a tag. What is wrong is said in one line, by its key."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from drivers.values import Seconds


@dataclass(frozen=True, slots=True)
class BlueprintDevice:
    """One device; durations are in seconds here, and `250ms` or `2s` in the configuration."""

    url: str
    timeout: Seconds = Seconds(1.0)
    max_items: int = 50
    """Most items in one request."""

    def __post_init__(self) -> None:
        if not self.url.startswith("line://") or not self.host:
            raise ValueError(f"url: {self.url!r} should be line://HOST:PORT")
        if not self.port > 0:  # asking for it refuses what is no port
            raise ValueError(f"url: {self.url!r} names no port that can be connected to")
        if not self.max_items >= 1:
            raise ValueError(f"max_items: {self.max_items} is less than one")

    @property
    def host(self) -> str:
        """The host of the URL."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of the URL, 7777 where it names none."""
        port = urlsplit(self.url).port
        return 7777 if port is None else port


@dataclass(frozen=True, slots=True)
class BlueprintPoint:
    """Where a tag lives in the device."""

    item: str

    def __post_init__(self) -> None:
        if self.item.split() != [self.item]:  # a line break would end the request
            raise ValueError(f"item: {self.item!r} should be one word")
