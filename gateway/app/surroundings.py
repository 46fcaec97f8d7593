"""What the gateway lends to the driver of each device: what becomes of its points, and who else waits for the wire."""

from collections.abc import Collection, Sequence

from drivers.base import Care, Surroundings
from gateway.endpoints.demotion import patience
from gateway.endpoints.device import Device
from gateway.settings.computed import inputs_behind
from gateway.settings.model import Settings
from gateway.tags.tag import Tag


def judged_tags(settings: Settings) -> set[str]:
    """Return the tags on which a decision rests, as `device.tag`: the gateway must see every change of theirs."""
    safety = settings.safety
    judged = {tag for constraint in safety.constraints for tag in constraint.watched}
    devices = settings.devices.values()
    marks = {f"{device.name}.{tag}" for device in devices for tag in device.gateway.fingerprint}
    pulses = {f"{each.name}.{each.gateway.watch_counter.tag}" for each in devices if each.gateway.watch_counter}
    decisive = judged | marks | pulses
    return decisive | inputs_behind(settings, decisive)


def surround(device: Device, devices: Sequence[Device], judged: Collection[str]) -> Surroundings:
    """Return what one device's driver is lent. Devices: all behind its endpoint, this one among them."""

    def count(kind: str) -> None:
        device.counters.discarded[kind] += 1

    return Surroundings(
        cares=[_care(tag, judged) for tag in device.tags],
        learned=device.learned,
        patience=patience([each.settings.scan for each in devices]),
        count=count,
    )


def _care(tag: Tag, judged: Collection[str]) -> Care:
    # The driver compares what the device says, before scaling.
    return Care(judged=tag.path in judged, deadband=tag.settings.deadband / abs(tag.settings.scale))
