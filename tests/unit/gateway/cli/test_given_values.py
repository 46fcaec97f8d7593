"""What a person types as TAG=VALUE."""

import pytest

from gateway.cli.given_values import read_locks, read_value, read_writes


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("false", False), ("True", "True"),
        ("450", 450), ("-5", -5), ("+5", 5), ("007", 7), ("0", 0),
        ("450.0", 450.0), (".5", 0.5), ("-.5", -0.5), ("1.", 1.0), ("1e3", 1000.0), ("1.5E-3", 0.0015),
        ("auto", "auto"), ("1,5", "1,5"), ("0x10", "0x10"), ("1_0", "1_0"), ("-", "-"), ("a=b", "a=b"),
        ('"450"', "450"), ("'true'", "true"), ('""', ""), ("\"it's\"", "it's"), ('"', '"'), ("'nan'", "nan"),
    ],
)  # fmt: skip
def test_a_value_is_what_it_looks_like_and_quotes_make_it_a_text(text: str, value: object) -> None:
    found = read_value(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["", "nan", "NaN", "-inf", "Infinity", "1e999", "-1e999", "9" * 41, "9" * 5000])
def test_what_no_tag_can_be_is_refused_before_it_is_sent(text: str) -> None:
    with pytest.raises(ValueError, match=r"no value|number"):
        read_value(text)


def test_writes_keep_their_order() -> None:
    assert list(read_writes(["b.y=1", "a.x=true"]).items()) == [("b.y", 1), ("a.x", True)]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["boiler.setpoint"], "'boiler.setpoint' is no TAG=VALUE, such as boiler.temperature_setpoint=450"),
        (["=5"], "'=5' is no TAG=VALUE"),
        (["a.b="], "a.b: nothing is no value; for a text write quotes that the shell leaves in place"),
        (["a.b=1", "a.b=2"], "a.b stands there twice"),
    ],
    ids=["no value", "no tag", "nothing", "twice"],
)
def test_a_mistake_is_told_with_its_place(given: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        read_writes(given)


def test_a_lock_has_a_token() -> None:
    assert read_locks(["boiler=7", "x=-1"]) == {"boiler": 7, "x": -1}
    for wrong in ("boiler", "boiler=", "=7", "boiler=true", "boiler=1.5", "boiler=" + "9" * 30):
        with pytest.raises(ValueError, match="is no NAME=TOKEN"):
            read_locks([wrong])
