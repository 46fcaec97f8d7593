"""The device of computed tags, `driver: computed`: no driver reads it, so its keys are checked here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator

from drivers.values import Seconds
from gateway.endpoints.settings import DeviceSettings
from gateway.settings.compose import TEXT, Made, Refusals, together
from gateway.settings.findings import Findings
from gateway.settings.known_tags import KnownTags, Mention, listed
from gateway.settings.model import Device, DeviceTag, Settings
from gateway.settings.tree import Member, Node, Path
from gateway.tags.computed.order import find_cycles, inputs_of
from gateway.tags.computed.point import ComputedPoint
from gateway.tags.tag import TagSettings

COMPUTED = "computed"
"""What stands where other devices name their driver."""


@dataclass(frozen=True, slots=True)
class ComputedSettings:
    """The keys of a device whose tags are computed."""

    scan: Seconds = Seconds(1.0)
    """How often windows of time move on; all else is computed whenever an input changes."""


@cache
def computed_device_keys() -> Any:  # noqa: ANN401  (an annotation made at run time)
    """Return the annotation of the device, its tags aside."""

    def complete(made: Made) -> Made:
        (own,) = made.parts
        return Made((_device_settings(own), own), made.further)

    return Annotated[together(ComputedSettings, driver=TEXT, tags=Any), AfterValidator(complete)]


@cache
def computed_tag_keys() -> Any:  # noqa: ANN401
    """Return the annotation of one computed tag."""
    return Annotated[together(TagSettings, ComputedPoint), AfterValidator(_refuse_writable)]


def check_inputs(tags: KnownTags, members: Mapping[str, Member], path: Path, findings: Findings) -> None:
    """Make it a problem where a computed tag names a tag that is not there, or is made from itself.

    `members` and `path` are those of the section `devices`.
    """
    for name, device in tags.devices.items():
        if device.driver != COMPUTED or "use" in members[name].node.members:
            continue  # a map of computed tags is refused already
        for tag in device.tags:
            member, below = _find(members, name, tag.name), (*path, name, "tags", tag.name)
            for mention in _mentions(tag.point, member.node, below):
                tags.check(mention, findings)
            _check_window(tag, device, member.node, below, findings)
    _check_cycles(tags, members, path, findings)


def inputs_by_tag(devices: Mapping[str, Device]) -> dict[str, tuple[str, ...]]:
    """Return what each computed tag is made from, by `device.tag`."""
    return {
        f"{device.name}.{tag.name}": tag.point.inputs
        for device in devices.values()
        if device.driver == COMPUTED
        for tag in device.tags
    }


def inputs_behind(settings: Settings, tags: set[str]) -> set[str]:
    """Return the tags from which any of these are made, directly and through other computed tags."""
    return inputs_of(tags, inputs_by_tag(settings.devices))


def _device_settings(own: ComputedSettings) -> DeviceSettings:
    try:
        return DeviceSettings(scan=own.scan)
    except ValueError as error:
        raise Refusals([str(error)]) from None


def _refuse_writable(made: Made) -> Made:
    settings: TagSettings = made.parts[0]
    if settings.writable:
        raise Refusals(["writable: a computed tag cannot be written; write to what it is made from"])
    return made


def _find(members: Mapping[str, Member], device: str, tag: str) -> Member:
    return members[device].node.members["tags"].node.members[tag]


def _mentions(point: ComputedPoint, node: Node, path: Path) -> Iterator[Mention]:
    if point.form == "expression":
        place = node.members["expression"].node.mark
        yield from (Mention(each, place, (*path, "expression")) for each in point.inputs)
    elif point.form == "vote":
        yield from listed(node.members["vote"].node, "tags", (*path, "vote"))
    else:
        yield from listed(node, point.form, path)


def _check_window(tag: DeviceTag, device: Device, node: Node, path: Path, findings: Findings) -> None:
    window, scan = tag.point.window, device.gateway.scan
    if window is not None and not window >= 2 * scan:
        mark = node.members["window"].node.mark
        message = f"{window:g} s is less than two scans of {device.name}, which is computed every {scan:g} s"
        findings.problem(mark, (*path, "window"), message)


def _check_cycles(tags: KnownTags, members: Mapping[str, Member], path: Path, findings: Findings) -> None:
    for cycle in find_cycles(inputs_by_tag(tags.devices)):
        device, _, name = cycle[0].partition(".")
        mark = _find(members, device, name).mark
        way = " -> ".join(cycle)
        findings.problem(mark, (*path, device, "tags", name), f"it is made from itself: {way}")
