"""Which points share a subscription or a Read, and what is asked of the server for each."""

from typing import Any

import pytest

from drivers.base import Care
from drivers.opcua.data_types import Expected, Shape
from drivers.opcua.read_plan import DEEPEST, ReadPlan, unproved
from drivers.opcua.server_profile import PROFILES, ServerProfile, override
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.values import DataType, Seconds

JUDGED = Care(judged=True, deadband=2.0)


def plan(*keys: dict[str, Any], **device: Any) -> ReadPlan:
    return ReadPlan(OpcUaDevice("opc.tcp://plc", **device), [OpcUaPoint("i=1", **key) for key in keys])


def test_more_intervals_than_subscriptions_join_a_faster_one() -> None:
    points = [{"interval": interval} for interval in (1.5, 0.1, 0.5, 1.0)]
    found = plan(*points, scan=2.0, limits={"subscriptions": 2}).subscribed()
    assert {block.points: interval for block, interval in found.items()} == {(1,): 0.1, (0, 2, 3): 0.5}


def test_a_profile_slows_down_what_is_asked_for() -> None:
    found = plan({"sampling": 0.0}, {"interval": 0.05}, scan=0.1, profile="s7-1200")
    assert list(found.subscribed().values()) == [0.2]
    assert [found.sampling(place) for place in (0, 1)] == [0.1, 0.1]


def test_a_slow_scan_is_published_every_two_seconds_and_sampled_slowly() -> None:
    found = plan({}, scan=60.0)
    assert list(found.subscribed().values()) == [2.0]
    assert found.sampling(0) == 60.0


def test_the_mode_of_a_tag_goes_before_that_of_its_device() -> None:
    found = plan({}, {"mode": "subscribe"}, {"mode": "poll"}, mode="poll")
    assert [found.is_polled(place) for place in range(3)] == [True, False, True]
    assert [block.points for block in found.polled(10)] == [(0, 2)]
    assert [block.points for block in found.polled(1)] == [(0,), (2,)]


@pytest.mark.parametrize(
    ("sampling", "judged", "depth"),
    [(None, True, 1), (1.0, True, 1), (0.1, True, 10), (0.0, True, DEEPEST), (0.1, False, 1), (5.0, True, 1)],
)
def test_every_value_between_two_publish_responses_is_kept_where_one_is_judged(
    sampling: float | None, *, judged: bool, depth: int
) -> None:
    assert plan({"sampling": sampling}).queue(0, Seconds(1.0), Care(judged=judged)) == depth


SCALAR = Expected(float, Shape.SCALAR)


@pytest.mark.parametrize(
    ("care", "data_type", "expected", "deadband"),
    [
        (Care(deadband=2.0), DataType.FLOAT64, SCALAR, 2.0),
        (Care(deadband=2.0), DataType.INT8, SCALAR, 2.0),
        (JUDGED, DataType.FLOAT64, SCALAR, 0.0),
        (Care(deadband=0.0), DataType.FLOAT64, SCALAR, 0.0),
        (Care(deadband=float("inf")), DataType.FLOAT64, SCALAR, 0.0),
        (Care(deadband=float("nan")), DataType.FLOAT64, SCALAR, 0.0),
        (Care(deadband=2.0), DataType.BOOL, SCALAR, 0.0),
        (Care(deadband=2.0), DataType.STRUCTURE, SCALAR, 0.0),
        (Care(deadband=2.0), None, SCALAR, 0.0),
        (Care(deadband=2.0), DataType.FLOAT64, Expected(float, Shape.ARRAY), 0.0),
        (Care(deadband=2.0), DataType.FLOAT64, Expected(float, Shape.ANY), 0.0),
    ],
)
def test_the_server_keeps_back_small_changes_of_numbers_that_nothing_judges(
    care: Care, data_type: DataType | None, expected: Expected, deadband: float
) -> None:
    assert plan({}).deadband(care, data_type, expected) == deadband
    assert plan({}, profile="s7-1200").deadband(care, data_type, expected) == 0.0


def test_what_is_judged_and_subscribed_needs_a_proof() -> None:
    found = plan({}, {"mode": "poll"}, {})
    assert unproved({0: JUDGED, 1: JUDGED, 2: Care()}, found) == [0]
    assert unproved({}, found) == []


def test_limits_of_a_devices_own_go_before_its_profiles() -> None:
    profile = override(PROFILES["s7-1200"], {"read": 20})
    assert (profile.read, profile.create) == (20, PROFILES["s7-1200"].create)
    assert override(PROFILES["standard"], {}) == ServerProfile()


@pytest.mark.parametrize("limits", [{"read": 0}, {"create": -1}, {"subscriptions": 10**6}, {"write": 5}])
def test_limits_that_cannot_be_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"^limits: "):
        override(ServerProfile(), limits)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_profile_asks_for_no_more_than_the_loop_can_take(profile: ServerProfile) -> None:
    standard = ServerProfile()
    assert 1 <= profile.read <= standard.read
    assert 1 <= profile.create <= standard.create
    assert 0 <= profile.sampling <= profile.publishing <= 2.0
