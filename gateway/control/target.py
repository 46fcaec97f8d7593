"""From what a command names to what would be written: every tag known, writable, in range and representable.

Refused, never clamped. A value that the device would hold as another one, beyond the tolerance of its read-back, is
refused too.
"""

from collections.abc import Iterable, Mapping
from math import isclose
from typing import Any, Literal, NamedTuple, TypeAlias

from drivers.errors import DeviceFault
from drivers.values import Value
from gateway.control.outlet import Outlet
from gateway.control.readback import is_equal, tolerance_of
from gateway.control.refusal import Refused
from gateway.endpoints.device import Device
from gateway.endpoints.fingerprint import MISMATCH, UNREAD
from gateway.safety.constraint import Setting, is_finite
from gateway.safety.operation import Write
from gateway.tags.image import ProcessImage
from gateway.tags.tag import Tag

_FLOAT32 = 2.0**-22
"""Relatively, what two neighbours of float32 differ by at most, and some."""

Mode: TypeAlias = Literal["off", "dry_run", "on"]


class Target(NamedTuple):
    """One write, ready for its device."""

    tag: Tag
    write: Write
    """As the gate judges it."""
    value: Setting
    """As it was asked for."""
    outlet: Outlet
    raw: Any
    """As it goes over the wire."""
    holds: Value
    """What a device that took it would read back, in engineering units."""
    tolerance: float
    """How far a read-back may be off and is equal still, in engineering units."""


class Targets:
    """Everything of the plant that can be written."""

    def __init__(self, image: ProcessImage, outlets: Mapping[str, Outlet], mode: Mode) -> None:
        """Mode: the gateway's; a device may have one of its own."""
        self._image = image
        self._outlets = outlets
        self._mode: Mode = mode

    def resolve(self, writes: Mapping[str, Setting]) -> list[Target]:
        """Return the targets in the order of the writes. Raises Refused at the first that cannot be."""
        return [self._target(tag, value) for tag, value in writes.items()]

    def modes(self, targets: Iterable[Target]) -> set[Mode]:
        """Return how far the devices of these targets may be controlled."""
        return {self.mode(target.outlet.device) for target in targets}

    def mode(self, device: Device) -> Mode:
        """Return how far a device may be controlled: never further than the gateway."""
        modes: set[Mode] = {self._mode, device.settings.control or "on"}
        return "off" if "off" in modes else "dry_run" if "dry_run" in modes else "on"

    def _target(self, path: str, value: Setting) -> Target:
        tag = self._image.find(path)
        if tag is None:
            raise Refused("unknown_tag", f"{path[:129]}: there is no such tag; tags are named device.tag")
        outlet = self._outlets.get(tag.device)
        if outlet is None or not tag.settings.writable or tag.name == _deadman(outlet.device):
            raise Refused("not_writable", f"{path}: it is not writable; `writable: true` would make it so")
        _check_value(tag, value)
        check_device(outlet.device)
        try:
            raw = outlet.encode(tag, value)
            holds = outlet.decode(tag, raw).value
        except ValueError as error:
            raise Refused("bad_value", f"{path}: {error}") from None
        except DeviceFault as fault:
            raise Refused("device_down", f"{path}: {fault}") from None
        tolerance = tolerance_of(tag, outlet.device.data_types[outlet.device.tags.index(tag)], value)
        if not is_equal(value, holds, tolerance):
            raise Refused("bad_value", f"{path}: the device would hold {holds!r} for {value!r}, which is another value")
        return Target(tag, Write(path, _judged(value, holds)), value, outlet, raw, holds, tolerance)


def encoded_anew(target: Target) -> Any:  # noqa: ANN401  (as Target.raw)
    """Return a write as it would go over the wire now. Raises Refused where that is no longer what was resolved."""
    path = target.tag.path
    try:
        raw = target.outlet.encode(target.tag, target.value)
    except (ValueError, DeviceFault) as error:
        raise Refused("cancelled", f"{path}: it cannot be encoded any more: {error}; send it again") from None
    if type(raw) is not type(target.raw) or raw != target.raw:
        raise Refused("cancelled", f"{path}: what its device scales it by has changed meanwhile; send it again")
    return raw


def check_device(device: Device) -> None:
    """Raise Refused for a device that does not answer, or is another than the configured one."""
    state = device.state
    if state.connected:
        return
    if state.reason in {MISMATCH, UNREAD}:
        raise Refused("fingerprint_mismatch", f"{device.name}: its fingerprint is not right ({state.reason})")
    raise Refused("device_down", f"{device.name}: it does not answer ({state.reason})")


def _check_value(tag: Tag, value: Setting) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and not is_finite(value):  # type: ignore[arg-type]
        raise Refused("bad_value", f"{tag.path}: {value!r} is not finite")
    limits = tag.settings.range
    if limits is None:
        return
    if not is_number:
        raise Refused("bad_value", f"{tag.path}: it is a number from {limits[0]:g} to {limits[1]:g}, not {value!r}")
    if not limits[0] <= value <= limits[1]:  # type: ignore[operator]
        raise Refused("out_of_range", f"{tag.path}: {value:g} is not within {limits[0]:g} and {limits[1]:g}")


def _judged(value: Setting, holds: Value) -> Setting:
    """Return what the gate judges: what the device will hold, where that is another value than was asked for.

    A step of float32 is none; a step of a scaled whole number may lie beyond a limit that the value itself keeps.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isinstance(holds, (int, float)):
        return value
    return value if isclose(value, holds, rel_tol=_FLOAT32) else holds


def _deadman(device: Device) -> str | None:
    deadman = device.settings.deadman
    return None if deadman is None else deadman.tag
