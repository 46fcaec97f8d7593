from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest

from drivers.values import Seconds, Secret
from gateway.settings.compose import Made, adapter, checker, together, translate
from gateway.settings.findings import Findings
from gateway.settings.tree import Member
from gateway.settings.validate import validate
from gateway.settings.yaml_source import parse


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Inner:
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"high: {self.high:g} is not above {self.low:g}")


@dataclass(frozen=True, slots=True)
class Everything:
    schema: str = ""
    copy: int = 0
    factor: float = 1.0
    enabled: bool = False
    period: Seconds = Seconds(1)
    password: Secret | None = None
    colour: Colour = Colour.RED
    mode: Literal["off", "on", 3] = "off"
    pair: tuple[float, float] | None = None
    names: tuple[str, ...] = ()
    inner: Inner | None = None
    by_name: Mapping[str, Inner] = field(default_factory=dict)
    setting: bool | int | float | str = 0
    address: str | int = ""
    one_or_more: int | tuple[int, ...] = ()
    file: Path | None = None


def build(annotation: Any, text: str) -> tuple[Any, list[str]]:
    findings = Findings(Path("/plant"))
    root = parse(text, "f", findings)
    assert root is not None
    made = validate(checker(annotation), Member(root.mark, root), (), findings)
    return made, [str(problem) for problem in findings.problems]


def made_of(text: str) -> Everything:
    made, problems = build(translate(Everything), text)
    assert problems == []
    assert isinstance(made, Everything)
    return made


def problems_of(text: str) -> list[str]:
    return [problem.partition(": ")[2] for problem in build(translate(Everything), text)[1]]


def test_a_key_that_is_absent_has_the_dataclass_s_own_default() -> None:
    assert made_of("{}") == Everything()


def test_a_key_may_be_called_like_something_of_pydantic_s() -> None:
    assert made_of("{schema: dict, copy: 3}") == Everything(schema="dict", copy=3)


def test_every_kind_of_field_takes_its_value() -> None:
    made = made_of(
        "{factor: 2, enabled: true, period: 250ms, password: 0123, colour: green, mode: on, pair: [1, 2.5],"
        " names: [a, 2], inner: {low: 1, high: 2}, by_name: {x: {low: 0, high: 1}}, setting: 1.5}"
    )
    assert made == Everything(
        factor=2.0,
        enabled=True,
        period=Seconds(0.25),
        password=Secret("0123"),
        colour=Colour.GREEN,
        mode="on",
        pair=(1.0, 2.5),
        names=("a", "2"),
        inner=Inner(1, 2),
        by_name={"x": Inner(0, 1)},
        setting=1.5,
    )
    assert type(made.factor) is float


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", 1), ("1.0", 1.0), ("x", "x"), ("'1'", "1")])
def test_a_setting_keeps_the_type_it_was_written_with(text: str, value: object) -> None:
    setting = made_of(f"setting: {text}").setting
    assert setting == value
    assert type(setting) is type(value)


@pytest.mark.parametrize(
    ("text", "value"), [("40011", 40011), ("00017", "00017"), ("'40011'", "40011"), ("hr:1", "hr:1")]
)
def test_a_number_with_leading_zeros_is_a_text_where_texts_are_taken(text: str, value: object) -> None:
    assert made_of(f"address: {text}").address == value


def test_one_value_or_a_list_of_them_are_told_apart() -> None:
    assert made_of("one_or_more: 0x8000").one_or_more == 0x8000
    assert made_of("one_or_more: [1, 2]").one_or_more == (1, 2)
    assert problems_of("one_or_more: [1, x]") == ["one_or_more[2]: needs a whole number, not 'x'"]


def test_a_relative_file_is_meant_from_the_configuration_s_folder() -> None:
    assert made_of("file: certs/own.pem").file == Path("/plant/certs/own.pem")
    assert made_of("file: /etc/own.pem").file == Path("/etc/own.pem")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("copy: '3'", "copy: needs a whole number, not '3'"),
        ("copy: 3.0", "copy: needs a whole number, not 3.0"),
        ("copy: true", "copy: needs a whole number, not true"),
        ("factor: true", "factor: needs a number, not true"),
        ("factor: .nan", "factor: needs a finite number, not .nan"),
        ("factor: 1e999", "factor: needs a finite number, not 1e999"),
        ("factor: '1,5'", "factor: needs a number, not '1,5'; write 1.5"),
        ("factor: " + "9" * 399, "factor: needs a finite number, not " + "9" * 399),
        ("enabled: 1", "enabled: needs true or false, not 1"),
        ("schema: true", "schema: needs a text, not true; put it in quotes"),
        ("schema:", "schema: needs a text, not nothing"),
        ("period: 5", "period: needs a unit: 5ms or 5s, not 5"),
        ("period: [1s]", "period: needs a duration such as 250ms, 2s, 5m or 1h, not a list"),
        ("password: [hush]", "password: needs a text; put it in quotes, or better: ${credential:NAME}"),
        ("colour: gren", "colour: 'gren' is none of red, green; did you mean 'green'?"),
        ("mode: true", "mode: true is none of off, on, 3"),
        ("pair: [1]", "pair: needs 2 values, not 1"),
        ("names: a", "names: needs a list, as in [a, b]"),
        ("inner:", "nothing"),
        ("inner: {low: 1}", "inner: the key 'high' is missing"),
        ("inner: {low: 2, high: 1}", "inner.high: 1 is not above 2"),
        ("by_name: {x: {low: 2, high: 1}}", "by_name.x.high: 1 is not above 2"),
        ("setting: [1]", "setting: needs true or false or a whole number or a number or a text, not a list"),
    ],
)
def test_what_does_not_fit_is_refused_in_plain_words(text: str, problem: str) -> None:
    assert problems_of(text) == ([] if problem == "nothing" else [problem])


def test_an_unknown_key_hides_no_other_problem() -> None:
    assert problems_of("{fctor: 1, copy: x, inner: {low: 2, high: 1, hgih: 3}}") == [
        "unknown key 'fctor'; did you mean 'factor'?",
        "copy: needs a whole number, not 'x'",
        "inner.high: 1 is not above 2",
        "inner: unknown key 'hgih'; did you mean 'high'?",
    ]


@dataclass(frozen=True, slots=True)
class Gateway:
    scan: Seconds = Seconds(1)
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Driver:
    url: str
    scan: Seconds = Seconds(99)

    def __post_init__(self) -> None:
        if self.url == "bad":
            raise ValueError("url: is bad")


def test_parts_share_the_scan_and_nothing_else() -> None:
    annotation = together(Gateway, Driver)
    assert build(annotation, "{url: x, unit: V}")[0] == Made((Gateway(unit="V"), Driver("x", Seconds(1))), {})
    assert build(annotation, "{url: x, scan: 2s}")[0].parts[1].scan == 2
    with pytest.raises(TypeError, match="the key 'unit' has more than one meaning"):
        together(Gateway, dataclass(type("Other", (), {"__annotations__": {"unit": str}})))


def test_a_further_key_cannot_hide_a_part_s_own() -> None:
    with pytest.raises(TypeError, match="the key 'url' has more than one meaning"):
        together(Gateway, Driver, url=Any)


def test_what_each_part_refuses_is_told() -> None:
    assert build(together(Inner, Driver), "{low: 2, high: 1, url: bad}")[1] == [
        "f:1:16: high: 1 is not above 2",
        "f:1:24: url: is bad",
    ]


def test_checkers_are_made_once() -> None:
    assert adapter(Inner) is adapter(Inner)
