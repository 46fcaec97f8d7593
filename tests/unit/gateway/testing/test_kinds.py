"""Every kind of constraint, proved on a configuration in which everything of it can be driven."""

from pathlib import Path

import pytest

from gateway.testing.prover import Status
from tests.unit.gateway.testing.proofs import LAYOUT, failed, not_proved, proof_of, titles

TITLES = {
    "threshold": ["boiler.steam above max 580", "boiler.steam below min 50", "boiler.steam NaN", "boiler.steam stale"],
    "rate_of_change": [
        "boiler.steam rising faster than 20 a second",
        "boiler.steam falling faster than 20 a second",
        "writes to boiler.setpoint no further than 60 at once",
    ],
    "rate_limit": ["more than 4 operations of boiler within 10 s"],
    "dependency": [
        "boiler.pump not as required while boiler.burner=True",
        "boiler.level above 100 while boiler.burner=True: before it is written",
        "boiler.level below -100 while boiler.burner=True",
        "boiler.pump, which is required, of a device that is cut off",
    ],
    "permission": [
        "operator-1 may write 3 and may not write 1 of the tags",
        "turbine-hand may write 1 and may not write 3 of the tags",
        "anonymous may write 0 and may not write 4 of the tags",
    ],
    "resource": ["without the lock burner", "with a lapsed token of burner"],
    "timing": [
        "boiler.burner on before it was off for 30 s",
        "boiler.burner off before it was on for 10 s",
        "boiler.burner written again within 5 s",
        "boiler.burner written outside 22:00 and 06:00",
    ],
    "compliance": [
        "less than 0.75 of its window known",
        "mean of boiler.nox over 60 s above max 150",
        "mean of boiler.nox over 60 s below min 5",
        "boiler.nox uncertain",
    ],
    "vote": [
        "turbine.speed_b and turbine.speed_c above max 3600",
        "turbine.speed bad: ok",
        "turbine.speed and turbine.speed_b bad: violated",
        "every sensor of a device that falls silent",
    ],
}


@pytest.mark.parametrize("kind", LAYOUT)
def test_everything_of_a_kind_is_proved(kind: str, tmp_path: Path) -> None:
    results = proof_of(tmp_path, LAYOUT[kind])
    assert {each.status for each in results} == {Status.PROVED}, failed(results) + list(not_proved(results).values())
    assert set(TITLES[kind]) <= set(titles(results))


def test_a_trip_comes_after_its_delay_and_its_safe_state_reaches_the_device(tmp_path: Path) -> None:
    results = proof_of(tmp_path, LAYOUT["threshold"])
    (above,) = [each for each in results if each.title.endswith("above max 580")]
    assert above.tripped_after == pytest.approx(2.0, abs=0.1)
    assert above.frames == 1
    assert {answer.code for answer in above.answers} == {"violation", "halted"}
    assert all(answer.frames == 0 for answer in above.answers)


def test_what_is_permitted_reaches_the_device_and_what_is_too_much_does_not(tmp_path: Path) -> None:
    (result,) = proof_of(tmp_path, LAYOUT["rate_limit"])
    assert [answer.outcome for answer in result.answers] == ["applied"] * 4 + ["refused"] * 6
    assert result.frames == 4


def test_a_doubt_trips_only_where_that_is_written_and_then_after_its_delay(tmp_path: Path) -> None:
    calm = LAYOUT["threshold"]
    wary = calm.replace("level: critical", "level: critical, on_unknown: trip, unknown_delay: 4s")
    for constraint, delay in ((calm, None), (wary, pytest.approx(4.0, abs=0.1))):
        results = [
            each for each in proof_of(tmp_path, constraint) if "max" not in each.title and "min" not in each.title
        ]
        assert {each.status for each in results} == {Status.PROVED}, failed(results)
        assert {each.title: each.tripped_after for each in results} == {
            each.title: None if each.title.endswith("since the start") else delay for each in results
        }


