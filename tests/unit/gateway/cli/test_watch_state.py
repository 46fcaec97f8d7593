"""From messages to what `plantgate watch` knows."""

import json
from datetime import UTC, datetime

import pytest

from gateway.cli.watch_follow import choose
from gateway.cli.watch_state import MOST_ROWS, ConstraintRow, DeviceRow, TagRow, WatchState, read_status
from gateway.errors import SettingsError

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC).timestamp()
STATUS = {"state": "online", "time": "2026-01-02T12:00:00.000Z", "expires": "2026-01-02T12:01:30.000Z", "reasons": []}
DEVICE = {"state": "connected", "tags": {"speed": {"unit": "rpm"}, "power": {"unit": "MW"}, "breaker": {"unit": ""}}}


def told(**messages: object) -> WatchState:
    state = WatchState("agent", "gw")
    for topic, payload in messages.items():
        tell(state, topic.replace("__", "/"), payload)
    return state


def tell(state: WatchState, topic: str, payload: object) -> object:
    return state.take(f"agent/gw/{topic}", json.dumps(payload).encode())


def sample(value: object, quality: str = "good", reason: str = "") -> dict[str, object]:
    flaw = {"reason": reason} if reason else {}
    return {"value": value, "quality": quality, **flaw, "time": "2026-01-02T12:00:00.500Z"}


def test_nothing_counts_before_the_status() -> None:
    state = told(tag__turbine__speed=sample(3000.0))
    assert state.state(NOON) == "waiting"
    assert not state.is_live(NOON)


def test_a_status_counts_until_it_expires() -> None:
    state = told(status=STATUS)
    assert state.state(NOON + 90) == "online"
    assert state.is_live(NOON + 90)
    assert state.state(NOON + 90.1) == "expired"
    assert not state.is_live(NOON + 90.1)


def test_a_gateway_that_said_goodbye_is_offline_for_good() -> None:
    state = told(status=STATUS | {"state": "offline", "expires": None, "reasons": ["stopped"]})
    assert state.state(NOON + 1e6) == "offline"
    assert not state.is_live(NOON)
    assert state.reasons == ("stopped",)


def test_a_tags_message_is_its_row() -> None:
    state = told(status=STATUS)
    row = tell(state, "tag/turbine/speed", sample(3000.5))
    assert row == TagRow("turbine", "speed", 3000.5, "good", "", NOON + 0.5)
    assert state.tags() == [row]


def test_the_newest_message_of_a_tag_counts() -> None:
    state = told(tag__turbine__speed=sample(3000.5))
    tell(state, "tag/turbine/speed", sample(None, "bad", "timeout"))
    assert [(row.value, row.quality, row.reason) for row in state.tags()] == [(None, "bad", "timeout")]


def test_a_batch_is_a_row_each() -> None:
    state = told(
        batch__turbine={"time": "2026-01-02T12:00:00.500Z", "tags": {"speed": sample(1.0), "power": sample(2)}}
    )
    assert [(row.name, row.value) for row in state.tags()] == [("power", 2), ("speed", 1.0)]


def test_tags_stand_in_the_order_of_the_configuration() -> None:
    state = told(**{f"tag__turbine__{name}": sample(0) for name in ("breaker", "power", "speed")})
    tell(state, "tag/boiler/o2", sample(3.0))
    tell(state, "device/turbine", DEVICE)
    assert [row.name for row in state.tags()] == ["o2", "speed", "power", "breaker"]


def test_units_come_from_the_devices_metadata() -> None:
    state = told(tag__turbine__speed=sample(1.0), tag__boiler__o2=sample(3.0))
    assert tell(state, "device/turbine", DEVICE) == DeviceRow(
        "turbine", "connected", "", {"speed": "rpm", "power": "MW", "breaker": ""}
    )
    assert {row.name: state.unit(row) for row in state.tags()} == {"o2": "", "speed": "rpm"}


def test_a_constraint_keeps_its_verdict_value_and_limits() -> None:
    state = told()
    payload = {
        "verdict": "violated",
        "level": "critical",
        "value": 590.0,
        "min": None,
        "max": 580,
        "reason": "above_max",
    }
    row = tell(state, "constraint/hot", payload | {"since": "2026-01-02T12:00:00.000Z"})
    assert row == ConstraintRow("hot", "violated", "critical", 590.0, {"max": 580}, "above_max", NOON)
    assert state.constraints == {"hot": row}


def test_a_tag_whose_topic_is_cleared_disappears() -> None:
    state = told(tag__turbine__speed=sample(1.0))
    assert state.take("agent/gw/tag/turbine/speed", b"") is None
    assert state.tags() == []


@pytest.mark.parametrize(
    "topic",
    ["agent/other/tag/turbine/speed", "agent/gw/tag/turbine", "agent/gw/tag/a/b/c", "agent/gw", "", "agent/gw/x"],
)
def test_what_belongs_to_others_is_left_alone(topic: str) -> None:
    state = told()
    assert state.take(topic, json.dumps(sample(1.0)).encode()) is None
    assert state.tags() == []


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff", b"[]", b"1", b"null", b"[" * 50_000])
@pytest.mark.parametrize("topic", ["status", "device/d", "constraint/c", "tag/d/t", "batch/d"])
def test_a_payload_that_cannot_be_read_changes_nothing_but_is_survived(topic: str, payload: bytes) -> None:
    state = told()
    assert state.take(f"agent/gw/{topic}", payload) is None
    assert (state.tags(), state.devices, state.constraints, state.state(NOON)) == ([], {}, {}, "waiting")


@pytest.mark.parametrize("payload", [{"state": 3}, {"tags": 1}, {"tags": {"a": 1}}, {"since": 7}, {"time": "soon"}])
@pytest.mark.parametrize("topic", ["status", "device/d", "constraint/c", "tag/d/t", "batch/d"])
def test_members_of_another_type_are_survived(topic: str, payload: object) -> None:
    state = told()
    tell(state, topic, payload)
    state.tags()
    state.state(NOON)


def test_the_rows_are_bounded() -> None:
    state = told()
    for number in range(MOST_ROWS + 10):
        state.take(f"agent/gw/tag/d/{number}", b'{"value":1}')
    assert len(state.tags()) == MOST_ROWS


def test_a_status_is_read_with_its_expiry() -> None:
    payload = json.dumps(STATUS).encode()
    assert [read_status(payload, NOON + wait) for wait in (0, 91)] == ["online", "expired"]
    assert read_status(b"", NOON) == ""


@pytest.mark.parametrize(
    ("states", "chosen"),
    [
        ({}, None),
        ({"a": ""}, None),
        ({"a": "online"}, "a"),
        ({"a": "offline"}, "a"),
        ({"a": "offline", "b": "degraded", "c": "expired"}, "b"),
    ],
)
def test_the_only_gateway_is_chosen_and_a_living_one_before_the_dead(
    states: dict[str, str], chosen: str | None
) -> None:
    assert choose(states) == chosen


@pytest.mark.parametrize("states", [{"b": "online", "a": "online"}, {"b": "offline", "a": "expired"}])
def test_several_gateways_have_to_be_told_apart(states: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="several gateways publish here; name one with --gateway: a, b"):
        choose(states)


def test_the_text_of_a_value_is_known_where_it_is_told() -> None:
    state = told(tag__pump__state=sample(2) | {"text": "tripped"}, tag__pump__speed=sample(5.0) | {"text": 3})
    assert {row.name: row.text for row in state.tags()} == {"state": "tripped", "speed": ""}
