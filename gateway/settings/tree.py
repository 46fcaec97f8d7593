"""The configuration as it was written: every key and value with the place where it stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

Path: TypeAlias = tuple[str, ...]
"""The keys from the root to a value; an item of a list is `[1]`, `[2]`, ..."""


class Mark(NamedTuple):
    """A place in a file; lines and columns count from 1, and line 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Whole(int):
    """A whole number that remembers how it was written."""

    text: str


class Real(float):
    """A number with a fraction or an exponent that remembers how it was written."""

    text: str


class Given(str):
    """A text that came through `${...}`; `text` is how the file says it, and all that may be shown."""

    __slots__ = ("text",)
    text: str


Scalar: TypeAlias = bool | int | float | str | None


class Member(NamedTuple):
    """A key of a group: where it stands, and what stands behind it."""

    mark: Mark
    node: "Node"

    @property
    def place(self) -> Mark:
        """Where a problem with it is told: at the key for a group or for nothing, at the value otherwise."""
        return self.mark if self.node.value is None or isinstance(self.node.value, dict) else self.node.mark


@dataclass(slots=True, eq=False)
class Node:
    """A value: a scalar, a list, or a group of keys. Aliases share one Node."""

    mark: Mark
    value: Scalar | list["Node"] | dict[str, Member]
    size: int = 1
    """How many values it holds once every alias is written out, itself included."""
    depth: int = 1
    broken: bool = False
    """It could not be made out, which was reported already."""

    @property
    def members(self) -> dict[str, Member]:
        """The keys of a group; none where it is no group."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list["Node"]:
        """The items of a list; none where it is no list."""
        return self.value if isinstance(self.value, list) else []


class Group(dict[str, Any]):
    """A group of keys on its way through validation, which still knows where it stands."""

    __slots__ = ("node", "path")

    def __init__(self, node: Node, path: Path) -> None:
        super().__init__((key, plain(member.node, (*path, key))) for key, member in node.members.items())
        self.node = node
        self.path = path


def plain(node: Node, path: Path) -> Any:  # noqa: ANN401  (whatever the file holds)
    """Return the value as Python's own lists and scalars, and groups that know their place."""
    if isinstance(node.value, dict):
        return Group(node, path)
    if isinstance(node.value, list):
        return [plain(item, (*path, item_key(place))) for place, item in enumerate(node.value)]
    return node.value


def children(node: Node, path: Path) -> Iterator[tuple[Node, Path]]:
    """Yield what stands directly below, with its path."""
    for key, member in node.members.items():
        yield member.node, (*path, key)
    for place, item in enumerate(node.items):
        yield item, (*path, item_key(place))


def item_key(place: int) -> str:
    """Return the path of a list's item; `place` counts from 0, the path from 1."""
    return f"[{place + 1}]"


def follow(start: Member, steps: Sequence[str | int]) -> tuple[Node, Path, Mark]:
    """Walk down as far as the steps lead, leaving out those that do not; return what is there, and where."""
    member = start
    path: Path = ()
    for step in steps:
        if isinstance(step, int) and step < len(member.node.items):
            item = member.node.items[step]
            member, path = Member(item.mark, item), (*path, item_key(step))
        elif isinstance(step, str) and step in member.node.members:
            member, path = member.node.members[step], (*path, step)
    return member.node, path, member.place
