"""What cannot be driven is never called proved: the report says why."""

from pathlib import Path

import pytest

from gateway.testing.prover import Status
from tests.unit.gateway.testing.proofs import PLANT, failed, not_proved, proof_of, titles

READ_ONLY = PLANT.replace(", writable: true", "").replace('control: "off"', 'control: "off"')
NOTHING_TO_DENY = "it covers no writable tag, so there is nothing that it could deny"
REASONS = {
    "nothing that it covers can be written": (
        "{kind: threshold, tag: boiler.steam, max: 580, level: critical}",
        "it denies writes in its scope",
        NOTHING_TO_DENY,
    ),
    "a limit that the type cannot pass": (
        "{kind: threshold, tag: boiler.count, max: 70000, level: high}",
        "boiler.count above max 70000",
        "boiler.count cannot hold 70001: it reaches 0 to 65535",
    ),
    "a computed tag that nothing brings there": (
        "{kind: threshold, tag: house.constant, max: 400, level: high}",
        "house.constant above max 400",
        "no value of its inputs was found that brings house.constant to 400.4 to inf",
    ),
    "a rate of a computed tag": (
        "{kind: rate_of_change, tag: house.difference, max_per_second: 5, level: high}",
        "house.difference rising faster than 5 a second",
        "house.difference is computed, and how fast its inputs make it is not known",
    ),
    "a rate beyond the range": (
        "{kind: rate_of_change, tag: boiler.steam, max_per_second: 2000, level: high}",
        "boiler.steam rising faster than 2000 a second",
        "within its range boiler.steam cannot change by 1500 from one scan to the next",
    ),
    "a mean that only doubtful values reach": (
        "{kind: compliance, tag: boiler.nox, max: 500, window: 30s, level: high}",
        "mean of boiler.nox over 30 s above max 500",
        "beyond 500 boiler.nox is outside its range, and so a doubt and no violation",
    ),
    "a limit that never matters": (
        "{kind: rate_limit, key: turbine, max: 1000000, window: 1h, level: high}",
        "more than 1000000 operations of turbine within 3600 s",
        "no more than 5000 operations are tried, in no less than 27 s",
    ),
    "a key of a device without outputs": (
        "{kind: rate_limit, key: house, max: 2, window: 1m, level: high}",
        "more than 2 operations of house within 60 s",
        "there is no writable tag whose writes it would count, and that has no rest of its own",
    ),
    "a rest of what is neither on nor off": (
        "{kind: timing, tag: boiler.setpoint, min_off: 30s, level: high}",
        "boiler.setpoint on before it was off for 30 s",
        "boiler.setpoint is not true or false, so it is neither on nor off",
    ),
    "a rest of what is not written": (
        "{kind: timing, tag: boiler.pump, min_off: 30s, level: high}",
        "writes to boiler.pump",
        "boiler.pump cannot be written, so nothing is denied",
    ),
    "a fingerprint that would have to change": (
        "{kind: threshold, tag: boiler.firmware, max: 20, level: high}",
        "boiler.firmware above max 20",
        "boiler.firmware is the fingerprint of its device",
    ),
    "a requirement that excludes its condition": (
        "{kind: dependency, when: {boiler.burner: true}, requires: {boiler.burner: false}, level: high}",
        "its condition, and what it requires, together",
        "boiler.burner would have to be True and False at once",
    ),
}


@pytest.mark.parametrize("what", REASONS)
def test_it_says_why_something_is_not_proved(what: str, tmp_path: Path) -> None:
    constraint, title, reason = REASONS[what]
    plant = READ_ONLY if reason == NOTHING_TO_DENY else PLANT
    results = proof_of(tmp_path, constraint, plant=plant)
    assert failed(results) == []
    assert not_proved(results).get(title) == reason, not_proved(results)


def test_what_covers_nothing_writable_is_proved_to_trip_all_the_same(tmp_path: Path) -> None:
    results = proof_of(tmp_path, REASONS["nothing that it covers can be written"][0], plant=READ_ONLY)
    (above,) = [each for each in results if "above" in each.title]
    assert (above.status, above.tripped_after) == (Status.PROVED, 0.0)


def test_authority_for_everybody_leaves_nothing_to_prove(tmp_path: Path) -> None:
    start, _, rest = PLANT.partition("authority:")
    plant = start + "authority: open\ndevices:" + rest.partition("devices:")[2]
    results = proof_of(tmp_path, "{kind: permission, level: critical}", plant=plant)
    assert not_proved(results) == {"a stranger": "`authority: open` lets everybody write, so nothing is denied"}


def test_an_operation_that_something_else_forbids_is_not_proved_and_not_failed(tmp_path: Path) -> None:
    results = proof_of(
        tmp_path,
        "{kind: rate_limit, key: boiler, max: 4, window: 10s, level: high}",
        "{kind: rate_limit, key: boiler, max: 2, window: 10s, level: high}",
    )
    assert [each.status for each in results] == [Status.NOT_PROVED, Status.PROVED]
    assert "because of c1: rate_limited (too_often)" in results[0].seen


def test_a_constraint_that_others_make_impossible_is_not_proved(tmp_path: Path) -> None:
    results = proof_of(
        tmp_path,
        "{name: dry, kind: dependency, when: {boiler.pump: false}, requires: {boiler.pump: true}, level: high}",
    )
    assert results
    assert Status.PROVED not in {each.status for each in results if "not as required" in each.title}


def test_only_one_constraint_is_driven_where_that_is_asked_for(tmp_path: Path) -> None:
    from gateway.testing.prover import prove  # noqa: PLC0415  (beside its only use)
    from tests.unit.gateway.testing.proofs import LAYOUT, settings_of  # noqa: PLC0415  (as above)

    settings = settings_of(tmp_path, LAYOUT["resource"], LAYOUT["permission"])
    results = prove(settings, "c1")
    assert {each.constraint.name for each in results} == {"c1"}
    assert titles(results)
