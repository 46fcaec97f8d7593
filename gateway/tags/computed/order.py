"""In which order computed tags are evaluated, and whether one is made from itself. Pure."""

from collections.abc import Mapping, Sequence


def levels(inputs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the level of each computed tag: 0 where it needs no other computed tag, else above all that it needs.

    `inputs` gives the inputs of each computed tag; there must be no cycle.
    """
    found: dict[str, int] = {}
    waiting = list(inputs)
    while waiting:
        tag = waiting[-1]
        needed = [each for each in inputs[tag] if each in inputs]
        missing = [each for each in needed if each not in found]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        found[tag] = 1 + max((found[each] for each in needed), default=-1)
    return found


def find_cycles(inputs: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Return cycles of tags that are made from themselves, each beginning and ending with the same tag.

    At least one cycle is found in every group of tags that are made from one another.
    """
    cycles: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in inputs:
        path: list[str] = []
        branches = [iter((start,))]
        while branches:
            tag = next(branches[-1], None)
            if tag is None:
                branches.pop()
                if path:
                    done.add(path.pop())
            elif tag in path:
                cycles.append((*path[path.index(tag) :], tag))
            elif tag in inputs and tag not in done:
                path.append(tag)
                branches.append(iter(inputs[tag]))
    return cycles


def inputs_of(tags: set[str], inputs: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the tags from which these are made, directly and through other computed tags."""
    found: set[str] = set()
    waiting = list(tags)
    while waiting:
        for each in inputs.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found
