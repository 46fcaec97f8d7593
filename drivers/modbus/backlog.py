"""What a link was asked in vain and may still be busy with, and how long it is waited for because of that. Pure.

A gateway in front of a serial bus takes one request after the other: while it waits for a dead unit, for a second
as a rule, it answers for nobody. To give up sooner frees no wire, and the silence of the next unit means nothing.
Other gateways, and devices of several units, go on meanwhile. Which kind it is shows in what comes late.
"""

from typing import NamedTuple

from drivers.modbus.slowness import Slowness

LONGEST = 5.0
"""Seconds that a gateway is waited for at most, for the sake of a unit before the one that is asked."""
MOST = 16
"""Requests in vain that are remembered; of more the oldest is forgotten."""


class _Asked(NamedTuple):
    """A request on its way."""

    unit: int
    sent: float
    patience: float
    """How long its answer may take."""
    behind: float | None
    """When the first request was sent that another unit still owed then; None where there was none."""


class _Owed(NamedTuple):
    """A request that was given up."""

    asked: _Asked
    until: float
    """From when on it keeps nobody waiting any more."""


class Backlog:
    """What one link owes. All times are seconds, on a clock that only grows."""

    def __init__(self) -> None:
        self.queues: bool | None = None
        """Whether a silent unit keeps the others waiting; None while that is not known."""
        self._blocked = 0.0
        """For how long it did."""
        self._slowness = Slowness()
        self._owed: dict[int, _Owed] = {}
        """By the number of the request."""
        self._asked: _Asked | None = None
        self._tried_in_vain = False
        self._freed: float | None = None
        """After how long the gateway spoke for a silent unit while somebody behind it was kept waiting."""

    def ask(self, unit: int, now: float, seconds: float, late: float) -> float:
        """Note a request that is sent now, and return until when its answer is waited for.

        Seconds: how long it may take by itself. Late: how long an answer may take that is welcome all the same.
        """
        patience = max(self._slowness.patience(unit, seconds, late), self._blocked if self.queues else 0.0)
        others = self._others(unit, now)
        behind = min((owed.asked.sent for owed in others), default=None)
        self._asked, self._freed = _Asked(unit, now, patience, behind), None
        # While it is not known what the gateway does, one try has to do: where units die together, those that live
        # would bear one for each of them.
        if behind is None or self.queues is False or (self.queues is None and self._tried_in_vain):
            return now + patience
        return max(owed.until for owed in others) + patience

    def answered(self, now: float, *, by_unit: bool) -> None:
        """Note that the answer came which is waited for. By_unit: not by a gateway that speaks for the unit."""
        asked, self._asked = self._asked, None
        self._tried_in_vain = False
        if asked is None or asked.behind is None or not by_unit:  # what the dead are told says nothing of the others
            return
        if now > asked.sent + asked.patience:
            self._learn_that_it_queues(now - asked.behind)
        elif self._freed is not None:
            self._learn_that_it_queues(self._freed)
        elif self.queues is None and any(_is_early(owed, now) for owed in self._others(asked.unit, asked.sent)):
            self.queues = False

    def give_up(self, number: int, late: float) -> None:
        """Note that the answer did not come. Number: of the request; late: as above."""
        asked, self._asked = self._asked, None
        if asked is None:
            return
        self._tried_in_vain = self._tried_in_vain or asked.behind is not None
        self._owed[number] = _Owed(asked, asked.sent + max(late, asked.patience))
        if len(self._owed) > MOST:
            del self._owed[next(iter(self._owed))]

    def came_late(self, number: int, now: float, *, by_unit: bool) -> bool:
        """Note an answer if it is to a request that was given up, and tell whether it is. By_unit: as above."""
        owed = self._owed.pop(number, None)
        if owed is None:
            return False
        unit, sent, _, behind = owed.asked
        if not by_unit and self.queues:
            self._learn_that_it_queues(now - sent)
        elif not by_unit and self._kept_waiting(sent, now):
            self._freed = now - sent
        elif by_unit and behind is not None:
            self._learn_that_it_queues(now - behind)
        elif by_unit:
            self._slowness.note(unit, now - sent)
        return True

    def _kept_waiting(self, sent: float, now: float) -> bool:
        """Tell whether somebody has waited for most of the time since then."""
        asked = self._asked
        return asked is not None and asked.behind is not None and 2 * (now - asked.sent) > now - sent

    def _others(self, unit: int, now: float) -> list[_Owed]:
        return [owed for owed in self._owed.values() if owed.asked.unit != unit and owed.until > now]

    def _learn_that_it_queues(self, blocked: float) -> None:
        self.queues = True
        self._blocked = min(max(blocked, self._blocked), LONGEST)


def _is_early(owed: _Owed, now: float) -> bool:
    # Later than that, the gateway may have given up by itself and without a word.
    return now < (owed.asked.sent + owed.until) / 2
