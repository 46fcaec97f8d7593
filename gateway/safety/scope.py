"""Which constraints have to do with a tag: who watches it, who objects to its writes, in whose scope it lies."""

from collections.abc import Iterable, Mapping, Sequence

from gateway.safety.live import LiveConstraint


class Scopes:
    """The constraints by tag, so that a decision costs what concerns it and not what there is."""

    def __init__(self, constraints: Sequence[LiveConstraint]) -> None:
        self._constraints = constraints
        self._watching: dict[str, dict[LiveConstraint, None]] = {}
        self._objecting: dict[str, list[LiveConstraint]] = {}
        self._everywhere: list[LiveConstraint] = []
        self._covering: dict[str, tuple[LiveConstraint, ...]] = {}
        self._objectors: dict[str, tuple[LiveConstraint, ...]] = {}
        for live in constraints:
            self._enter(live)

    def watching(self, tags: Iterable[str]) -> Mapping[LiveConstraint, None]:
        """Return those that judge one of these tags, each once."""
        found: Mapping[LiveConstraint, None] = {}
        for tag in tags:
            here = self._watching.get(tag)
            if here:
                found = {**found, **here} if found else here
        return found

    def covering(self, tag: str) -> tuple[LiveConstraint, ...]:
        """Return those whose live verdict decides about writes to the tag."""
        found = self._covering.get(tag)
        if found is None:
            found = self._covering[tag] = tuple(live for live in self._constraints if live.covers(tag))
        return found

    def objectors(self, tag: str) -> tuple[LiveConstraint, ...]:
        """Return those that judge what is proposed for the tag."""
        found = self._objectors.get(tag)
        if found is None:
            # One that names the tag judges what is proposed for it, wherever else it applies.
            found = (*self._objecting.get(tag, ()), *(each for each in self._everywhere if each.covers(tag)))
            self._objectors[tag] = found
        return found

    def _enter(self, live: LiveConstraint) -> None:
        for tag in live.constraint.watched:
            self._watching.setdefault(tag, {})[live] = None
        proposes = live.rule.proposes
        if proposes is None:
            self._everywhere.append(live)
            return
        for tag in dict.fromkeys(proposes):
            self._objecting.setdefault(tag, []).append(live)
