"""From a configuration to the same one without its plant: every device is one in memory, with the tags it had.

Values are engineering values there: scaling and bits are taken out, names, types, ranges and constraints stay. What is
computed stays computed; what a device does by itself (echo a write elsewhere, move a counter) is taken out as well.
Nothing that the configuration names outside the process is left in it. Pure.
"""

from collections.abc import Mapping
from dataclasses import replace

from drivers.memory import MemoryDevice, MemoryPoint
from drivers.values import Seconds
from gateway.endpoints.settings import DeviceSettings
from gateway.northbound.settings import MqttSettings
from gateway.observability.settings import HttpSettings
from gateway.safety.constraint import Constraint
from gateway.settings.computed import COMPUTED
from gateway.settings.model import Device, DeviceTag, Settings
from gateway.testing.sealed import ADDRESS

RECONNECT = Seconds(0.5)
"""The longest pause between two connects; how patient an endpoint is proves nothing of a constraint."""
LOOKS = 400
"""Evaluations within the longest time that a constraint knows; with more of them the plant is shown in slow motion."""


def stand_in(settings: Settings) -> Settings:
    """Return the settings in which no address leads anywhere, and control is on."""
    return replace(
        settings,
        gateway=replace(settings.gateway, control="on"),
        mqtt=MqttSettings(),
        http=HttpSettings(enabled=False),
        devices={name: _device(device) for name, device in settings.devices.items()},
        tasks=(),
    )


def stretch(settings: Settings, constraint: Constraint, longest: float) -> Settings:
    """Return the settings in which a constraint with so long a time, seconds, is judged about LOOKS times in it.

    Scans, ages and the safety period grow together; the constraint's own times stay as they are.
    """
    safety = settings.safety
    period = min(longest / LOOKS, 10.0)
    if not period > safety.period:
        return settings
    factor = period / safety.period
    constraints = tuple(_older(each, factor) if each is constraint else each for each in safety.constraints)
    devices = {name: replace(each, gateway=_slower(each.gateway, factor)) for name, each in settings.devices.items()}
    return replace(settings, devices=devices, safety=replace(safety, period=Seconds(period), constraints=constraints))


def start_values(settings: Settings) -> Mapping[str, bool | int | float | str]:
    """Return what tags must read by the fingerprints of their devices."""
    return {
        f"{name}.{tag}": value
        for name, device in settings.devices.items()
        for tag, value in device.gateway.fingerprint.items()
    }


def _device(device: Device) -> Device:
    if device.driver == COMPUTED:
        return device
    return replace(
        device,
        driver="memory",
        gateway=replace(
            device.gateway,
            reconnect_max=min(device.gateway.reconnect_max, RECONNECT),
            control=None,
            deadman=None,
            watch_counter=None,
        ),
        driver_settings=MemoryDevice(url=f"{ADDRESS}{device.name}"),
        tags=tuple(_tag(device.name, tag) for tag in device.tags),
    )


def _tag(device: str, tag: DeviceTag) -> DeviceTag:
    settings = replace(tag.settings, scale=1.0, offset=0.0, bit=None, readback="same", relinquish=None, keep_alive=None)
    return replace(tag, settings=settings, point=MemoryPoint(address=f"{device}.{tag.name}"))


def _slower(device: DeviceSettings, factor: float) -> DeviceSettings:
    factor = max(min(factor, 3600 / device.scan), 1.0)
    age = None if device.max_age is None else Seconds(device.max_age * factor)
    return replace(device, scan=Seconds(device.scan * factor), max_age=age)


def _older(constraint: Constraint, factor: float) -> Constraint:
    if constraint.max_age is None:
        return constraint
    return replace(constraint, max_age=Seconds(constraint.max_age * factor))
