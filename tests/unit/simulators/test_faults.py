"""How a transmitter fails."""

from math import isnan

import pytest

from simulators.faults import Fault, FaultKind, Reading, fits, spoil

BEFORE = Reading(450.0)


def test_an_offset_is_added() -> None:
    assert spoil(Fault(FaultKind.OFFSET, 20.0), 451.0, BEFORE) == Reading(471.0)


def test_an_offset_leaves_a_whole_number_whole() -> None:
    assert repr(spoil(Fault(FaultKind.OFFSET, 20.0), 3, Reading(3)).value) == "23"


def test_a_stuck_transmitter_shows_what_it_showed_before() -> None:
    assert spoil(Fault(FaultKind.STUCK), 999.0, BEFORE) == BEFORE


def test_a_transmitter_without_a_number_still_claims_to_be_sound() -> None:
    reading = spoil(Fault(FaultKind.NAN), 451.0, BEFORE)
    assert isinstance(reading.value, float)
    assert isnan(reading.value)
    assert reading.good


def test_a_broken_transmitter_says_so() -> None:
    assert spoil(Fault(FaultKind.BAD), 451.0, BEFORE) == Reading(451.0, good=False)


@pytest.mark.parametrize(
    ("kind", "fitting"),
    [
        (FaultKind.OFFSET, [1.0, 2]),
        (FaultKind.NAN, [1.0]),
        (FaultKind.STUCK, [1.0, 2, True, "rolling"]),
        (FaultKind.BAD, [1.0, 2, True, "rolling"]),
    ],
)
def test_a_fault_fits_only_what_can_fail_so(kind: FaultKind, fitting: list[object]) -> None:
    values: list[float | str] = [1.0, 2, True, "rolling"]
    assert [value for value in values if fits(Fault(kind), value)] == fitting
