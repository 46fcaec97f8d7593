"""From settings to the field side: tags, process image, devices and the sessions of their endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from drivers.registry import load
from gateway.clock import Clock
from gateway.counters import Counters, DeviceCounters
from gateway.endpoints.device import Device
from gateway.endpoints.session import Session
from gateway.settings.model import Settings
from gateway.tags.image import ProcessImage
from gateway.tags.tag import Tag


@dataclass(frozen=True, slots=True)
class Plant:
    """The field side, not running yet."""

    image: ProcessImage
    devices: tuple[Device, ...]
    sessions: tuple[Session, ...]


def build_plant(settings: Settings, clock: Clock, rng: Random, counters: Counters) -> Plant:
    """Build every device of the configuration; devices at one endpoint share a session."""
    tags = build_tags(settings)
    image = ProcessImage(tags, clock)
    devices = [build_device(settings, name, tags, clock, counters) for name in settings.devices]
    return Plant(image, tuple(devices), tuple(build_sessions(settings, devices, image, clock, rng)))


def build_tags(settings: Settings) -> list[Tag]:
    """Return every tag in the order of the configuration, numbered."""
    named = [(device, tag) for device in settings.devices.values() for tag in device.tags]
    return [
        Tag(index, device.name, tag.name, tag.settings, device.gateway.stale_after)
        for index, (device, tag) in enumerate(named)
    ]


def build_device(settings: Settings, name: str, tags: Sequence[Tag], clock: Clock, counters: Counters) -> Device:
    """Build one device with its tags and points in the same order."""
    configured = settings.devices[name]
    own = [tag for tag in tags if tag.device == name]
    points = [tag.point for tag in configured.tags]
    counted = counters.devices[name] = DeviceCounters()
    return Device(name, configured.gateway, configured.driver_settings, own, points, counted, clock)


def build_sessions(
    settings: Settings, devices: Sequence[Device], image: ProcessImage, clock: Clock, rng: Random
) -> list[Session]:
    """Group the devices by endpoint, and give each endpoint one session."""
    drivers = {device.name: load(settings.devices[device.name].driver) for device in devices}
    groups: dict[tuple[str, str], list[Device]] = {}
    for device in devices:
        address = drivers[device.name].endpoint(device.driver_settings)
        groups.setdefault((settings.devices[device.name].driver, address), []).append(device)
    return [
        Session(
            endpoint,
            group,
            partial(drivers[group[0].name].connect, group[0].driver_settings),
            image,
            clock,
            Random(rng.random()),  # noqa: S311  (jitter of a back-off, no secret)
        )
        for (_, endpoint), group in groups.items()
    ]
