"""Expressions: what they mean, what they refuse, and that no text of theirs can do harm."""

import ast
import time
from collections.abc import Mapping
from contextlib import suppress

import pytest

from drivers.values import DataType, Value
from gateway.tags.computed.evaluator import Evaluator
from gateway.tags.computed.expression import LONGEST, parse
from gateway.tags.computed.tree import DEEPEST, MOST_PARTS, ExpressionError

PLANT: Mapping[str, Value] = {
    "a.x": 20.0,
    "a.y": 0.5,
    "a.i": 7,
    "a.big": 2**63,
    "a.on": True,
    "a.off": False,
    "a.state": "running",
    "dev-ice.tag-name": 3.0,
    "a.time": (1, 2),
}


def value_of(text: str) -> Value:
    expression = parse(text)
    return expression.evaluate([PLANT[each] for each in expression.inputs])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.x * 1000 / max(a.y, 0.001)", 40_000.0),
        ("a.x + a.y - 1", 19.5),
        ("-a.x + +a.y", -19.5),
        ("a.x // 3 + a.i % 4", 9.0),
        ("a.x ** 2", 400.0),
        ("a.big + 1", 2**63 + 1),
        ("min(a.x, a.y, a.i)", 0.5),
        ("round(a.x / 3, 2)", 6.67),
        ("round(a.y * 3)", 2),
        ("abs(-a.x) + sqrt(a.x * 5) + exp(0 * a.x) + log(a.x / a.x) + log(a.x * 5, 10)", 33.0),
        ("a.x if a.on else a.y", 20.0),
        ("a.x if a.off else a.y", 0.5),
        ("0 < a.y < 1 < a.x", True),
        ("0 < a.y < 0.4 < a.x", False),
        ("a.on and not a.off", True),
        ("a.on and a.i and a.x", True),
        ("a.off or a.y == 0.5 or a.x", True),
        ("a.on + a.on + a.off", 2),
        ('a.state == "running"', True),
        ("a.state != 'tripped' and a.on == true", True),
        ('tag("dev-ice.tag-name") * 2', 6.0),
        ('tag("a.x") + a.x', 40.0),
        (" a.x\n + a.y ", 20.5),
        ('"hot" if a.x > 10 else "cold"', "hot"),
    ],
)
def test_an_expression_means_what_it_says(text: str, value: Value) -> None:
    assert value_of(text) == (pytest.approx(value) if isinstance(value, float) else value)


def test_the_second_side_of_and_and_or_is_left_alone_where_the_first_decides() -> None:
    assert value_of("a.off and 1 / (a.x - a.x) > 0") is False
    assert value_of("a.on or 1 / (a.x - a.x) > 0") is True
    assert value_of("a.off and a.on and 1 / (a.x - a.x) > 0") is False


def test_each_tag_is_an_input_once_in_the_order_of_its_first_mention() -> None:
    assert parse('a.y + a.x * a.y + tag("a.x")').inputs == ("a.y", "a.x")


@pytest.mark.parametrize(
    ("text", "data_type"),
    [
        ("a.x > 1", DataType.BOOL),
        ("not a.x", DataType.BOOL),
        ("a.x > 1 or a.y", DataType.BOOL),
        ("a.x + 1", DataType.FLOAT64),
        ("-a.x", DataType.FLOAT64),
        ("max(a.x, 1)", DataType.FLOAT64),
        ("1 if a.x else a.y * 2", DataType.FLOAT64),
        ("'hot' if a.x else 'cold'", DataType.STRING),
        ("true if a.x else false", DataType.BOOL),
        ("a.x", None),
        ("tag('a.x')", None),
        ("a.x if a.on else 1", None),
    ],
)
def test_the_type_is_told_where_the_expression_alone_decides_it(text: str, data_type: DataType | None) -> None:
    assert parse(text).data_type is data_type


def test_choices_within_choices_are_read_at_once() -> None:
    text = "a.x > 0"
    for _ in range(DEEPEST - 3):
        text = f"({text}) if a.on else a.on or a.off"
    assert parse(text).data_type is DataType.BOOL


