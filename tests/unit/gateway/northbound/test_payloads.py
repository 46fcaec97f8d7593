"""Payloads: the contract's, byte for byte where that matters."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.values import DataType, Quality, Sample, Seconds, bad
from gateway.control.reply import Outcome, Reply, Result
from gateway.northbound.json_text import float32_text
from gateway.northbound.payloads import (
    TagText,
    batch_payload,
    constraint_payload,
    device_payload,
    encode,
    event_payload,
    reply_payload,
)
from gateway.northbound.reports import ConstraintReport, DeviceReport, EventReport
from gateway.northbound.sources import offline_payload
from gateway.safety.alarm import AlarmState
from gateway.safety.decision import Finding
from gateway.safety.verdict import SafetyLevel, Verdict
from gateway.tags.tag import Tag, TagSettings

TIME = "2026-01-02T03:04:05.678Z"
WALL = 1_767_323_045.678


def tag(name: str = "steam_temperature", settings: TagSettings | None = None) -> Tag:
    return Tag(0, "boiler", name, settings or TagSettings(unit="degC"), Seconds(2))


def text_of(data_type: DataType | None = None, settings: TagSettings | None = None) -> TagText:
    text = TagText(tag(settings=settings))
    text.learn(data_type, settings or TagSettings())
    return text


def test_a_good_sample_is_written_as_in_the_contract() -> None:
    payload = text_of().sample(Sample(451.2), TIME)
    assert payload == '{"value":451.2,"quality":"good","time":"2026-01-02T03:04:05.678Z"}'


def test_a_sample_that_is_not_good_says_why() -> None:
    assert json.loads(text_of().sample(bad("timeout"), TIME)) == {
        "value": None,
        "quality": "bad",
        "reason": "timeout",
        "time": TIME,
    }
    uncertain = json.loads(text_of().sample(Sample(900.0, Quality.UNCERTAIN, "out_of_range"), TIME))
    assert (uncertain["value"], uncertain["quality"], uncertain["reason"]) == (900.0, "uncertain", "out_of_range")


@pytest.mark.parametrize(
    ("value", "shown", "reason"),
    [
        (float("nan"), None, "nan"),
        (float("-inf"), None, "inf"),
        ((1.0, float("nan")), [1.0, None], "nan"),
    ],
)
def test_what_is_not_finite_is_null_and_bad(value: object, shown: object, reason: str) -> None:
    payload = json.loads(text_of().sample(Sample(value), TIME))  # type: ignore[arg-type]
    assert (payload["value"], payload["quality"], payload["reason"]) == (shown, "bad", reason)


def test_a_float32_is_short_only_while_it_is_one() -> None:
    sample = Sample(451.20001220703125)
    assert '"value":451.2,' in text_of(DataType.FLOAT32).sample(sample, TIME)
    assert '"value":451.20001220703125,' in text_of(DataType.FLOAT64).sample(sample, TIME)
    assert '"value":451.20001220703125,' in text_of(DataType.FLOAT32, TagSettings(scale=2.0)).sample(sample, TIME)
    array = Sample((451.20001220703125,))
    assert '"value":[451.2],' in text_of(DataType.FLOAT32).sample(array, TIME)


@given(
    st.lists(
        st.tuples(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
            st.sampled_from(Quality),
            st.text(st.characters()),
        ),
        max_size=5,
    )
)
def test_every_batch_is_valid_json_with_all_its_members(samples: list[tuple[object, Quality, str]]) -> None:
    texts = [TagText(tag(f"t{index}")) for index in range(len(samples))]
    members = [
        text.member(Sample(value, quality, reason), TIME)  # type: ignore[arg-type]
        for text, (value, quality, reason) in zip(texts, samples, strict=True)
    ]
    batch = json.loads(batch_payload(TIME, members), parse_constant=pytest.fail)
    assert batch["time"] == TIME
    assert list(batch["tags"]) == [f"t{index}" for index in range(len(samples))]
    for (_, quality, _), member in zip(samples, batch["tags"].values(), strict=True):
        assert member["quality"] in {quality.word, "bad"}
        assert ("reason" in member) == (member["quality"] != "good")


def test_a_birth_tells_what_a_client_has_to_know_of_the_tags() -> None:
    settings = TagSettings(unit="°C", range=(0.0, float("inf")), writable=True, description="main steam")
    report = DeviceReport("boiler", "disconnected", WALL, "timeout", {"steam_temperature": DataType.FLOAT32})
    birth = json.loads(device_payload(report, [tag(settings=settings), tag("other")], WALL))
    assert birth == {
        "state": "disconnected",
        "reason": "timeout",
        "since": TIME,
        "time": TIME,
        "tags": {
            "steam_temperature": {
                "unit": "°C",
                "range": [0.0, None],
                "type": "float32",
                "writable": True,
                "description": "main steam",
            },
            "other": {"unit": "degC", "range": None, "type": None, "writable": False, "description": ""},
        },
    }


def test_a_verdict_tells_its_value_and_limits() -> None:
    report = ConstraintReport(
        "max", Verdict.VIOLATED, SafetyLevel.CRITICAL, WALL, value=581.0, max=580.0, reason="above_max"
    )
    assert json.loads(constraint_payload(report, WALL)) == {
        "verdict": "violated",
        "level": "critical",
        "value": 581.0,
        "min": None,
        "max": 580.0,
        "reason": "above_max",
        "since": TIME,
        "time": TIME,
        "alarm": "normal",
        "latched": False,
        "first_out": False,
    }
    unknown = ConstraintReport("max", Verdict.UNKNOWN, SafetyLevel.LOW, WALL, value=float("nan"), reason="nan")
    assert json.loads(constraint_payload(unknown, WALL))["value"] is None


def test_a_trip_tells_its_alarm_its_safe_state_and_its_bypass() -> None:
    report = ConstraintReport(
        "max",
        Verdict.OK,
        SafetyLevel.CRITICAL,
        WALL,
        alarm=AlarmState.RTN_UNACK,
        latched=True,
        first_out=True,
        safe_state="confirmed",
        bypassed_until=WALL,
    )
    told = json.loads(constraint_payload(report, WALL))
    assert {key: told[key] for key in ("alarm", "latched", "first_out", "safe_state", "bypassed_until")} == {
        "alarm": "rtn_unack",
        "latched": True,
        "first_out": True,
        "safe_state": "confirmed",
        "bypassed_until": TIME,
    }


def test_a_reply_says_what_became_of_each_write() -> None:
    reply = Reply(
        "0b9e",
        Outcome.MISMATCH,
        "readback_mismatch",
        "boiler.a reads 1.5",
        results={
            "boiler.a": Result(2.5, Outcome.MISMATCH, "readback_mismatch", 451.20001220703125, "it reads otherwise"),
            "boiler.b": Result(True, Outcome.APPLIED, read_back=b"\x01"),  # noqa: FBT003  (a value)
            "boiler.c": Result("x", Outcome.UNKNOWN, "timeout", float("nan")),
        },
        provenance_hash="ab12",
        wall=WALL,
    )
    payload = reply_payload(reply, lambda tag: float32_text if tag == "boiler.a" else repr)
    assert json.loads(payload, parse_constant=pytest.fail) == {
        "id": "0b9e",
        "outcome": "mismatch",
        "code": "readback_mismatch",
        "message": "boiler.a reads 1.5",
        "violations": [],
        "results": {
            "boiler.a": {
                "requested": 2.5,
                "read_back": 451.2,
                "outcome": "mismatch",
                "code": "readback_mismatch",
                "message": "it reads otherwise",
            },
            "boiler.b": {"requested": True, "read_back": "AQ==", "outcome": "applied", "code": ""},
            "boiler.c": {"requested": "x", "read_back": None, "outcome": "unknown", "code": "timeout"},
        },
        "provenance_hash": "ab12",
        "time": TIME,
    }


def test_a_refusal_names_every_violation_and_only_a_repeated_reply_says_so() -> None:
    findings = (
        Finding("violation", "max", "above_max", "boiler.a", 600.0, 580.0),
        Finding("halted", "", "trip", value=float("inf")),
    )
    reply = Reply("_", Outcome.REFUSED, "violation", 'a "quoted"\nmessage', findings, wall=WALL)
    told = json.loads(reply_payload(reply), parse_constant=pytest.fail)
    assert told["violations"] == [
        {"code": "violation", "name": "max", "reason": "above_max", "tag": "boiler.a", "value": 600.0, "limit": 580.0},
        {"code": "halted", "reason": "trip", "value": None},
    ]
    assert (told["id"], told["message"], told["results"]) == ("_", 'a "quoted"\nmessage', {})
    assert "repeated" not in told
    assert json.loads(reply_payload(replace(reply, repeated=True)))["repeated"] is True


def test_offline_never_expires() -> None:
    status = json.loads(offline_payload(WALL, "stopped"))
    assert (status["state"], status["time"], status["expires"]) == ("offline", TIME, None)
    assert status["reasons"] == ["stopped"]


def test_what_utf_8_cannot_hold_does_not_stop_a_payload() -> None:
    assert encode('"\udc80"') == b'"?"'


STATES = TagSettings(texts={"0": "stopped", "1": "running", "2": 'said "no"'})


def test_a_value_with_a_text_is_told_with_it() -> None:
    assert text_of(settings=STATES).sample(Sample(1), TIME) == (
        f'{{"value":1,"text":"running","quality":"good","time":"{TIME}"}}'
    )
    uncertain = json.loads(text_of(settings=STATES).sample(Sample(2, Quality.UNCERTAIN, "frozen"), TIME))
    assert list(uncertain) == ["value", "text", "quality", "reason", "time"]
    assert (uncertain["value"], uncertain["text"]) == (2, 'said "no"')


@pytest.mark.parametrize("sample", [Sample(7), Sample("1"), Sample(float("nan")), bad("timeout")])
def test_a_value_without_a_text_is_told_without_one(sample: Sample) -> None:
    assert "text" not in json.loads(text_of(settings=STATES).sample(sample, TIME))


def test_a_birth_tells_the_texts_of_a_tag_and_that_a_bit_is_a_bool() -> None:
    alarm = tag("alarm", TagSettings(bit=3, texts={"true": "tripped"}))
    payload = json.loads(
        device_payload(
            DeviceReport("boiler", "connected", WALL, types={"alarm": DataType.UINT16, "plain": DataType.UINT16}),
            [alarm, tag("plain", TagSettings())],
            WALL,
        )
    )
    assert payload["tags"]["alarm"]["texts"] == {"true": "tripped"}
    assert payload["tags"]["alarm"]["type"] == "bool"
    assert payload["tags"]["plain"]["type"] == "uint16"
    assert "texts" not in payload["tags"]["plain"]


def birth_with(learned: Mapping[str, Any]) -> Any:
    report = DeviceReport("boiler", "connected", WALL, learned=learned)
    return json.loads(device_payload(report, [], WALL)).get("learned")


def test_a_birth_tells_what_the_driver_found_out_about_the_device() -> None:
    assert birth_with({"max_block": 60, "holes": ["holding:7"]}) == {"max_block": 60, "holes": ["holding:7"]}
    assert birth_with({}) is None
    assert birth_with({"when": Decimal("NaN"), "often": float("nan")}) == {"when": "NaN", "often": "NaN"}


def test_a_birth_stays_small_whatever_the_driver_found_out() -> None:
    learned = birth_with({"holes": [f"holding:{place}" for place in range(10_000)]})
    assert list(learned) == ["omitted"]


def test_an_event_tells_what_happened_and_when() -> None:
    report = EventReport("device", "device_lost", WALL, {"device": "boiler", "reason": "timeout"})
    assert json.loads(event_payload(report)) == {
        "kind": "device_lost",
        "time": TIME,
        "device": "boiler",
        "reason": "timeout",
    }
