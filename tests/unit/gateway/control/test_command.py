"""Commands from strangers: what is taken, and the code of everything that is not."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.control.command import Command, NotACommand, read_command
from gateway.control.json_strict import MAX_BYTES

GOOD = {"id": "a-1", "actor": "me", "writes": {"boiler.setpoint": 450}, "reason": "test", "priority": "high"}


def refused(payload: bytes, verb: str = "write") -> tuple[str, str | None]:
    with pytest.raises(NotACommand) as error:
        read_command(verb, payload)  # type: ignore[arg-type]
    assert str(error.value)
    return error.value.code, error.value.id


def made(**fields: object) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


def test_a_write_is_taken_as_it_stands() -> None:
    command = read_command("write", made(writes={"b.y": 1, "a.x": True, "c.z": "auto", "d.w": 1.5}))
    assert list(command.writes.items()) == [("b.y", 1), ("a.x", True), ("c.z", "auto"), ("d.w", 1.5)]
    assert (command.id, command.actor, command.reason, command.priority) == ("a-1", "me", "test", "high")


def test_only_what_is_written_is_needed() -> None:
    assert read_command("write", b'{"writes":{"a.b":1}}') == Command("write", writes={"a.b": 1})


def test_the_other_verbs_have_their_own_fields() -> None:
    bypass = read_command("bypass", b'{"id":"x","name":"steam","for":"30m","reason":"calibration"}')
    assert (bypass.name, bypass.seconds, bypass.reason) == ("steam", 1800.0, "calibration")
    assert read_command("relinquish", b'{"tags":["a.b"]}').tags == ("a.b",)
    assert read_command("reset", b"{}").name == ""


def test_a_time_has_its_zone() -> None:
    expires = read_command("write", made(expires_at="2026-01-02T03:04:05Z")).expires_at
    assert expires == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert refused(made(expires_at="2026-01-02T03:04:05")) == ("bad_schema", "a-1")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "bad_encoding"),
        (b"hello", "bad_encoding"),
        (b"\xff\xfe{\x00}\x00", "bad_encoding"),
        (b"\xef\xbb\xbf{}", "bad_encoding"),
        (b'{"reason":"\xff"}', "bad_encoding"),
        (b'{"reason":"\\ud800"}', "bad_encoding"),
        (b'{"\\udc00":1}', "bad_encoding"),
        (b'{"writes":{"a.b":1}}x', "bad_encoding"),
        (b"[]", "bad_schema"),
        (b"1", "bad_schema"),
        (b"null", "bad_schema"),
        (b"{}", "bad_schema"),
        (b'{"writes":{}}', "bad_schema"),
        (b'{"writes":[]}', "bad_schema"),
        (b'{"writes":{"a.b":NaN}}', "bad_value"),
        (b'{"writes":{"a.b":Infinity}}', "bad_value"),
        (b'{"writes":{"a.b":-Infinity}}', "bad_value"),
        (b'{"writes":{"a.b":1e999}}', "bad_value"),
        (b'{"writes":{"a.b":-1e999}}', "bad_value"),
        (b'{"writes":{"a.b":18446744073709551616}}', "bad_value"),
        (b'{"writes":{"a.b":-9223372036854775809}}', "bad_value"),
        (b'{"writes":{"a.b":' + b"9" * 5000 + b"}}", "bad_value"),
        (b'{"writes":{"a.b":null}}', "bad_value"),
        (b'{"writes":{"a.b":[1]}}', "bad_value"),
        (b'{"writes":{"a.b":{"c":1}}}', "bad_value"),
        (b'{"writes":{"a.b":1,"a.b":2}}', "bad_schema"),
        (b'{"writes":{"a.b":1},"writes":{"a.b":2}}', "bad_schema"),
        (b'{"writes":{"a.b":1},"extra":1}', "bad_schema"),
        (b'{"writes":{"a.b":1},"name":"steam"}', "bad_schema"),
        (b'{"writes":{"a.b":1},"actor":5}', "bad_schema"),
        (b'{"writes":{"a.b":1},"priority":"urgent"}', "bad_schema"),
        (b'{"writes":{"a.b":1},"priority":[]}', "bad_schema"),
        (b'{"writes":{"a.b":1},"expires_at":12}', "bad_schema"),
        (b'{"writes":{"a.b":1},"expires_at":"soon"}', "bad_schema"),
        (b'{"writes":{"a.b":1},"hold":"-5s"}', "bad_schema"),
        (b'{"writes":{"a.b":1},"hold":"0s"}', "bad_schema"),
        (b'{"writes":{"a.b":1},"hold":5}', "bad_schema"),
        (b'{"writes":{"a.b":1},"locks":{"x":true}}', "bad_schema"),
        (b'{"writes":{"a.b":1},"locks":[]}', "bad_schema"),
        (b'{"writes":{"a.b":1},"signature":{}}', "bad_schema"),
        (b'{"id":"","writes":{"a.b":1}}', "bad_schema"),
        (b'{"id":"a b","writes":{"a.b":1}}', "bad_schema"),
        (b'{"id":7,"writes":{"a.b":1}}', "bad_schema"),
        (b'{"id":"' + b"x" * 65 + b'","writes":{"a.b":1}}', "bad_schema"),
        (b'{"id":"x\\n","writes":{"a.b":1}}', "bad_schema"),
        (b'{"reason":"' + b"x" * 600 + b'","writes":{"a.b":1}}', "bad_schema"),
        (b'{"reason":"' + b"x" * MAX_BYTES + b'"}', "too_large"),
        (b'{"writes":' * 9 + b"1" + b"}" * 9, "too_large"),
        (b"[" * 16000, "too_large"),
        (json.dumps({"writes": {f"a.b{n}": 1 for n in range(65)}}).encode(), "bad_schema"),
    ],
)
def test_everything_else_is_refused_with_its_code(payload: bytes, code: str) -> None:
    assert refused(payload)[0] == code


def test_a_refusal_bears_the_id_where_there_is_one_to_use() -> None:
    assert refused(made(extra=1)) == ("bad_schema", "a-1")
    assert refused(made(id="not ok")) == ("bad_schema", None)


def test_brackets_in_a_text_are_no_depth() -> None:
    assert read_command("write", made(reason='[[[[[[[[[[{{{{{{{{{{"\\"[')).reason.startswith("[[[")


def signature(**fields: object) -> bytes:
    return made(
        signature={"key": "op-1", "sequence": 7, "not_after": "2026-01-02T03:04:05Z", "value": "AA==", **fields}
    )


def test_a_signature_is_taken_as_it_stands() -> None:
    found = read_command("write", signature()).signature
    assert found is not None
    assert (found.key, found.sequence, found.value) == ("op-1", 7, "AA==")


NO_SIGNATURES: list[dict[str, object]] = [
    {"sequence": True},
    {"sequence": -1},
    {"sequence": 2**63},
    {"sequence": 1.5},
    {"key": "a b"},
    {"value": 1},
    {"more": 1},
]


@pytest.mark.parametrize("fields", NO_SIGNATURES)
def test_a_signature_that_is_not_one_is_refused(fields: dict[str, object]) -> None:
    assert refused(signature(**fields)) == ("bad_schema", "a-1")


def outcome(payload: bytes) -> str:
    try:
        read_command("write", payload)
    except NotACommand as error:
        return error.code
    return ""


CODES = {"", "bad_encoding", "bad_schema", "bad_value", "too_large"}


@given(st.binary(max_size=200))
def test_no_bytes_whatever_escape_the_reader(payload: bytes) -> None:
    assert outcome(payload) in CODES


@given(st.data())
def test_no_mutation_of_a_good_command_escapes_the_reader(data: st.DataObject) -> None:
    payload = bytearray(made(hold="5s", locks={"x": 1}, expires_at="2026-01-02T03:04:05Z"))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    assert outcome(bytes(payload)) in CODES
