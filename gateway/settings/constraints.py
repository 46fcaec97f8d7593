"""The `safety` section: every constraint is checked, and what it says of tags."""

from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from gateway.safety.constraint import Constraint, SafeWrite, Setting
from gateway.safety.kinds import KINDS
from gateway.settings import leaf
from gateway.settings.compose import Checker, Made, checker, together
from gateway.settings.findings import Findings
from gateway.settings.held_value import why_not_held
from gateway.settings.known_tags import KnownTags, Mention, check_name, keyed, listed
from gateway.settings.model import SafetySettings
from gateway.settings.suggestion import suggest
from gateway.settings.tree import Given, Mark, Member, Node, Path, item_key
from gateway.settings.validate import validate


class Declared(NamedTuple):
    """A constraint in order, and where it stands."""

    constraint: Constraint
    node: Node
    path: Path


@cache
def constraint_keys(kind: type) -> Any:  # noqa: ANN401  (an annotation made at run time)
    """Return the annotation of a constraint of that kind."""
    return together(kind, kind=Any)


@cache
def _checker(kind: type) -> Checker:
    return checker(constraint_keys(kind))


class Constraints:
    """Reads the section; what it says of tags is checked against the tags."""

    def __init__(self, tags: KnownTags, findings: Findings) -> None:
        self._tags = tags
        self._findings = findings
        self._named: dict[str, Mark] = {}
        self._set_by: dict[str, tuple[Setting, Mention]] = {}
        self.declared: list[Declared] = []
        """Every constraint in order, in the order of the file."""

    def read(self, section: Member, path: Path) -> SafetySettings | None:
        """Return the section; None, with problems, where it is not in order."""
        made: Made | None = validate(checker(section_keys()), section, path, self._findings)
        listing = section.node.members.get("constraints")
        if listing is not None and listing.node.items:
            for place, item in enumerate(listing.node.items):
                self._item(item, (*path, "constraints"), item_key(place))
        elif listing is not None and not listing.node.broken:
            self._findings.problem(
                listing.place, (*path, "constraints"), "needs a list of constraints, each after a `- `"
            )
        if made is None:
            return None
        settings: SafetySettings = made.parts[0]
        return replace(settings, constraints=tuple(each for each, _, _ in self.declared))

    def _item(self, node: Node, path: Path, place: str) -> None:
        path = self._name(node, path, place)
        kind = self._kind(node, path)
        for mention in _read(node, path):
            self._tags.check(mention, self._findings)
        for mention in (*listed(node, "limits_also", path), *keyed(node, "on_trip", path)):
            self._tags.check_writable(mention, self._findings)
        if kind is None:
            return
        keys = _checker(kind)  # type: ignore[arg-type]  # a class is hashable, whatever its instances are
        constraint = validate(keys, Member(node.mark, node), path, self._findings)
        if constraint is not None:
            self.declared.append(Declared(constraint.parts[0], node, path))
            self._check(self.declared[-1])

    def _name(self, node: Node, path: Path, place: str) -> Path:
        named = node.members.get("name")
        name = None if named is None else named.node.value
        if named is None or named.node.broken or not isinstance(name, str) or isinstance(name, Given):
            return (*path, place)
        path = (*path, name)
        check_name(name, named.node.mark, path, self._findings)
        if name in self._named:
            first = self._named[name]
            self._findings.problem(named.node.mark, path, f"two constraints have this name; the first is at {first}")
        self._named.setdefault(name, named.node.mark)
        return path

    def _kind(self, node: Node, path: Path) -> type[Constraint] | None:
        if not isinstance(node.value, dict):
            self._findings.problem(
                node.mark, path, "needs keys, as in {name: ..., kind: threshold, tag: ..., max: ...}"
            )
            return None
        named = node.members.get("kind")
        if named is None or named.node.value is None:
            self._findings.problem(node.mark, path, f"the key 'kind' is missing; there are {', '.join(KINDS)}")
            return None
        kind = KINDS.get(str(named.node.value))
        if kind is None and not named.node.broken:
            message = f"there is no kind {leaf.shown(named.node.value)}{suggest(str(named.node.value), KINDS)}"
            self._findings.problem(named.node.mark, (*path, "kind"), message)
        return kind

    def _check(self, declared: Declared) -> None:
        constraint, node, path = declared
        self._check_age(constraint, node, path)
        for mention in keyed(node, "on_trip", path):
            self._check_safe_value(constraint.on_trip[mention.tag], mention)
        for mention in listed(node, "applies_to", path):
            if not self._tags.matches(mention.tag):
                self._findings.problem(
                    mention.mark, mention.path, f"{mention.tag!r} meets no tag; tags are named device.tag"
                )

    def _check_age(self, constraint: Constraint, node: Node, path: Path) -> None:
        for tag in constraint.watched:
            found = self._tags.tags.get(tag)
            if constraint.max_age is None or found is None:
                continue
            device, scan = found[0].name, found[0].gateway.scan
            if not constraint.max_age >= 2 * scan:
                message = f"{constraint.max_age:g} s is less than two scans of {device}, which is read every {scan:g} s"
                self._findings.problem(node.members["max_age"].node.mark, (*path, "max_age"), message)

    def _check_safe_value(self, wanted: Setting | SafeWrite, mention: Mention) -> None:
        value = wanted.value if isinstance(wanted, SafeWrite) else wanted
        found = self._tags.tags.get(mention.tag)
        limits = found[1].settings.range if found else None
        if limits and not isinstance(value, (bool, str)) and not limits[0] <= value <= limits[1]:
            message = f"{value:g} is not within the range of {mention.tag}, {limits[0]:g} to {limits[1]:g}"
            self._findings.problem(mention.mark, mention.path, message)
        elif found and (why := why_not_held(*found, value)):
            self._findings.problem(mention.mark, mention.path, why)
        first, where = self._set_by.setdefault(mention.tag, (value, mention))
        if (type(first), first) != (type(value), value):
            message = (
                f"a trip would set {mention.tag} to {leaf.shown(value)} here and to {leaf.shown(first)} at {where.mark}"
            )
            self._findings.problem(mention.mark, mention.path, message)


@cache
def section_keys() -> Any:  # noqa: ANN401
    """Return the annotation of the whole section; its constraints are checked one by one."""
    return together(SafetySettings, constraints=Any)


def _read(node: Node, path: Path) -> list[Mention]:
    """Return where a constraint names the live tags that it reads."""
    named = [mention for key in ("tag", "tags") for mention in listed(node, key, path)]
    return named + [mention for key in ("when", "requires") for mention in keyed(node, key, path)]
