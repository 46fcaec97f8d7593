"""From settings to the field side: tags, process image, devices and the sessions of their endpoints."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TypeAlias

from drivers.base import Driver
from drivers.registry import load
from drivers.writing import load_writer
from gateway.app.computed import ComputedDevices, is_computed
from gateway.app.surroundings import judged_tags, surround
from gateway.clock import Clock
from gateway.control.outlet import Outlet
from gateway.counters import Counters, DeviceCounters
from gateway.endpoints.device import Device
from gateway.endpoints.schedule import phase_of
from gateway.endpoints.session import Session
from gateway.settings.model import Settings
from gateway.tags.image import ProcessImage
from gateway.tags.tag import Tag

LoadDriver: TypeAlias = Callable[[str], Driver]

BETWEEN_CONNECTS = 0.02
"""Seconds between the first connects of two endpoints, as long as all of them take no more than a second."""


@dataclass(frozen=True, slots=True)
class Plant:
    """The field side, not running yet."""

    image: ProcessImage
    devices: tuple[Device, ...]
    sessions: tuple[Session, ...]
    computed: ComputedDevices
    outlets: Mapping[str, Outlet]
    """The ways out to the devices that have writable tags, by their names."""


def build_plant(
    settings: Settings, clock: Clock, rng: Random, counters: Counters, load_driver: LoadDriver = load
) -> Plant:
    """Build every device of the configuration; devices at one endpoint share a session."""
    tags = build_tags(settings)
    image = ProcessImage(tags, clock)
    devices = [build_device(settings, name, tags, clock, counters) for name in settings.devices]
    computed = ComputedDevices([device for device in devices if is_computed(settings, device.name)], image, clock)
    read = [device for device in devices if not is_computed(settings, device.name)]
    outlets = build_outlets(settings, read, image, clock)
    sessions = build_sessions(settings, read, image, clock, rng, outlets, load_driver)
    return Plant(image, tuple(devices), tuple(sessions), computed, outlets)


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
    phase = phase_of(list(settings.devices).index(name), len(settings.devices), configured.gateway.scan)
    return Device(name, configured.gateway, configured.driver_settings, own, points, counted, clock, phase)


def build_outlets(
    settings: Settings, devices: Sequence[Device], image: ProcessImage, clock: Clock
) -> dict[str, Outlet]:
    """Build the way out to each device that has writable tags."""
    outlets = {}
    for device in devices:
        if any(tag.settings.writable for tag in device.tags):
            writer_of = load_writer(settings.devices[device.name].driver)
            if writer_of is not None:  # the configuration is refused where a driver cannot write
                outlets[device.name] = Outlet(device, writer_of, image, clock)
    return outlets


def build_sessions(
    settings: Settings,
    devices: Sequence[Device],
    image: ProcessImage,
    clock: Clock,
    rng: Random,
    outlets: Mapping[str, Outlet],
    load_driver: LoadDriver = load,
) -> list[Session]:
    """Group the devices by endpoint, and give each endpoint one session."""
    drivers = {device.name: load_driver(settings.devices[device.name].driver) for device in devices}
    groups: dict[tuple[str, str], list[Device]] = {}
    for device in devices:
        address = drivers[device.name].endpoint(device.driver_settings)
        groups.setdefault((settings.devices[device.name].driver, address), []).append(device)
    judged = judged_tags(settings)
    return [
        Session(
            endpoint,
            group,
            partial(drivers[group[0].name].connect, group[0].driver_settings),
            image,
            clock,
            Random(rng.random()),  # noqa: S311  (jitter of a back-off, no secret)
            {device.name: surround(device, group, judged) for device in group},
            delay=phase_of(place, len(groups), len(groups) * BETWEEN_CONNECTS),
            write_halves=outlets,
        )
        for place, ((_, endpoint), group) in enumerate(groups.items())
    ]
