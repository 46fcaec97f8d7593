"""When a block that is refused is to be cut in two, and what has been proved once its parts are answered.

Pure; who asks is the reader. A device that refuses everything, because it is still starting or has lost its
program, must not end in a plan of shreds: a block is cut only after one of its own spans was answered alone, and
the whole was refused once more.
"""

from collections.abc import Sequence

from drivers.modbus.register import RegisterRange
from drivers.modbus.splitting import Cut, cut, halve, order_of_asking

NO_ADDRESS, TOO_LONG, FAILURE = "exception_2", "exception_3", "exception_4"
REFUSALS = (NO_ADDRESS, TOO_LONG, FAILURE)
FAILURES = 3
"""Failures in a row, after which a device that says so is believed to mean a part of the block."""
WITNESSES = 8
"""Spans that are asked for alone after one refusal, at the most; the next ones have their turn at the next."""


class Refusals:
    """What one block has been refused so far."""

    def __init__(self, spans: Sequence[RegisterRange], failures: int = 0) -> None:
        """Failures: how many in a row there were already."""
        self.spans = tuple(spans)
        self._order = order_of_asking(len(spans))
        self._turn = 0
        self._failures = failures
        self._refused: set[RegisterRange] = set()

    def witnesses(self, kind: str) -> list[RegisterRange]:
        """Return the spans to ask for alone now, after a refusal of that kind of the whole; none where in vain."""
        self._failures = self._failures + 1 if kind == FAILURE else 0
        if len(self.spans) < 2 or kind not in REFUSALS or (kind == FAILURE and self._failures < FAILURES):
            return []
        count = min(WITNESSES, len(self.spans))
        turns = range(self._turn, self._turn + count)
        self._turn = (self._turn + count) % len(self.spans)
        return [self.spans[self._order[turn % len(self.spans)]] for turn in turns]

    def refused_alone(self, span: RegisterRange, kind: str) -> None:
        """Note that a witness said no."""
        if kind == NO_ADDRESS:
            self._refused.add(span)

    def missing(self, kind: str) -> Sequence[RegisterRange]:
        """Return the spans once all of them were refused, each alone, as addresses that do not exist."""
        if len(self.spans) < 2:
            return self.spans if kind == NO_ADDRESS else ()
        return self.spans if len(self._refused) == len(self.spans) else ()


class Proof:
    """A cut whose two parts were not yet both answered: when they are, it has been shown why the whole was not."""

    def __init__(self, kind: str, made: Cut) -> None:
        self.kind = kind
        self.cut = made
        self._open = 2

    def part_answered(self) -> bool:
        """Note that one more part was answered as it is; tell whether that was the last."""
        self._open -= 1
        return self._open == 0

    @property
    def hole(self) -> RegisterRange | None:
        """What the whole asked for and the parts do not, where that was the reason."""
        return self.cut.gap if self.kind == NO_ADDRESS else None

    @property
    def longest(self) -> RegisterRange | None:
        """The longer of the two parts, where the whole was too long."""
        if self.kind != TOO_LONG:
            return None
        ranges = (part[0]._replace(end=max(span.end for span in part)) for part in (self.cut.first, self.cut.second))
        return max(ranges, key=lambda each: each.end - each.start)


def cut_for(kind: str, spans: Sequence[RegisterRange]) -> Cut | None:
    """Return the parts of a block that was refused so."""
    return halve(spans) if kind == TOO_LONG else cut(spans)
