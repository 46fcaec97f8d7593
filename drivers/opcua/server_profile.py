"""What makes of servers can take: the one place for such figures. Pure data; no branch of the driver knows a make.

A server's own OperationLimits go before these where they are lower, and a refusal (BadTooManyOperations) before both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

from drivers.values import Seconds

ProfileName: TypeAlias = Literal[
    "standard", "s7-1200", "s7-1500", "ignition", "kepware", "prosys", "plcnext", "bmenua0100", "twincat", "b&r"
]

MOST = 10_000
"""Nodes of one call; a server that takes more gains nothing by it."""


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """What a server can take."""

    read: int = 150
    """Nodes of one Read. To encode and decode 150 takes the gateway 5 ms, which is as long as it may hold its loop."""
    create: int = 75
    """Monitored items of one call, likewise."""
    publishing: Seconds = Seconds(0.01)
    """The shortest publishing interval that is asked for."""
    sampling: Seconds = Seconds(0.0)
    """The shortest sampling interval that is asked for."""
    subscriptions: int = 10
    """How many one device may have; tags of further intervals join a faster one. Few at PLCs: a choice of ours."""
    source_time: bool = True
    """Whether source time stamps can be believed."""
    deadband: bool = True
    """Whether the server takes a deadband for an item; asked in vain, it is asked again without."""


PROFILES: Mapping[str, ServerProfile] = MappingProxyType({
    "standard": ServerProfile(),
    # More than 100 to 200 items a call take the CPU some fifty times as long, though it announces 1,000; it refuses
    # filters (benthos-umh, server profiles, after Siemens entry 109755846). The intervals are a choice of ours.
    "s7-1200": ServerProfile(
        read=100, create=75, publishing=Seconds(0.2), sampling=Seconds(0.1), subscriptions=2, deadband=False
    ),
    # It announces 1,000 items a call (epics-modules/opcua) and brakes shorter intervals to those set in TIA Portal
    # (Communication manual A5E03735815, 9.3, with 200 ms of publishing in its example); ours are moderate.
    "s7-1500": ServerProfile(publishing=Seconds(0.2), sampling=Seconds(0.1), subscriptions=5),
    # They announce 10,000 nodes a call (benthos-umh, server profiles), TF6100 is set as its owner likes: our own
    # portions are the limit.
    "ignition": ServerProfile(),
    "kepware": ServerProfile(),
    "prosys": ServerProfile(),
    "twincat": ServerProfile(),
    # Sample rates of an AXC F x152: 100 ms to 5 s in steps (PLCnext Info Center, OPC UA settings and limitations).
    "plcnext": ServerProfile(publishing=Seconds(0.1), sampling=Seconds(0.1)),
    # 250 ms, 125 ms and 40 subscriptions over 10 sessions (Schneider Electric, BMENUA0100 manual, Limitations).
    "bmenua0100": ServerProfile(publishing=Seconds(0.25), sampling=Seconds(0.125), subscriptions=4),
    # Publishing is revised to 50 ms at least (Ipesoft D2000, OPC UA client, on Bernecker + Rainer).
    "b&r": ServerProfile(publishing=Seconds(0.05), sampling=Seconds(0.05)),
})  # fmt: skip


_LIMITS = {"read": MOST, "create": MOST, "subscriptions": 1000}


def override(profile: ServerProfile, limits: Mapping[str, int]) -> ServerProfile:
    """Return the profile with some limits of its own. Raises ValueError, one line that begins with `limits: `."""
    for name, limit in limits.items():
        if name not in _LIMITS:
            raise ValueError(f"limits: {name!r} is none; there are {', '.join(_LIMITS)}")
        if not 1 <= limit <= _LIMITS[name]:
            raise ValueError(f"limits: {name}: {limit} is not within 1 and {_LIMITS[name]}")
    return replace(
        profile,
        read=limits.get("read", profile.read),
        create=limits.get("create", profile.create),
        subscriptions=limits.get("subscriptions", profile.subscriptions),
    )
