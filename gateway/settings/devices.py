"""The `devices` section: the driver first, then the keys that the gateway and that driver know."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from drivers import registry
from drivers.base import Driver
from drivers.errors import DriverError
from gateway.endpoints.settings import DeviceSettings
from gateway.settings import leaf
from gateway.settings.compose import TEXT, Checker, Made, checker, together
from gateway.settings.computed import COMPUTED, check_inputs, computed_device_keys, computed_tag_keys
from gateway.settings.findings import Findings
from gateway.settings.held_value import why_point_cannot
from gateway.settings.known_tags import KnownTags, check_name
from gateway.settings.model import Device, DeviceTag
from gateway.settings.own_tags import OwnTags
from gateway.settings.register_map import RegisterMaps
from gateway.settings.suggestion import suggest
from gateway.settings.tree import Member, Path
from gateway.settings.validate import validate
from gateway.tags.tag import TagSettings


@cache
def device_keys(driver: Driver) -> Any:  # noqa: ANN401  (an annotation made at run time)
    """Return the annotation of a device of that driver, its tags aside. Raises TypeError where keys clash."""
    return together(DeviceSettings, driver.device, driver=TEXT, use=TEXT, tags=Any)


@cache
def tag_keys(driver: Driver) -> Any:  # noqa: ANN401
    """Return the annotation of one tag of such a device. Raises TypeError where keys clash."""
    return together(TagSettings, driver.point)


class _Checkers(NamedTuple):
    device: Checker
    tag: Checker
    together: Callable[[Any, Sequence[Any]], None]
    """Device settings and points, as `Driver.check`."""
    writable: Callable[[Any, Any], None]
    """Device settings and one point, as `Driver.check_writable`."""
    driver: Driver | None = None
    """None where the tags are computed."""


@cache
def _checkers(driver: Driver) -> _Checkers:
    return _Checkers(
        checker(device_keys(driver)), checker(tag_keys(driver)), driver.check, driver.check_writable, driver
    )


def _nothing_together(device: Any, points: Sequence[Any]) -> None:  # noqa: ANN401  (as `Driver.check`)
    """Find nothing wrong: what computed tags are made from is checked once all devices are known."""


def _written_nowhere(device: Any, point: Any) -> None:  # noqa: ANN401  (as `Driver.check_writable`)
    """Find nothing wrong: a computed tag that is to be writable is refused with its keys."""


@cache
def _computed_checkers() -> _Checkers:
    return _Checkers(checker(computed_device_keys()), checker(computed_tag_keys()), _nothing_together, _written_nowhere)


class Devices:
    """Reads the section into KnownTags, each device and tag by itself, so that one mistake hides no other."""

    def __init__(self, maps: RegisterMaps, findings: Findings) -> None:
        self._maps = maps
        self._findings = findings
        self._tags = KnownTags()

    def read(self, section: Member, path: Path) -> KnownTags:
        """Return what the section defines, as far as it is in order."""
        if not isinstance(section.node.value, dict):
            message = "needs the devices indented below it, each with its name as key"
            self._findings.problem(section.place, path, message)
        for name, member in section.node.members.items():
            check_name(name, member.mark, (*path, name), self._findings)
            self._device(name, member, (*path, name))
        check_inputs(self._tags, section.node.members, path, self._findings)
        return self._tags

    def _device(self, name: str, member: Member, path: Path) -> None:
        if not isinstance(member.node.value, dict):
            self._findings.problem(member.place, path, "needs the device's keys indented below it, `driver` first")
            self._tags.unsure.add(name)
            return
        node = self._maps.apply(member.node, path)
        if node is None:
            self._tags.unsure.add(name)
            return
        device = Member(member.mark, node)
        tags = self._listed_tags(device, path)
        self._tags.paths |= {f"{name}.{tag}" for tag in tags}
        own = OwnTags(name, node, tags, path, self._findings)
        own.check_names()
        checkers = self._driver(device, path)
        if checkers is None:
            return
        made: Made | None = validate(checkers.device, device, path, self._findings)
        points = [self._tag(tag, tags[tag], checkers.tag, (*path, "tags", tag)) for tag in tags]
        kept = tuple(point for point in points if point is not None)
        own.check_writing(kept)
        if made is not None:
            settings, driver_settings = made.parts
            try:
                checkers.together(driver_settings, [tag.point for tag in kept])
            except ValueError as error:
                self._findings.problem(device.mark, path, str(error))
            for tag in kept:
                self._check_writable(tag, tags[tag.name], driver_settings, checkers, (*path, "tags", tag.name))
            self._tags.add(Device(name, made.further["driver"], settings, driver_settings, kept))

    def _check_writable(
        self,
        tag: DeviceTag,
        member: Member,
        driver_settings: Any,  # noqa: ANN401  (each driver has a class of its own)
        checkers: _Checkers,
        path: Path,
    ) -> None:
        if not tag.settings.writable:
            return
        try:
            checkers.writable(driver_settings, tag.point)
        except ValueError as error:
            mark = member.node.members["writable"].mark
            self._findings.problem(mark, (*path, "writable"), str(error))
            return
        self._check_values(tag, member, driver_settings, checkers, path)

    def _check_values(
        self,
        tag: DeviceTag,
        member: Member,
        driver_settings: Any,  # noqa: ANN401  (as above)
        checkers: _Checkers,
        path: Path,
    ) -> None:
        """Refuse what the gateway would write by itself, or let pass always, and the tag can never hold."""
        declared = tag.settings.relinquish
        named = {"always_allowed": tag.settings.always_allowed, "relinquish": () if declared is None else (declared,)}
        for key, values in named.items():
            for value in values:
                why = "" if checkers.driver is None else why_point_cannot(checkers.driver, driver_settings, tag, value)
                if why:
                    self._findings.problem(member.node.members[key].mark, (*path, key), why)

    def _listed_tags(self, device: Member, path: Path) -> dict[str, Member]:
        listing = device.node.members.get("tags")
        if listing is not None and not isinstance(listing.node.value, dict):
            message = "needs the tags indented below it, each with its name as key"
            self._findings.problem(listing.place, (*path, "tags"), message)
        elif listing is None or not listing.node.members:
            self._findings.note(device.mark, path, "it has no tags, so nothing is read from it")
        return listing.node.members if listing is not None else {}

    def _tag(self, name: str, member: Member, keys: Checker, path: Path) -> DeviceTag | None:
        check_name(name, member.mark, path, self._findings)
        made: Made | None = validate(keys, member, path, self._findings)
        return None if made is None else DeviceTag(name, *made.parts)

    def _driver(self, device: Member, path: Path) -> _Checkers | None:
        named = device.node.members.get("driver")
        try:
            names = [COMPUTED, *registry.names()]
            if named is None or named.node.value is None:
                self._findings.problem(device.mark, path, f"the key 'driver' is missing; there are {', '.join(names)}")
            elif named.node.value == COMPUTED:
                return _computed_checkers()
            elif named.node.value in names:
                return _checkers(registry.load(str(named.node.value)))
            elif not named.node.broken:
                message = f"there is no driver {leaf.shown(named.node.value)}{suggest(str(named.node.value), names)}"
                self._findings.problem(named.node.mark, (*path, "driver"), message)
        except (DriverError, TypeError) as error:
            self._findings.problem((named or device).place, (*path, "driver"), str(error))
        return None
