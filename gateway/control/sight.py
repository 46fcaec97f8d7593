"""What the gate sees when it decides about a tag, for the record: the tag itself and all that its constraints read."""

from collections.abc import Iterable

from gateway.audit.record import Saw
from gateway.clock import Clock
from gateway.control.stored_reply import plain
from gateway.control.world import PlantWorld
from gateway.safety.gate import Gate

MOST = 200
"""Tags in one record; a gateway with more constraints on one tag than that has them in its configuration."""


class Sight:
    """Looks with the gate's eyes."""

    def __init__(self, gate: Gate, world: PlantWorld, clock: Clock) -> None:
        self._gate = gate
        self._world = world
        self._clock = clock
        self._inputs: dict[str, tuple[str, ...]] = {}

    def knows(self, tag: str) -> bool:
        """Return whether there is such a tag."""
        return self._world.knows(tag)

    def saw(self, tags: Iterable[str]) -> dict[str, Saw]:
        """Return every tag that decides about writes to these, as it stands."""
        now = self._clock.monotonic()
        seen = dict.fromkeys(name for tag in tags for name in self._inputs_of(tag))
        return {tag: self.look(tag, now) for tag in list(seen)[:MOST]}

    def look(self, tag: str, now: float) -> Saw:
        """Return one tag as it stands."""
        sample, answered, _, _ = self._world.seen(tag, now)
        return Saw(plain(sample.value), sample.quality.word, round(min(now - answered, 1e9), 3), sample.reason)

    def _inputs_of(self, tag: str) -> tuple[str, ...]:
        found = self._inputs.get(tag)
        if found is None:
            inputs = dict.fromkeys((tag, *self._gate.inputs(tag)))
            found = self._inputs[tag] = tuple(each for each in inputs if self._world.knows(each))
        return found
