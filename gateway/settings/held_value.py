"""Whether a tag can ever hold a value that the configuration has for it: a safe state must not fail at its trip."""

from typing import Any

from drivers.base import Driver
from drivers.errors import DriverError
from drivers.registry import load
from gateway.safety.constraint import Setting, is_finite
from gateway.settings.model import Device, DeviceTag
from gateway.tags.unscaling import unscale


def why_not_held(device: Device, tag: DeviceTag, value: Setting) -> str:
    """Return why a tag of a device can never hold the value; empty where it can, or only the device knows."""
    try:
        driver = load(device.driver)
    except DriverError:  # said where the device is read; or its tags are computed, and nobody writes them
        return ""
    return why_point_cannot(driver, device.driver_settings, tag, value)


def why_point_cannot(driver: Driver, driver_settings: Any, tag: DeviceTag, value: Setting) -> str:  # noqa: ANN401
    """Return the same of a device that is being read."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and not is_finite(value):  # type: ignore[arg-type]
        return f"{value!r} is no finite number"
    limits = tag.settings.range
    if limits is not None and not is_number:
        return f"{_shown(value)} is no number, and the tag has the range {limits[0]:g} to {limits[1]:g}"
    try:
        raw = unscale(value, tag.settings, getattr(tag.point, "type", None))
        driver.check_value(driver_settings, tag.point, raw)
    except ValueError as error:
        return f"the device cannot hold it: {error}"
    return ""


def _shown(value: Setting) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)
