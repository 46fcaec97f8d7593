"""Notes: what the configuration asks for and this version does not do, and what looks unwise."""

from collections.abc import Iterator, Sequence

from gateway.safety.kinds.threshold import Threshold
from gateway.safety.verdict import SafetyLevel
from gateway.settings.constraints import Declared
from gateway.settings.findings import Findings
from gateway.settings.known_tags import KnownTags
from gateway.settings.model import Settings
from gateway.settings.tree import Member, Node

JUDGES_ONLY = "this version judges only"

_NOT_DONE = {
    "on_trip": f"{JUDGES_ONLY}; nothing is written on a trip",
    "on_unknown": f"{JUDGES_ONLY}; a doubt trips nothing",
    "limits_also": f"{JUDGES_ONLY}; it takes no writes that could be held to the limit",
    "applies_to": f"{JUDGES_ONLY}; it takes no writes that could be in this scope",
    "bypassable": f"{JUDGES_ONLY}; there is nothing to bypass",
}
"""Keys of a constraint that have no effect yet."""


def advise(root: Node, settings: Settings, declared: Sequence[Declared], tags: KnownTags, findings: Findings) -> None:
    """Note everything that the configuration asks for in vain."""
    sections = root.members
    if not settings.devices:
        findings.note(root.mark, (), "there are no devices, so nothing is read")
    if settings.gateway.control != "off":
        message = f"it is {settings.gateway.control!r}, but {JUDGES_ONLY}; nothing is written"
        _at(sections, ("gateway", "control"), message, findings)
    _at(sections, ("safety", "halt_on_critical"), f"{JUDGES_ONLY}; nothing is halted", findings)
    _at(sections, ("authority",), "this version takes no commands, so nobody's authority is asked for", findings)
    _at(sections, ("tasks",), "this version runs no tasks", findings)
    for name, device in settings.devices.items():
        if getattr(getattr(device.driver_settings, "profile", None), "setup", None):
            _setup(root, name, findings)
    for each in declared:
        _constraint(each, tags, findings)


def _setup(root: Node, device: str, findings: Findings) -> None:
    path, members, mark = ("devices", device, "profile", "setup"), root.members, root.mark
    for key in path:  # the last ones may stand in a register map, which is not part of this tree
        if key in members:
            mark, members = members[key].mark, members[key].node.members
    findings.note(mark, path, f"{JUDGES_ONLY}; the device is told nothing when it returns")


def _at(sections: dict[str, Member], keys: Sequence[str], message: str, findings: Findings) -> None:
    member = None
    for key in keys:
        member = sections.get(key)
        if member is None:
            return
        sections = member.node.members
    if member is not None:
        findings.note(member.mark, tuple(keys), message)


def _constraint(declared: Declared, tags: KnownTags, findings: Findings) -> None:
    constraint, node, path = declared
    for key, message in _NOT_DONE.items():
        if key in node.members and getattr(constraint, key) not in (False, "alarm"):
            findings.note(node.members[key].mark, path, f"{key}: {message}")
    if not isinstance(constraint, Threshold):
        return
    if constraint.level is SafetyLevel.CRITICAL and not constraint.on_delay:
        findings.note(node.mark, path, "critical with neither on_delay nor vote: one wrong sample would trip")
    for message in _ranges(constraint, tags):
        findings.note(node.mark, path, message)


def _ranges(constraint: Threshold, tags: KnownTags) -> Iterator[str]:
    for tag in (constraint.tag, *constraint.limits_also):
        found = tags.tags.get(tag)
        if found is None or not found[1].settings.writable:
            continue
        limits = found[1].settings.range
        if limits is None:
            yield f"{tag} is writable and has no range; give it one within the limits"
            continue
        if constraint.min is not None and not limits[0] >= constraint.min:
            yield f"the range of {tag} lets writes go down to {limits[0]:g}, past min {constraint.min:g}"
        if constraint.max is not None and not limits[1] <= constraint.max:
            yield f"the range of {tag} lets writes go up to {limits[1]:g}, past max {constraint.max:g}"
