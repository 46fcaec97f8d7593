"""Permits for tests of the drivers' write halves: one that allows, and counts, and one that refuses."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from drivers.writing import Raw


class Refused(Exception):
    """The permit was not for this frame."""


@dataclass
class Permit:
    """Leave for anything, noted each time it is used."""

    allows: bool = True
    spent: list[tuple[str, str, Raw, int]] = field(default_factory=list)

    def spend(self, device: str, tag: str, raw: Raw, generation: int) -> None:
        self.spent.append((device, tag, raw, generation))
        if not self.allows:
            raise Refused(f"{device}.{tag}")


class NotingPermit(Permit):
    """Notes when it is spent, and when the loop has turned since."""

    def __init__(self, events: list[str]) -> None:
        super().__init__()
        self._events = events

    def spend(self, device: str, tag: str, raw: Raw, generation: int) -> None:
        super().spend(device, tag, raw, generation)
        self._events.append("spent")
        asyncio.get_running_loop().call_soon(self._events.append, "turned")


class NotingTransport:
    """A transport that notes when something is handed to it."""

    def __init__(self, transport: Any, events: list[str]) -> None:
        self._transport = transport
        self._events = events

    def write(self, data: bytes) -> None:
        self._events.append("sent")
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
