"""What a signature covers: everything, at one gateway, by one key, once."""

import base64
import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.control.command import Command, Signature, Verb, read_command
from gateway.control.keys import SharedSecret
from gateway.control.signing import body, covered, is_signed, sign

KEY = SharedSecret(b"0123456789abcdef0123456789abcdef")
NOT_AFTER = "2026-01-02T03:04:15Z"
COMMAND = Command(
    "write",
    id="a-1",
    actor="ann@desk",
    reason="start",
    expires_at=datetime(2026, 1, 2, 3, 4, 10, tzinfo=UTC),
    writes={"boiler.burner": True, "boiler.setpoint": 450, "boiler.mode": "auto"},
    tags=("boiler.flow",),
    name="hot",
    seconds=1800.0,
    hold=60.0,
    priority="high",
    key="boiler",
    locks={"boiler": 7},
)


def signed(command: Command, **fields: Any) -> bool:
    """Whether the signature of COMMAND is one of this command, with these fields of the signature changed."""
    signature = sign(COMMAND, "gw", "op-1", 7, NOT_AFTER, KEY)
    gateway = fields.pop("gateway", "gw")
    return is_signed(command, gateway, dataclasses.replace(signature, **fields), KEY)


def test_the_covered_text_is_canonical_and_says_everything() -> None:
    assert covered(COMMAND, "gw", "op-1", 7, NOT_AFTER).decode() == (
        '{"command":{"actor":"ann@desk","expires_at":"2026-01-02T03:04:10.000000Z","for":1800,"hold":60,"id":"a-1",'
        '"key":"boiler","locks":{"boiler":7},"name":"hot","priority":"high","reason":"start","tags":["boiler.flow"],'
        '"verb":"write","writes":[["boiler.burner","boolean",true],["boiler.setpoint","number",450],'
        '["boiler.mode","text","auto"]]},"gateway":"gw","key":"op-1","not_after":"2026-01-02T03:04:15Z",'
        '"purpose":"plantgate command 1","sequence":7}'
    )


def test_no_field_of_a_command_is_left_out() -> None:
    names = {"seconds": "for"}
    fields = {names.get(each.name, each.name) for each in dataclasses.fields(Command)}
    assert body(COMMAND).keys() == fields - {"signature"}


def test_a_signature_is_that_of_its_command() -> None:
    assert signed(COMMAND)
    assert signed(dataclasses.replace(COMMAND, signature=Signature("x", 1, "", "")))


CHANGES: dict[str, object] = {
    "verb": "ack",
    "id": "a-2",
    "actor": "bob",
    "reason": "",
    "expires_at": None,
    "writes": {"boiler.burner": False, "boiler.setpoint": 450, "boiler.mode": "auto"},
    "tags": (),
    "name": "cold",
    "seconds": 1801.0,
    "hold": None,
    "priority": "low",
    "key": "turbine",
    "locks": {"boiler": 8},
}


@pytest.mark.parametrize("field", CHANGES)
def test_no_field_can_be_changed(field: str) -> None:
    changed: dict[str, Any] = {field: CHANGES[field]}
    assert not signed(dataclasses.replace(COMMAND, **changed))


def test_every_field_was_tried() -> None:
    assert CHANGES.keys() == {each.name for each in dataclasses.fields(Command)} - {"signature"}


@pytest.mark.parametrize(
    "writes",
    [
        {"boiler.setpoint": 450, "boiler.burner": True, "boiler.mode": "auto"},
        {"boiler.burner": 1, "boiler.setpoint": 450, "boiler.mode": "auto"},
        {"boiler.burner": True, "boiler.setpoint": "450", "boiler.mode": "auto"},
        {"boiler.burner": True, "boiler.setpoint": 450},
        {"boiler.burner": True, "boiler.setpoint": 450, "boiler.mode": "auto", "boiler.more": 0},
        {"boiler.burner": True, "boiler.setpoint": 450.0000001, "boiler.mode": "auto"},
    ],
    ids=["order", "one for true", "text for number", "one less", "one more", "a little more"],
)
def test_neither_order_nor_kind_of_a_write_can_be_changed(writes: dict[str, Any]) -> None:
    assert not signed(dataclasses.replace(COMMAND, writes=writes))


def test_a_large_integer_is_no_text_of_the_same_digits() -> None:
    number, text = (Command("write", writes={"a.b": value}) for value in (2**60, str(2**60)))
    signature = sign(number, "gw", "op-1", 7, NOT_AFTER, KEY)
    assert is_signed(number, "gw", signature, KEY)
    assert not is_signed(text, "gw", signature, KEY)


@pytest.mark.parametrize(
    "fields",
    [
        {"gateway": "gw2"},
        {"gateway": "GW"},
        {"key": "op-2"},
        {"sequence": 8},
        {"not_after": "2026-01-02T03:04:16Z"},
        {"not_after": "2026-01-02T03:04:15+00:00"},
    ],
    ids=str,
)
def test_it_holds_for_one_gateway_one_key_one_sequence_and_one_time(fields: dict[str, Any]) -> None:
    assert not signed(COMMAND, **fields)


def test_a_signature_of_the_same_secret_for_anything_else_is_none() -> None:
    other = covered(COMMAND, "gw", "op-1", 7, NOT_AFTER).replace(b"plantgate command 1", b"plantgate command 2")
    assert not signed(COMMAND, value=base64.b64encode(KEY.sign(other)).decode())


@pytest.mark.parametrize(
    "value", ["", "=", "AA", "AA==", "A" * 512, "é", "_-" * 16, "\n" * 44, "\ud800", "AAAA" * 100_000], ids=range(10)
)
def test_a_value_that_cannot_be_read_is_no_signature(value: str) -> None:
    assert not signed(COMMAND, value=value)


def test_a_command_without_a_canonical_form_is_not_signed() -> None:
    odd = Command("write", writes={"a.b": "\ud800"})
    with pytest.raises(ValueError, match="surrogates"):
        covered(odd, "gw", "op-1", 7, NOT_AFTER)
    assert not is_signed(odd, "gw", Signature("op-1", 7, NOT_AFTER, "AAAA"), KEY)


PAYLOAD: dict[str, Any] = {"id": "a-1", "actor": "me", "writes": {"a.b": 450, "c.d": True}, "hold": "5s", "reason": "r"}


@given(st.data())
def test_of_a_payload_with_a_flipped_bit_nothing_that_differs_counts_as_signed(data: st.DataObject) -> None:
    payload = bytearray(json.dumps(PAYLOAD).encode())
    original = read_command("write", bytes(payload))
    signature = sign(original, "gw", "op-1", 7, NOT_AFTER, KEY)
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        flipped = read_command("write", bytes(payload))
    except ValueError:
        return
    assert is_signed(flipped, "gw", signature, KEY) is (flipped == original and str(flipped) == str(original))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1100ms", 1.1), ("0.1s", 0.1), ("35ms", 0.035), ("1.1s", 1.1), ("0.7h", 2520.0), ("2d", 172800.0)],
)
@pytest.mark.parametrize("verb", ["bypass", "shelve"])
def test_a_duration_is_the_number_of_seconds_that_others_arrive_at_too(verb: Verb, text: str, seconds: float) -> None:
    assert read_command(verb, json.dumps({"name": "hot", "for": text}).encode()).seconds == seconds
