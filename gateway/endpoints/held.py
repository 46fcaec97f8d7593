"""The answers of one scan on their way: together where that is quick, and none for long where it is not."""

import asyncio
from collections.abc import Callable, Sequence

from gateway.tags.image import Answer

HOLD = 0.1
"""Seconds that an answer waits for the others of its scan: what is judged must not wait for a neighbour's timeout."""


class Held:
    """The answers of one scan that were not handed over yet."""

    def __init__(self, hand_over: Callable[[Sequence[Answer]], None]) -> None:
        self.total = 0
        """Answers since the scan began."""
        self._hand_over = hand_over
        self._answers: list[Answer] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, answer: Answer, *, is_judged: bool = False) -> None:
        """Hold an answer, for HOLD at most; one that is judged, and says something new, not at all."""
        self.total += 1
        if is_judged and answer.news:
            self._answers.append(answer)
            self.release()
            return
        if not self._answers:
            self._timer = asyncio.get_running_loop().call_later(HOLD, self.release)
        self._answers.append(answer)

    def release(self) -> None:
        """Hand over what is held."""
        answers, self._answers = self._answers, []
        if answers:
            self._hand_over(answers)

    def drop(self) -> None:
        """Forget what is held: the scan has ended, or its connection has."""
        self._answers.clear()
        if self._timer is not None:
            self._timer.cancel()
