"""The gate: every live constraint and its verdict of now, kept until it no longer holds.

It reads the process image in place and returns what changed as values. No I/O, no clock of its own.
"""

from collections.abc import Iterable, Sequence

from gateway.errors import GatewayError
from gateway.safety.constraint import Threshold
from gateway.safety.kinds.threshold import Held, Input, judge
from gateway.safety.verdict import Judgement, Verdict
from gateway.tags.image import ProcessImage
from gateway.tags.tag import Tag


class LiveConstraint:
    """One constraint, the tag it watches, and what was last said of it."""

    __slots__ = ("constraint", "held", "judgement", "tag")

    def __init__(self, constraint: Threshold, tag: Tag) -> None:
        self.constraint = constraint
        self.tag = tag
        self.held = Held.NONE
        self.judgement = Judgement(Verdict.UNKNOWN, "no_data", None, float("-inf"))


class Gate:
    """All constraints on live tags."""

    def __init__(self, constraints: Sequence[Threshold], image: ProcessImage) -> None:
        """Raises GatewayError for a constraint on a tag that is not in the image."""
        self._image = image
        self.constraints = tuple(LiveConstraint(each, self._tag(each)) for each in constraints)
        self.errors = 0
        """Evaluations that raised; their verdict is UNKNOWN."""
        self._by_tag: dict[int, list[LiveConstraint]] = {}
        for live in self.constraints:
            self._by_tag.setdefault(live.tag.index, []).append(live)

    def observe(self, changed: Iterable[Tag], now: float) -> list[LiveConstraint]:
        """Judge the constraints on these tags; return those whose verdict or reason changed."""
        affected = [live for tag in changed for live in self._by_tag.get(tag.index, ())]
        return [live for live in affected if self._judge(live, now)]

    def refresh(self, now: float) -> list[LiveConstraint]:
        """Judge those whose last verdict no longer holds; return those whose verdict or reason changed."""
        expired = [live for live in self.constraints if not now <= live.judgement.holds_until]
        return [live for live in expired if self._judge(live, now)]

    def _judge(self, live: LiveConstraint, now: float) -> bool:
        before = live.judgement
        try:
            live.judgement, live.held = judge(live.constraint, self._input(live, now), live.held, now)
        except Exception:  # noqa: BLE001  (an evaluation that raises is a doubt, and a doubt is UNKNOWN)
            self.errors += 1
            live.judgement = Judgement(Verdict.UNKNOWN, "error", None, float("-inf"))
        return (before.verdict, before.reason) != (live.judgement.verdict, live.judgement.reason)

    def _input(self, live: LiveConstraint, now: float) -> Input:
        own = live.constraint.max_age
        max_age = self._image.max_age(live.tag) if own is None else own
        return Input(self._image.sample(live.tag, now), self._image.answered(live.tag), max_age)

    def _tag(self, constraint: Threshold) -> Tag:
        tag = self._image.find(constraint.tag)
        if tag is None:
            raise GatewayError(f"constraint {constraint.name}: there is no tag {constraint.tag}")
        return tag