def test_a_constraint_that_only_warns_is_proved_to_warn(tmp_path: Path) -> None:
    results = proof_of(tmp_path, "{kind: threshold, tag: boiler.steam, max: 580, level: medium}")
    assert {each.status for each in results} == {Status.PROVED}, failed(results)
    assert all(each.warnings and not each.answers for each in results)


def test_sensors_that_degrade_are_proved_to_be_left_out(tmp_path: Path) -> None:
    degrade = LAYOUT["vote"].replace("agree: 2", "agree: 2, degrade: [1]")
    results = proof_of(tmp_path, degrade)
    assert {each.status for each in results} == {Status.PROVED}, failed(results)
    assert {"turbine.speed bad: ok", "turbine.speed and turbine.speed_b bad: unknown"} <= set(titles(results))


def test_a_limit_on_a_computed_tag_is_reached_through_its_inputs(tmp_path: Path) -> None:
    results = proof_of(
        tmp_path,
        "{kind: threshold, tag: house.difference, min: -20, max: 300, level: high}",
        "{kind: threshold, tag: house.mean, max: 500, level: high}",
        "{kind: threshold, tag: house.middle, max: 4000, level: high, applies_to: ['*']}",
    )
    reached = {each.title: each.status for each in results}
    ways = ("difference above max 300", "difference below min -20", "mean above max 500", "middle above max 4000")
    assert [reached[f"house.{way}"] for way in ways] == [Status.PROVED] * 4
    assert failed(results) == []


def test_whole_numbers_and_scaled_ones_are_driven_to_the_next_that_they_can_hold(tmp_path: Path) -> None:
    results = proof_of(
        tmp_path,
        "{kind: threshold, tag: boiler.count, max: 100.5, level: high}",
        "{kind: threshold, tag: boiler.level, min: -100, max: 100, hysteresis: 1, level: high}",
        "{kind: threshold, tag: boiler.steps, max: 80, level: high}",
        "{kind: rate_of_change, tag: boiler.count, max_per_second: 3, level: high}",
    )
    assert {each.status for each in results} == {Status.PROVED}, failed(results) + list(not_proved(results).values())
    assert "writes to boiler.steps held to its limits" in titles(results)


def test_a_max_age_shorter_than_that_of_the_tag_is_proved(tmp_path: Path) -> None:
    results = proof_of(tmp_path, "{kind: threshold, tag: boiler.steam, max: 580, level: high, max_age: 1s}")
    assert failed(results) == []
    assert "boiler.steam older than its max_age of 1 s" in titles(results)


def test_a_proof_gives_the_same_every_time(tmp_path: Path) -> None:
    first, second = (proof_of(tmp_path, LAYOUT["dependency"], LAYOUT["vote"]) for _ in range(2))
    assert first == second


def test_a_safe_state_that_takes_the_cause_away_leaves_the_trip_latched(tmp_path: Path) -> None:
    interlock = LAYOUT["dependency"].replace("level: critical", "level: critical, on_trip: {boiler.burner: false}")
    results = proof_of(tmp_path, interlock)
    assert failed(results) == []
    (missed,) = [each for each in results if each.title == "boiler.pump not as required while boiler.burner=True"]
    assert (missed.status, missed.frames, missed.tripped_after) == (Status.PROVED, 1, 0.0)


def test_what_the_safe_state_of_another_constraint_takes_back_is_not_proved(tmp_path: Path) -> None:
    results = proof_of(
        tmp_path,
        "{kind: threshold, tag: boiler.setpoint, max: 500, on_delay: 5s, level: critical}",
        "{kind: threshold, tag: boiler.setpoint, max: 300, level: critical,"
        " on_trip: {boiler.setpoint: {value: 200, hold: true}}}",
    )
    assert failed(results) == []
    assert not_proved(results)["boiler.setpoint above max 500"] == (
        "boiler.setpoint was set to 200.0 meanwhile, by the safe state of another constraint, so it could not be driven"
    )
