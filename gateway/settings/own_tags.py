"""What a device's own keys say of its tags: that they are there, and fit for it."""

from collections.abc import Iterable, Iterator, Mapping

from drivers.values import DataType
from gateway.settings.findings import Findings
from gateway.settings.known_tags import Mention, keyed, listed
from gateway.settings.model import DeviceTag
from gateway.settings.suggestion import suggest
from gateway.settings.tree import Member, Node, Path
from gateway.tags.tag import NONE, SAME

_ALONE = ("always_allowed", "relinquish", "keep_alive")
"""What a deadman cannot have: nobody writes it but the gateway's own beats."""

_COUNTS_NOTHING = frozenset(
    (DataType.FLOAT32, DataType.FLOAT64, DataType.STRING, DataType.BYTES, DataType.DATETIME, DataType.STRUCTURE)
)


class OwnTags:
    """The tags of one device, and what names them."""

    def __init__(self, device: str, node: Node, tags: Mapping[str, Member], path: Path, findings: Findings) -> None:
        """Tags: as the device lists them, in order or not."""
        self._device = device
        self._node = node
        self._tags = tags
        self._path = path
        self._findings = findings

    def check_names(self) -> None:
        """Make it a problem where a key of the device names a tag that it has not."""
        named = [
            *keyed(self._node, "fingerprint", self._path),
            *self._single("deadman"),
            *self._single("watch_counter"),
        ]
        for tag, mark, where in named:
            if tag not in self._tags:
                message = f"the device has no tag {tag!r}{suggest(tag, self._tags)}"
                self._findings.problem(mark, where, message)

    def check_writing(self, kept: Iterable[DeviceTag]) -> None:
        """Make it a problem where tags in order cannot be read back, or be the deadman, as it is said."""
        in_order = {tag.name: tag for tag in kept}
        for tag in in_order.values():
            for mention in listed(self._tags[tag.name].node, "readback", (*self._path, "tags", tag.name)):
                self._check_readback(tag, mention)
        watched = {mention.tag for mention in self._single("watch_counter")}
        for mention in self._single("deadman"):
            self._check_deadman(in_order.get(mention.tag), mention, watched)

    def _check_readback(self, tag: DeviceTag, mention: Mention) -> None:
        if mention.tag in {SAME, NONE}:
            return
        device, _, name = mention.tag.partition(".")
        own = [f"{self._device}.{each}" for each in self._tags if each != tag.name]
        message = ""
        if mention.tag == f"{self._device}.{tag.name}":
            message = "that is the tag itself; write `same`, or leave it out"
        elif device != self._device and name:
            message = f"{mention.tag} is a tag of another device; a value is read back from its own"
        elif mention.tag not in own:
            message = (
                f"needs same, none or a tag of this device; there is no tag {mention.tag!r}{suggest(mention.tag, own)}"
            )
        if message:
            self._findings.problem(mention.mark, mention.path, message)

    def _check_deadman(self, tag: DeviceTag | None, mention: Mention, watched: set[str]) -> None:
        if tag is None:
            return  # it is not there, or not in order: that was said
        message = ""
        if not tag.settings.writable:
            message = f"{tag.name} is not writable; it needs `writable: true`"
        elif getattr(tag.point, "type", None) in _COUNTS_NOTHING:
            message = f"{tag.name} is a {tag.point.type.value}; a deadman is a bool or a whole number"
        elif tag.name in watched:
            message = f"{tag.name} is its watch_counter, too: the gateway would watch its own beats"
        if message:
            self._findings.problem(mention.mark, mention.path, message)
        node, path = self._tags[tag.name].node, (*self._path, "tags", tag.name)
        for key in _ALONE:
            if key in node.members:
                message = "has no meaning for the deadman of its device, which nobody but the gateway writes"
                self._findings.problem(node.members[key].mark, (*path, key), message)

    def _single(self, key: str) -> Iterator[Mention]:
        """Yield the tag that a group of keys names."""
        if key in self._node.members:
            yield from listed(self._node.members[key].node, "tag", (*self._path, key))
