"""Which tags there are, for everything in the configuration that names one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple

from gateway.settings.findings import Findings
from gateway.settings.model import NAME, NAME_ADVICE, Device, DeviceTag
from gateway.settings.suggestion import suggest
from gateway.settings.tree import Mark, Node, Path, item_key


class Mention(NamedTuple):
    """A place that names a tag."""

    tag: str
    mark: Mark
    path: Path


@dataclass(slots=True)
class KnownTags:
    """The devices and tags that the configuration defines, those with a mistake in them included."""

    devices: dict[str, Device] = field(default_factory=dict)
    """Those in order."""
    tags: dict[str, tuple[Device, DeviceTag]] = field(default_factory=dict)
    """Those in order, by `device.tag`."""
    paths: set[str] = field(default_factory=set)
    """Every `device.tag` that is written down."""
    unsure: set[str] = field(default_factory=set)
    """Devices whose tags could not be made out; nothing is said against a tag of theirs."""

    def add(self, device: Device) -> None:
        """Take in a device in order, with its tags in order."""
        self.devices[device.name] = device
        self.tags |= {f"{device.name}.{tag.name}": (device, tag) for tag in device.tags}

    def check(self, mention: Mention, findings: Findings) -> bool:
        """Return whether such a tag is written down; it is a problem where it is not."""
        tag, mark, path = mention
        if tag in self.paths or tag.partition(".")[0] in self.unsure:
            return True
        what = f"there is no tag {tag!r}" if "." in tag else f"{tag!r} is no tag; a tag is named device.tag"
        findings.problem(mark, path, f"{what}{suggest(tag, self.paths)}")
        return False

    def check_writable(self, mention: Mention, findings: Findings) -> None:
        """Make it a problem where the tag is not there or not writable, or the gateway's alone to write."""
        found = self.tags.get(mention.tag)
        if not self.check(mention, findings) or found is None:
            return
        device, tag = found
        if not tag.settings.writable:
            findings.problem(
                mention.mark, mention.path, f"{mention.tag} is not writable; it needs `writable: true` in its device"
            )
        elif device.gateway.deadman is not None and device.gateway.deadman.tag == tag.name:
            findings.problem(
                mention.mark,
                mention.path,
                f"{mention.tag} is the deadman of its device; nobody but the gateway writes it",
            )

    def matches(self, glob: str) -> bool:
        """Return whether a glob over tags meets any."""
        return bool(self.unsure) or any(fnmatchcase(path, glob) for path in self.paths)


def listed(node: Node, key: str, path: Path) -> Iterator[Mention]:
    """Yield the tags that a key names: one, or a list of them."""
    if key not in node.members:
        return
    value = node.members[key].node
    if isinstance(value.value, str) and not value.broken:
        yield Mention(value.value, value.mark, (*path, key))
    for place, item in enumerate(value.items):
        if isinstance(item.value, str) and not item.broken:
            yield Mention(item.value, item.mark, (*path, key, item_key(place)))


def keyed(node: Node, key: str, path: Path) -> Iterator[Mention]:
    """Yield the tags that are the keys of a group."""
    if key in node.members:
        for tag, member in node.members[key].node.members.items():
            yield Mention(tag, member.mark, (*path, key, tag))


def check_name(name: str, mark: Mark, path: Path, findings: Findings) -> None:
    """Make it a problem where that cannot be a name."""
    if not NAME.fullmatch(name):
        findings.problem(mark, path, f"{name!r} does not fit; {NAME_ADVICE}")
