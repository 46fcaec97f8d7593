"""What is shown of a device, in words that clients rely on."""

from dataclasses import fields, replace
from typing import Any

import pytest

from drivers.values import DataType, Seconds
from gateway.app.reports import constraint_report, device_event, device_report
from gateway.app.situation import judge_situation
from gateway.control.guard import ConstraintState
from gateway.counters import DeviceCounters
from gateway.endpoints.device import Device, DeviceState
from gateway.endpoints.settings import DeviceSettings
from gateway.northbound.reports import EventReport
from gateway.safety.alarm import AlarmState
from gateway.safety.verdict import SafetyLevel, Verdict
from gateway.tags.tag import Tag, TagSettings

WALL = 1_767_225_600.0


class StandingClock:
    """A clock that stands."""

    def monotonic(self) -> float:
        return 100.0

    def wall(self) -> float:
        return WALL


def meter() -> Device:
    tags = [Tag(0, "meter", "power", TagSettings(), Seconds(3)), Tag(1, "meter", "model", TagSettings(), Seconds(3))]
    return Device("meter", DeviceSettings(), None, tags, [None, None], DeviceCounters(), StandingClock())


def constraint(name: str, **more: Any) -> ConstraintState:
    return ConstraintState(name, SafetyLevel.HIGH, Verdict.VIOLATED, "above_max", 2.0, None, 1.0, WALL, **more)


def miss(device: Device, times: int) -> None:
    for _ in range(times):
        device.demotion.missed(100.0)
    device.down("timeout", "no answer")


def test_a_device_of_which_nothing_is_known_yet_is_connecting_and_has_no_reason() -> None:
    report = device_report(meter())
    assert (report.state, report.reason) == ("connecting", "")


@pytest.mark.parametrize(("misses", "word"), [(0, "disconnected"), (2, "disconnected"), (3, "demoted")])
def test_a_device_that_is_not_heard_is_disconnected_or_demoted_and_says_why(misses: int, word: str) -> None:
    device = meter()
    miss(device, misses)
    report = device_report(device)
    assert (report.state, report.reason) == (word, "timeout")
    assert device.counters.demoted is (word == "demoted")


def test_a_report_keeps_what_was_learned_when_it_was_made() -> None:
    device = meter()
    device.up()
    device.data_types = (DataType.FLOAT32, None)
    device.learned["holes"] = ["holding:1"]
    report = device_report(device)
    device.learned["holes"].append("holding:2")
    assert (report.state, report.reason) == ("connected", "")
    assert report.types == {"power": DataType.FLOAT32}
    assert report.learned == {"holes": ["holding:1"]}


def test_what_happens_to_a_device_is_told_once_each() -> None:
    device = meter()
    told: list[EventReport] = []
    device.listen(lambda state, change: told.append(device_event(state, change)) if change else None)
    device.up()
    miss(device, 1)
    miss(device, 1)
    device.down("exception_11", "another reason for the same")
    miss(device, 1)
    miss(device, 1)
    device.demotion.answered()
    device.up()
    device.up()
    assert [(event.what, dict(event.details)) for event in told] == [
        ("device_connected", {"device": "meter"}),
        ("device_lost", {"device": "meter", "reason": "timeout"}),
        ("device_demoted", {"device": "meter", "reason": "timeout"}),
        ("device_returned", {"device": "meter"}),
    ]
    assert {(event.kind, event.time) for event in told} == {("device", WALL)}


def test_the_status_names_a_demoted_device_and_why() -> None:
    states = [
        DeviceState("a", connected=False, reason="timeout", since=WALL, demoted=True),
        DeviceState("b", connected=False, reason="refused", since=WALL),
        DeviceState("c", connected=True, reason="", since=WALL),
    ]
    situation = judge_situation(states, [], broker_up=True)
    assert situation.state == "degraded"
    assert situation.reasons == ("device a: timeout, demoted", "device b: refused")


def test_a_constraint_is_shown_with_its_trip_its_alarm_and_its_bypass() -> None:
    state = constraint("max", alarm=AlarmState.ACK_ACTIVE, latched=True, first_out=True, safe_state="pending")
    report = constraint_report(replace(state, bypassed_until=WALL))
    assert {each.name: getattr(report, each.name) for each in fields(report)} == {
        each.name: getattr(replace(state, bypassed_until=WALL), each.name) for each in fields(state)
    }


def test_a_device_that_answers_and_is_not_believed_is_connected_and_says_why() -> None:
    device = meter()
    device.up("frozen")
    report = device_report(device)
    assert (report.state, report.reason) == ("connected", "frozen")
    assert judge_situation([device.state], [], broker_up=True).reasons == ("device meter: frozen",)
    assert device_event(device.state, "device_frozen").details == {"device": "meter", "reason": "frozen"}
