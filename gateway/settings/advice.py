"""Notes: what the configuration asks for and this version does not do, and what looks unwise."""

from collections.abc import Iterator, Sequence

from gateway.safety.kinds.threshold import Threshold
from gateway.safety.verdict import SafetyLevel
from gateway.settings.constraints import Declared
from gateway.settings.findings import Findings
from gateway.settings.known_tags import KnownTags
from gateway.settings.model import Settings
from gateway.settings.tree import Member, Node


def advise(root: Node, settings: Settings, declared: Sequence[Declared], tags: KnownTags, findings: Findings) -> None:
    """Note everything that the configuration asks for in vain."""
    sections = root.members
    if not settings.devices:
        findings.note(root.mark, (), "there are no devices, so nothing is read")
    if "tasks" in sections:
        findings.note(sections["tasks"].mark, ("tasks",), "this version runs no tasks")
    _keys(sections, settings, findings)
    for name, device in settings.devices.items():
        if getattr(getattr(device.driver_settings, "profile", None), "setup", None):
            _setup(root, name, findings)
    for each in declared:
        _safe_state(each, settings, tags, findings)
        _constraint(each, tags, findings)


def _setup(root: Node, device: str, findings: Findings) -> None:
    path, members, mark = ("devices", device, "profile", "setup"), root.members, root.mark
    for key in path:  # the last ones may stand in a register map, which is not part of this tree
        if key in members:
            mark, members = members[key].mark, members[key].node.members
    findings.note(mark, path, "this version tells the device nothing when it returns")


def _keys(sections: dict[str, Member], settings: Settings, findings: Findings) -> None:
    if settings.authority == "open":
        return
    for name in settings.commands.keys.keys() - (settings.authority or {}).keys():
        message = "stands in no row of `authority`, so nothing that it signs is allowed"
        findings.note(
            sections["commands"].node.members["keys"].node.members[name].mark, ("commands", "keys", name), message
        )


def _safe_state(declared: Declared, settings: Settings, tags: KnownTags, findings: Findings) -> None:
    constraint, node, path = declared
    if constraint.on_trip and constraint.level is not SafetyLevel.CRITICAL:
        message = f"its on_trip is never written: it is {constraint.level.value}, and only a critical one trips"
        findings.note(node.mark, path, message)
        return
    devices = {tags.tags[tag][0].name: tags.tags[tag][0] for tag in constraint.on_trip if tag in tags.tags}
    for name, device in devices.items():
        mode = device.gateway.control or "on"
        if settings.gateway.control == "on" and mode != "on":
            findings.note(node.mark, path, f"its safe state is not written to {name}, of which control is {mode}")


def _constraint(declared: Declared, tags: KnownTags, findings: Findings) -> None:
    constraint, node, path = declared
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
