"""From YAML text to a tree in which everything knows its place. It never makes objects of YAML tags.

An alias stands for the same Node as its anchor, and what a tree would hold written out is counted while
it is built, so a small file cannot grow into a huge configuration.
"""

from collections.abc import Iterator

import yaml

from gateway.settings.findings import Findings
from gateway.settings.scalar import UNPRINTABLE, resolve
from gateway.settings.tree import Mark, Member, Node, Path, item_key
from gateway.settings.yaml_words import explain

MAX_DEPTH = 32
MAX_VALUES = 500_000
"""Values in one file, aliases written out."""
MERGE = "<<"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it: twenty times as fast."""


class _Unusable(Exception):
    """The rest of the file cannot be understood; said already."""


def parse(text: str, file: str, findings: Findings, loader: type = _LOADER) -> Node | None:
    """Return the file's one document; None, with a problem, where it cannot be read at all."""
    events = yaml.parse(text, Loader=loader)
    try:
        return _Builder(events, file, findings).document()
    except yaml.YAMLError as error:
        line, column, message = explain(error, text)
        findings.problem(Mark(file, line, column), (), message)
    except _Unusable:
        pass
    return None


class _Builder:
    def __init__(self, events: Iterator[yaml.Event], file: str, findings: Findings) -> None:
        self._events = events
        self._file = file
        self._findings = findings
        self._anchors: dict[str, Node] = {}

    def document(self) -> Node:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise self._refuse(Mark(self._file, 1, 1), (), "the file is empty; it needs at least `gateway: {id: NAME}`")
        root = self._node(next(self._events), (), 1)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._refuse(self._mark(after), (), "a second document begins here; keep one a file, without ---")
        return root

    def _node(self, event: yaml.Event, path: Path, depth: int) -> Node:
        mark = self._mark(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), mark, path, depth)
        self._check_tag(event, mark, path)
        if depth > MAX_DEPTH:
            raise self._refuse(mark, (), f"nested deeper than {MAX_DEPTH} levels")
        node = Node(mark, None)
        if isinstance(event, yaml.ScalarEvent):
            self._check_text(event.value, mark, path)
            node.value = resolve(event.value) if event.implicit[0] else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            self._fill_list(node, path, depth)
        else:
            self._fill_group(node, path, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _alias(self, anchor: str, mark: Mark, path: Path, depth: int) -> Node:
        node = self._anchors.get(anchor)
        if node is None:
            raise self._refuse(
                mark, path, f"there is no anchor &{anchor} above; a text that begins with * needs quotes"
            )
        if depth + node.depth - 1 > MAX_DEPTH:
            raise self._refuse(mark, path, f"nested deeper than {MAX_DEPTH} levels")
        return node

    def _fill_list(self, node: Node, path: Path, depth: int) -> None:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, item_key(len(items))), depth + 1))
            self._grow(node, items[-1])
        node.value = items

    def _fill_group(self, node: Node, path: Path, depth: int) -> None:
        members: dict[str, Member] = {}
        merged: list[Node] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            mark = self._mark(event)
            key = self._key(event, mark, path)
            child = self._node(next(self._events), (*path, key), depth + 1)
            self._grow(node, child)
            if key == MERGE:
                merged += self._merged(child, mark, (*path, key))
            elif key in members:
                first = members[key].mark
                self._findings.problem(mark, (*path, key), f"defined twice; the first is in line {first.line}")
            else:
                members[key] = Member(mark, child)
        for other in merged:
            members.update({key: member for key, member in other.members.items() if key not in members})
        node.value = members

    def _key(self, event: yaml.Event, mark: Mark, path: Path) -> str:
        if isinstance(event, yaml.ScalarEvent) and event.tag is None:
            self._check_text(event.value, mark, path)
            return str(event.value)
        raise self._refuse(mark, path, "a key has to be a plain name")

    def _merged(self, node: Node, mark: Mark, path: Path) -> list[Node]:
        others = node.items or [node]
        if all(isinstance(other.value, dict) for other in others):
            return others
        raise self._refuse(mark, path, "merges only groups of keys, as in `<<: *anchor`")

    def _check_tag(self, event: yaml.Event, mark: Mark, path: Path) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            raise self._refuse(
                mark, path, f"the YAML tag {shown} has no meaning here; a text that begins with ! needs quotes"
            )

    def _check_text(self, text: str, mark: Mark, path: Path) -> None:
        if found := UNPRINTABLE.search(text):
            raise self._refuse(mark, path, f"holds an unprintable character, U+{ord(found[0]):04X}; remove it")

    def _grow(self, node: Node, child: Node) -> None:
        node.size += child.size
        node.depth = max(node.depth, child.depth + 1)
        if node.size > MAX_VALUES:
            raise self._refuse(node.mark, (), f"the file holds more than {MAX_VALUES} values, aliases written out")

    def _mark(self, event: yaml.Event) -> Mark:
        start = event.start_mark
        return Mark(self._file, start.line + 1, start.column + 1) if start else Mark(self._file)

    def _refuse(self, mark: Mark, path: Path, message: str) -> _Unusable:
        self._findings.problem(mark, path, message)
        return _Unusable()
