"""The whole configuration as the gateway sees it: frozen, checked, complete."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from drivers.values import Seconds
from gateway.audit.settings import AuditSettings
from gateway.control.authority import Grant
from gateway.control.breaker_settings import BreakerSettings
from gateway.control.settings import CommandSettings
from gateway.endpoints.settings import DeviceSettings
from gateway.northbound.settings import MqttSettings
from gateway.observability.settings import HttpSettings, LoggingSettings
from gateway.safety.constraint import Constraint, Setting
from gateway.tags.tag import TagSettings

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""What gateways, devices, tags, constraints and tasks may be called: their names stand in topics."""
NAME_ADVICE = "a name is 1 to 64 letters, digits, '_' and '-'"

NOT_A_KEY = {"key": False}
"""Marks a field that the loader fills in, not the file."""


@dataclass(frozen=True, slots=True)
class GatewaySection:
    """Who this gateway is."""

    id: str
    """Second level of every topic."""
    control: Literal["off", "dry_run", "on"] = "off"
    """dry_run judges commands and sends nothing."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.id):
            raise ValueError(f"id: {self.id!r} does not fit; {NAME_ADVICE}")


@dataclass(frozen=True, slots=True)
class TimeSettings:
    """When the wall clock is trusted."""

    require_sync: bool = True
    """Trust it only while the kernel says that it is synchronised."""


@dataclass(frozen=True, slots=True)
class DeviceTag:
    """A tag of a device: how the gateway treats it, and where the driver finds it."""

    name: str
    settings: TagSettings
    point: Any
    """An instance of the driver's `point` dataclass."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device: how the gateway treats it, and how the driver talks to it."""

    name: str
    driver: str
    gateway: DeviceSettings
    driver_settings: Any
    """An instance of the driver's `device` dataclass."""
    tags: tuple[DeviceTag, ...]


@dataclass(frozen=True, slots=True)
class SafetySettings:
    """The gate."""

    period: Seconds = Seconds(0.1)
    """At least so often every constraint is judged."""
    halt_on_critical: bool = True
    """A trip halts all control, not only what is in its scope."""
    constraints: tuple[Constraint, ...] = field(default=(), metadata=NOT_A_KEY)
    """In the order of the file."""

    def __post_init__(self) -> None:
        if not 0.01 <= self.period <= 10:
            raise ValueError(f"period: {self.period:g} s is not within 10ms and 10s")


@dataclass(frozen=True, slots=True)
class Task:
    """A write that recurs."""

    name: str
    cron: str
    """Five fields: minute, hour, day of the month, month, day of the week."""
    write: Mapping[str, Setting]

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"name: {self.name!r} does not fit; {NAME_ADVICE}")
        if len(self.cron.split()) != 5:
            raise ValueError(f"cron: {self.cron!r} has not five fields; daily at 22:00 is '0 22 * * *'")
        if not self.write:
            raise ValueError("write: names no tag")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the configuration says."""

    gateway: GatewaySection
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    logging: LoggingSettings = field(default_factory=LoggingSettings)
    time: TimeSettings = field(default_factory=TimeSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    commands: CommandSettings = field(default_factory=CommandSettings)
    devices: Mapping[str, Device] = field(default_factory=dict)
    safety: SafetySettings = field(default_factory=SafetySettings)
    authority: Literal["open"] | Mapping[str, Grant] | None = None
    """None: anonymous may write and acknowledge, nothing else."""
    breakers: Mapping[str, BreakerSettings] = field(default_factory=dict)
    """By device, where it is to be other than usual."""
    tasks: tuple[Task, ...] = ()
