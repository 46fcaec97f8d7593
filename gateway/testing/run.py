"""Takes the steps of one case, and compares what is seen with what has to be seen."""

import asyncio
from collections.abc import Callable, Sequence
from functools import singledispatchmethod
from typing import Any

from gateway.control.reply import Outcome
from gateway.safety.constraint import Constraint
from gateway.safety.decision import REFUSING, Finding
from gateway.testing.case import (
    Agrees,
    Becomes,
    Drive,
    Goes,
    Keeps,
    Latched,
    LocalTime,
    Mend,
    Pass,
    Ramp,
    Resets,
    Speaks,
    Spoil,
    Step,
    Trips,
    Written,
)
from gateway.testing.rig import Answer, Rig

INSTANT = 1e-6
"""Seconds by which sums of seconds may be off."""


class Failed(Exception):
    """Something is not as it has to be."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}; seen {seen}")
        self.expected = expected
        self.seen = seen


class NotProved(Exception):
    """Something could not be brought about."""


class Run:
    """One case on its rig."""

    def __init__(self, rig: Rig, constraint: Constraint) -> None:
        self.answers: list[Answer] = []
        self.warnings = 0
        self.tripped_after: float | None = None
        self._rig = rig
        self._name = constraint.name
        self._refuses = constraint.level in REFUSING

    @singledispatchmethod
    async def take(self, step: Step) -> None:
        """Take a step. Raises Failed, NotProved."""
        raise NotImplementedError(step)

    @take.register
    async def _(self, step: Drive) -> None:
        self._rig.far.drive(step.values)

    @take.register
    async def _(self, step: Ramp) -> None:
        self._rig.far.ramp(step)

    @take.register
    async def _(self, step: Spoil) -> None:
        self._rig.far.spoil(step)

    @take.register
    async def _(self, step: Mend) -> None:
        del step
        self._rig.far.mend()

    @take.register
    async def _(self, step: Pass) -> None:
        await asyncio.sleep(step.seconds)

    @take.register
    async def _(self, step: LocalTime) -> None:
        self._rig.local_time = step.moment

    @take.register
    async def _(self, step: Becomes) -> None:
        rig, known = self._rig, len(self._rig.verdicts)
        if await self._until(
            lambda: step.verdict in (rig.since(known) if step.passing else [rig.verdict]), step.within
        ):
            return
        expected, seen = f"{step.verdict.value} within {step.within:g} s", self._verdict()
        if step.to_begin:
            raise NotProved(f"at rest its verdict is not ok but {seen}")
        raise Failed(expected, seen)

    @take.register
    async def _(self, step: Keeps) -> None:
        known = len(self._rig.verdicts)
        await asyncio.sleep(step.seconds)
        if set(self._rig.since(known)) != {step.verdict}:
            raise Failed(f"{step.verdict.value} for {step.seconds:g} s", self._verdict())

    @take.register
    async def _(self, step: Latched) -> None:
        if self._rig.is_latched is not step.latched:
            raise Failed("a latched trip" if step.latched else "no trip", "a trip" if self._rig.is_latched else "none")

    @take.register
    async def _(self, step: Resets) -> None:
        code = await self._rig.reset()
        if code != step.code:
            raise Failed(f"a reset {_answer(step.code)}", _answer(code))

    @take.register
    async def _(self, step: Agrees) -> None:
        decision = self._rig.judge(step.proposal)
        found = self._own((*decision.refusals, *decision.warnings))
        if found:
            raise Failed(f"nothing against {step.proposal}", _said(found))

    @take.register
    async def _(self, step: Speaks) -> None:
        decision = self._rig.judge(step.proposal)
        refused, warned = self._own(decision.refusals), self._own(decision.warnings)
        wanted, others = (refused, warned) if self._refuses else (warned, refused)
        word = "a refusal" if self._refuses else "a warning"
        if not any(each.code in step.codes for each in wanted) or others:
            raise Failed(f"{word} ({_listed(step.codes)}) of {step.proposal}", _said([*refused, *warned]))
        if self._refuses:
            await self._refused(step)
        else:
            self.warnings += 1

    async def _refused(self, step: Speaks) -> None:
        answer = await self._rig.submit(step.proposal)
        self.answers.append(answer)
        if answer.outcome is not Outcome.REFUSED or answer.frames:
            raise Failed(f"{step.proposal} refused, with 0 frames", _outcome(answer))

    @take.register
    async def _(self, step: Goes) -> None:
        rig = self._rig
        if not await self._until(lambda: rig.judge(step.proposal).is_permitted, step.settle):
            refusals = rig.judge(step.proposal).refusals
            if self._own(refusals):
                raise Failed(f"{step.proposal} permitted", _said(refusals))
            raise NotProved(f"{step.proposal} cannot be carried out, because of {_said(refusals)}")
        answer = await rig.submit(step.proposal)
        self.answers.append(answer)
        if answer.outcome not in {Outcome.APPLIED, Outcome.UNVERIFIED}:
            raise NotProved(f"{step.proposal} was not carried out: {_outcome(answer)}")

    @take.register
    async def _(self, step: Trips) -> None:
        rig = self._rig
        cause = next(when for when, verdict in reversed(rig.verdicts) if verdict is step.cause)
        within = cause + step.after + step.within - rig.clock.monotonic()
        expected = f"a trip {step.after:g} s after {step.cause.value}"
        if not await self._until(lambda: bool(rig.tripped), within):
            raise Failed(expected, "none")
        self.tripped_after = rig.tripped[-1] - cause
        if not self.tripped_after >= step.after - INSTANT:
            raise Failed(expected, f"one after {self.tripped_after:g} s")

    @take.register
    async def _(self, step: Written) -> None:
        far, since, wanted = self._rig.far, self._rig.tripped[-1], set(step.safe_state)

        def sent() -> set[tuple[str, Any]]:
            return {(frame.address, frame.value) for when, frame in far.frames if when >= since}

        def is_written() -> bool:
            return wanted <= sent() and all(far.holds(tag, value) for tag, value in wanted)

        if not await self._until(is_written, step.within):
            raise Failed(f"its safe state written: {_frames(wanted)}", _frames(sent()))

    async def _until(self, is_so: Callable[[], bool], within: float) -> bool:
        """Look at every change until something is so; return whether it is."""
        try:
            async with asyncio.timeout(within):
                while not is_so():
                    await self._rig.change()
        except TimeoutError:
            return is_so()
        return True

    def _own(self, findings: Sequence[Finding]) -> list[Finding]:
        return [each for each in findings if each.name == self._name]

    def _verdict(self) -> str:
        verdict, reason = self._rig.verdict, self._rig.reason
        return f"{verdict.value} ({reason})" if reason else verdict.value


def _said(findings: Sequence[Finding]) -> str:
    return ", ".join(f"{each.name}: {each.code} ({each.reason})" for each in findings) or "nothing was said against it"


def _outcome(answer: Answer) -> str:
    return f"{answer.outcome.value} {answer.code}, {answer.frames} frames".replace(" ,", ",")


def _listed(codes: frozenset[str]) -> str:
    return " or ".join(sorted(codes))


def _answer(code: str) -> str:
    return f"refused with {code}" if code else "accepted"


def _frames(frames: set[tuple[str, Any]]) -> str:
    return ", ".join(f"{address}={value!r}" for address, value in sorted(frames, key=str)) or "no frame"
