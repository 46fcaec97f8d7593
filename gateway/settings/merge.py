"""Putting trees together: a file with what it includes, and a device with its register map. Pure."""

from gateway.settings.tree import Mark, Member, Node, Path

JOINED: frozenset[Path] = frozenset({("safety", "constraints"), ("tasks",)})
"""Lists of named things: each file adds its own."""


class Clash(Exception):
    """A key that two files define: both places, and its path."""

    def __init__(self, first: Mark, second: Mark, path: Path) -> None:
        super().__init__(path)
        self.first = first
        self.second = second
        self.path = path


def join(own: Node, other: Node, clashes: list[Clash], path: Path = ()) -> Node:
    """Return both as one; where both say something of the same key, own stays and it is a clash."""
    members = dict(own.members)
    for key, member in other.members.items():
        mine = members.get(key)
        below = (*path, key)
        if mine is None:
            members[key] = member
        elif isinstance(mine.node.value, dict) and isinstance(member.node.value, dict):
            members[key] = Member(mine.mark, join(mine.node, member.node, clashes, below))
        elif below in JOINED and isinstance(mine.node.value, list) and isinstance(member.node.value, list):
            members[key] = Member(mine.mark, Node(mine.node.mark, [*mine.node.value, *member.node.value]))
        else:
            clashes.append(Clash(mine.mark, member.mark, below))
    return Node(own.mark, members)


def overlay(own: Node, base: Node) -> Node:
    """Return the base with own keys over it, group by group; own keys win."""
    members = dict(own.members)
    for key, member in base.members.items():
        mine = members.get(key)
        if mine is None:
            members[key] = member
        elif isinstance(mine.node.value, dict) and isinstance(member.node.value, dict):
            members[key] = Member(mine.mark, overlay(mine.node, member.node))
    return Node(own.mark, members)
