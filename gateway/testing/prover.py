"""Drives one case after the other, each on a plant of its own."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import ServiceError
from gateway.safety.constraint import Constraint, Setting
from gateway.settings.model import Settings
from gateway.testing.case import Case
from gateway.testing.plant_model import PlantModel
from gateway.testing.proving import Subject, subjects
from gateway.testing.rig import Answer, Rig
from gateway.testing.run import Failed, NotProved, Run
from gateway.testing.sealed import sealed
from gateway.testing.virtual_time import run_virtual


class Status(StrEnum):
    """What became of a case."""

    PROVED = "proved"
    FAILED = "failed"
    NOT_PROVED = "not proved"


@dataclass(frozen=True, slots=True)
class Result:
    """A case that was driven, or could not be."""

    constraint: Constraint
    title: str
    status: Status
    expected: str = ""
    """Of one that failed."""
    seen: str = ""
    """Of one that failed, and why one is not proved."""
    answers: tuple[Answer, ...] = ()
    """What was answered to what was tried to be written, in this order."""
    warnings: int = 0
    """How often it warned of what was to be written, and let it pass."""
    tripped_after: float | None = None
    """Seconds between the cause and the trip."""
    frames: int = 0
    """That reached a stand-in, the safe state's too."""
    lasted: float = 0.0
    """Seconds on the virtual clock."""


def prove(settings: Settings, only: str | None = None) -> list[Result]:
    """Return what became of every case of every constraint, or of one. Settings: as they are written.

    Nothing outside this process is reached; a second call gives the same.
    """
    model = PlantModel(settings)
    with sealed() as attempts, quiet():
        results = [
            _prove_case(subject, model, case)
            for subject in subjects(settings)
            if only in {None, subject.constraint.name}
            for case in subject.cases
        ]
        if attempts:
            raise ServiceError(f"a defect: {attempts[0]} was tried while a configuration was proved")
    return results


@contextmanager
def quiet() -> Iterator[None]:
    """Say nothing of devices that are lost on purpose."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _prove_case(subject: Subject, model: PlantModel, case: Case) -> Result:
    if case.not_proved:
        return Result(subject.constraint, case.title, Status.NOT_PROVED, seen=case.not_proved)
    return run_virtual(_run(subject, model, case), subject.grain)


async def _run(subject: Subject, model: PlantModel, case: Case) -> Result:
    constraint = subject.constraint
    rig = Rig(subject.settings, model.cells, case.start, constraint)
    run = Run(rig, constraint)
    began = rig.clock.monotonic()
    status, expected, seen = Status.PROVED, "", ""
    async with rig:
        try:
            for step in case.steps:
                await run.take(step)
        except Failed as failure:
            status, expected, seen = Status.FAILED, failure.expected, failure.seen
            if rig.far.overwritten:
                status, expected, seen = Status.NOT_PROVED, "", _meddled(rig.far.overwritten)
        except NotProved as reason:
            status, seen = Status.NOT_PROVED, str(reason)
        lasted = rig.clock.monotonic() - began
    return Result(
        constraint,
        case.title,
        status,
        expected,
        seen,
        answers=tuple(run.answers),
        warnings=run.warnings,
        tripped_after=run.tripped_after,
        frames=len(rig.far.frames),
        lasted=lasted,
    )


def _meddled(overwritten: Mapping[str, Setting]) -> str:
    tag, value = next(iter(overwritten.items()))
    return f"{tag} was set to {value!r} meanwhile, by the safe state of another constraint, so it could not be driven"