@pytest.mark.parametrize(
    "text",
    [
        "a.x / (a.y - 0.5)",
        "a.i % (a.x - 20)",
        "a.x ** 400 ** 400",
        "(0 - a.x) ** a.y",
        "sqrt(-a.x)",
        "log(0 * a.x)",
        "exp(a.x * 1000)",
        "1e308 * a.x",
        "a.big ** 9 ** 9 ** 9",
        "a.state + a.state",
        "a.state * 1000000000",
        "a.state > 3",
        "a.x == a.state",
        "not a.state",
        "a.state and a.on",
        "a.off or a.state",
        "'%s' % a.state",
        "a.x if a.state else a.y",
        "a.time == a.time",
        "-a.state",
        "max(a.state, a.x)",
        "round(a.x, 99)",
        "round(a.x, -1000000000 * a.i)",
        "round(a.i, 0.5)",
    ],
)
def test_what_cannot_be_calculated_raises_one_of_three_errors_at_once(text: str) -> None:
    with pytest.raises((ArithmeticError, TypeError, ValueError)):
        value_of(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("42", "it names no tag"),
        ("a.x +", "it cannot be read from"),
        ("a.x; a.y", "it cannot be read from '; a.y' on"),
        ("x + 1", "'x' is no tag (character 1)"),
        ("a.x + b.c.d", "'b.c.d' is no tag (character 7)"),
        ("sin(a.x)", "there is no function 'sin' (character 1); there are abs, exp"),
        ("a.x + max(a.y)", "max takes 2 to 32 arguments (character 7)"),
        ("sqrt(a.x, a.y)", "sqrt takes one argument"),
        ("max(a.x, key=1)", "max takes"),
        ("max(*a.x)", "max takes"),
        ("min(a.x, *a.y)", "'*a.y' cannot be used here"),
        ("a.x in a.y", "'a.x in a.y' uses an operator that is none of +, -, *, /, //, %, **, <, <="),
        ("a.x is a.y", "uses an operator"),
        ("a.x & 1", "uses an operator"),
        ("~a.x", "uses an operator"),
        ("a.x @ a.y", "uses an operator"),
        ("a.x[0]", "cannot be used here"),
        ("[a.x]", "cannot be used here"),
        ("{a.x: 1}", "cannot be used here"),
        ("lambda: a.x", "cannot be used here"),
        ("(y := a.x)", "cannot be used here"),
        ("[y for y in a.x]", "cannot be used here"),
        ("f'{a.x}'", "cannot be used here"),
        ("await a.x", "cannot be used here"),
        ("a.x.__class__", "is no tag"),
        ("__import__('os').system('true') + a.x", "there is no function"),
        ("().__class__.__bases__[0] if a.x else 1", "cannot be used here"),
        ("tag(a.x)", 'a tag is named tag("device.tag")'),
        ("tag('a.x', 'a.y')", "a tag is named"),
        ("1j * a.x", "is no number of a plant"),
        ("None or a.x", "is no number of a plant"),
        ("b'x' == a.x", "is no number of a plant"),
        ("1e999 * a.x", "is no number of a plant"),
        (f"{2**64 + 1} * a.x", "is no number of a plant"),
        (f"a.x == '{'x' * 65}'", "no short text"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "a.x + " * (LONGEST // 6) + "a.x",
        "(" * 400 + "a.x" + ")" * 400,
        "-" * 900 + "a.x",
        "not " * 200 + "a.x",
        "-" * DEEPEST + "a.x",
        "+".join(["a.x"] * (MOST_PARTS // 2 + 1)),
        "9" * 990 + "*a.x",
        "max(" * 100 + "a.x",
    ],
)
def test_no_text_is_too_long_or_too_deep_to_be_refused_in_one_line(text: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 200


ESCAPES = [
    # What reports of ways out of simpleeval, and of other evaluators, have used.
    "a.x.os.system('true')",
    "a.x.__class__.mro()",
    "a.x.__class__.__base__.__subclasses__()",
    "a.x.real",
    "a.state.upper()",
    "'{0.__class__}'.format(a.x)",
    "'{x.__class__}'.format_map(a.x)",
    "f'{a.x.__class__}'",
    "(y for y in [a.x]).gi_frame.f_builtins",
    "[y for y in ().__class__.__bases__[0].__subclasses__() if a.x]",
    "max.__self__.eval('1') + a.x",
    "max.__call__(a.x, 1)",
    "max(a.x, abs)",
    "tag.func_globals['os'] or a.x",
    "(lambda: a.x)()",
    "(max if a.x else min)(a.x, 1)",
    "{max: a.x}[max]",
    "{max, a.x}",
    "attrgetter('__class__')(a.x)",
    "methodcaller('upper')(a.state)",
    "getattr(a.x, '__class__')",
    "eval('1') + a.x",
    "open('/etc/passwd').read() == a.state",
    "max(a.x, key=print)",
    "max(**{'key': print, 'x': a.x})",
    "(y := a.x)",
    "1 << 100000000 * a.x",
]


@pytest.mark.parametrize("text", [*ESCAPES, "max if a.x else min", "a.x = 1", "import os", "a.x; import os", "del a.x"])
def test_no_known_way_out_of_an_evaluator_is_an_expression(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


@pytest.mark.parametrize("text", [*ESCAPES, "'%s' % a"])
def test_the_evaluator_alone_would_not_let_them_out_either(text: str) -> None:
    tree = ast.parse(text, mode="eval").body
    with pytest.raises((ArithmeticError, TypeError, ValueError)):
        Evaluator().evaluate(tree, {"a": 1.0})


def test_what_looks_like_an_attribute_is_the_name_of_a_tag_and_nothing_else() -> None:
    expression = parse("a.__class__ + tag('a.__dict__')")
    assert expression.inputs == ("a.__class__", "a.__dict__")
    assert expression.evaluate([1.0, 2.0]) == 3.0


@pytest.mark.parametrize("text", ["4000000 ** 4000000 * a.x", "a.i ** 9 ** 9 ** 9", "+".join(["a.big ** 9"] * 25)])
def test_no_power_takes_time(text: str) -> None:
    begun = time.process_time()
    with suppress(ArithmeticError):
        value_of(text)
    assert time.process_time() - begun < 0.5
