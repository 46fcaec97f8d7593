"""DEPENDENCY: each requirement missed while it counts, before a write as well, and every doubt about it. Pure."""

from collections.abc import Iterator

from gateway.safety.kinds.dependency import Dependency, satisfies
from gateway.safety.verdict import Verdict
from gateway.testing.bench import Bench
from gateway.testing.case import Agrees, Case, Doubt, Drive, Keeps, Latched, Pass, Speaks
from gateway.testing.cases.comparisons import bring_about, misses, unlike
from gateway.testing.cases.doubts import doubts, max_age, spoiled
from gateway.testing.cases.excursion import Excursion, excursion
from gateway.testing.cases.stages import STALE, VIOLATION, begin, coverage, driven
from gateway.testing.cell import CannotDrive
from gateway.testing.plant_model import Values


def cases(bench: Bench, constraint: Dependency) -> Iterator[Case]:
    """Yield everything that is to be proved of it."""
    yield from coverage(bench)
    try:
        applies = bring_about(bench, constraint.when)
        bench.together(applies, bring_about(bench, constraint.requires))
    except CannotDrive as reason:
        yield Case("its condition, and what it requires, together", not_proved=str(reason))
        return
    ways = [(tag, *miss) for tag, wanted in constraint.requires.items() for miss in misses(bench, tag, wanted)]
    for tag, title, missed in ways:
        yield from _missed(bench, constraint, applies, f"{tag} {title}", missed)
    for tag in constraint.requires:
        yield from _doubted(bench, tag, applies)
    certain = next((missed for _, _, missed in ways if not isinstance(missed, CannotDrive)), None)
    if certain is not None:
        for tag in constraint.when:
            yield from _condition_doubted(bench, constraint, applies, tag, certain)
    yield from max_age(bench)


def _missed(
    bench: Bench, constraint: Dependency, applies: Values, title: str, missed: Values | CannotDrive
) -> Iterator[Case]:
    when = " and ".join(f"{each}={applies[each]!r}" for each in constraint.when if each in applies) or "it applies"
    name = f"{title} while {when}"
    try:
        if isinstance(missed, CannotDrive):
            raise missed
        both = bench.together(_beside(constraint, applies, missed), missed)
    except CannotDrive as reason:
        yield Case(name, not_proved=str(reason))
        return
    back = {path: bench.rest[path] for path in both}
    yield excursion(bench, Excursion(name, before=driven(applies), over=driven(both), back=driven(back)))
    for written in constraint.when:
        cell = bench.model.cells.get(written)
        if cell is not None and cell.writable:
            yield _permissive(bench, constraint, written, applies, missed, f"{name}: before it is written")


def _beside(constraint: Dependency, applies: Values, missed: Values) -> Values:
    """Return what else has to be for the condition to hold: a tag of it may be the one that misses."""
    when = constraint.when
    return {
        tag: value
        for tag, value in applies.items()
        if not (tag in missed and tag in when and satisfies(when[tag], missed[tag]))
    }


def _condition_doubted(
    bench: Bench, constraint: Dependency, applies: Values, tag: str, missed: Values
) -> Iterator[Case]:
    """Yield the doubts about whether it counts, while the requirement is missed."""
    others = {path: value for path, value in applies.items() if path != tag}
    try:
        drive = bench.together(others, {tag: unlike(bench, tag, constraint.when[tag])}, missed)
    except CannotDrive:
        return  # where it cannot be untrue, there is no doubt to be told from it
    if not any(base.path in missed for base in bench.model.bases(tag)):
        yield from doubts(bench, (tag,), title=f"{tag}, on which it depends,", drive=drive)


def _permissive(
    bench: Bench, constraint: Dependency, written: str, applies: Values, missed: Values, title: str
) -> Case:
    """Return the case of a write that would make it count: refused while the requirement is missed, or in doubt."""
    others = {tag: value for tag, value in applies.items() if tag != written}
    wanted = bench.writes.proposal((written, applies[written]))
    try:
        away = unlike(bench, written, constraint.when[written])
        now = bench.together(others, {written: away}, missed)
    except CannotDrive as reason:
        return Case(title, not_proved=str(reason))
    if bench.writes.is_always_allowed(written, applies[written]):
        return Case(title, not_proved=f"{written}={applies[written]!r} is a safe state, and always allowed")
    settle = Pass(bench.settle(*constraint.watched))
    there = {path: bench.rest[path] for path in missed}
    steps = (
        *begin(bench),
        Drive({**others, written: away}),
        settle,
        Agrees(wanted),
        Drive(now),
        settle,
        Keeps(Verdict.OK, 2 * bench.period),
        Speaks(wanted, VIOLATION),
        Latched(latched=False),
        Drive(there),
        spoiled(bench, tuple(missed), Doubt.BAD, 0.0),
        settle,
        Speaks(wanted, STALE),
        Latched(latched=False),
    )
    return Case(title, steps, {**bench.rest, **others, written: away})


def _doubted(bench: Bench, tag: str, applies: Values) -> Iterator[Case]:
    if any(base.path in applies for base in bench.model.bases(tag)):
        return  # the doubt would be about the condition as well
    yield from doubts(bench, (tag,), title=f"{tag}, which is required,", drive=applies)
