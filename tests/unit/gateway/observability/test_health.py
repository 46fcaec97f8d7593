"""Alive and ready: any doubt is a no, and a no says why."""

import json

import pytest

from gateway.counters import Counters, DeviceCounters
from gateway.observability.health import Part, health, list_parts, readiness

PERIOD = 0.1


@pytest.mark.parametrize(("age", "status"), [(0.0, 200), (0.1, 200), (0.299, 200), (0.301, 503), (3600.0, 503)])
def test_alive_while_the_last_evaluation_is_not_older_than_three_periods(age: float, status: int) -> None:
    assert health(1000.0, 1000.0 + age, PERIOD).status == status


def test_not_alive_before_the_first_evaluation() -> None:
    answer = health(None, 5.0, PERIOD)
    assert answer.status == 503
    assert answer.body == b"late: no safety evaluation has run yet\n"


@pytest.mark.parametrize(("last", "now"), [(float("nan"), 1.0), (1.0, float("nan")), (float("-inf"), 1.0)])
def test_a_time_that_is_no_time_is_not_alive(last: float, now: float) -> None:
    assert health(last, now, PERIOD).status == 503


def test_what_is_late_says_by_how_much_in_one_line() -> None:
    assert health(1000.0, 1002.5, PERIOD).body == (
        b"late: the last safety evaluation was 2.5 s ago; one is due every 0.1 s\n"
    )


def counters_of_a_gateway_that_is_up() -> Counters:
    counters = Counters(devices={"boiler": DeviceCounters(connected=True), "turbine": DeviceCounters(connected=True)})
    counters.mqtt.connected = True
    counters.guard.last = 10.0
    return counters


def test_ready_once_every_part_is_up() -> None:
    answer = readiness(list_parts(counters_of_a_gateway_that_is_up(), {}))
    assert answer.status == 200
    told = json.loads(answer.body)
    assert told["ready"] is True
    assert told["parts"] == {
        name: {"ready": True} for name in ("configuration", "evaluation", "device.boiler", "device.turbine", "mqtt")
    }


def test_each_part_that_is_down_is_named_with_its_reason() -> None:
    counters = counters_of_a_gateway_that_is_up()
    counters.devices["boiler"].connected = False
    counters.mqtt.connected = False
    answer = readiness(list_parts(counters, {"device.boiler": "timeout", "device.turbine": ""}))
    assert answer.status == 503
    parts = json.loads(answer.body)["parts"]
    assert parts["device.boiler"] == {"ready": False, "reason": "timeout"}
    assert parts["device.turbine"] == {"ready": True}
    assert parts["mqtt"] == {"ready": False, "reason": "not connected to the broker"}


@pytest.mark.parametrize("part", ["configuration", "evaluation", "device.boiler", "device.turbine", "mqtt"])
def test_one_fault_of_any_part_is_enough_to_be_not_ready(part: str) -> None:
    answer = readiness(list_parts(counters_of_a_gateway_that_is_up(), {part: "broken"}))
    assert answer.status == 503
    assert json.loads(answer.body)["parts"][part] == {"ready": False, "reason": "broken"}


def test_not_ready_before_the_first_evaluation() -> None:
    counters = counters_of_a_gateway_that_is_up()
    counters.guard.last = None
    parts = list_parts(counters, {})
    assert [part for part in parts if not part.ready] == [Part("evaluation", ready=False, reason="has not run yet")]


def test_a_part_that_not_every_gateway_has_counts_where_it_is_there() -> None:
    counters = counters_of_a_gateway_that_is_up()
    assert readiness(list_parts(counters, {}, {"journal": True, "inbox": True})).status == 200
    parts = list_parts(counters, {"journal": "disk_full"}, {"journal": False, "inbox": False})
    assert {part.name: part.reason for part in parts if not part.ready} == {
        "journal": "disk_full",
        "inbox": "not subscribed to the command topics",
    }


def test_nothing_known_is_not_ready() -> None:
    assert readiness([]).status == 503
