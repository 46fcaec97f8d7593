"""simpleeval with nothing in it but this language: each operation refuses what it cannot take. Pure.

A bool counts as 0 or 1 in arithmetic, so that running pumps can be added up. Texts can only be compared.
"""

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from simpleeval import DEFAULT_OPERATORS, InvalidExpression, SimpleEval  # type: ignore[import-untyped]

from drivers.values import Value

Operation: TypeAlias = Callable[..., Value]
"""Raises ArithmeticError, TypeError or ValueError for what it cannot take."""

_NODES = (ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call)
_NUMBERS = frozenset((int, float, bool))


def _arithmetic(function: Callable[..., Any]) -> Operation:
    def guarded(*numbers: Value) -> Value:
        for number in numbers:
            if type(number) not in _NUMBERS:
                raise TypeError("only numbers can be calculated with")
        result: float = function(*numbers)
        if math.isfinite(result):  # an integer without end raises here
            return result
        raise OverflowError("the result is infinite")

    return guarded


def _comparison(function: Callable[[Any, Any], bool]) -> Operation:
    def guarded(left: Value, right: Value) -> bool:
        if (type(left) in _NUMBERS and type(right) in _NUMBERS) or (type(left) is str and type(right) is str):
            return function(left, right)
        raise TypeError("a number and a text cannot be compared")

    return guarded


def _round(number: float, digits: float = 0) -> float:
    if type(digits) is int and 0 <= digits <= 15:
        return round(number, digits)
    raise ValueError("digits are a whole number from 0 to 15")


ARITHMETIC: Mapping[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
}  # fmt: skip
COMPARISONS: Mapping[type[ast.AST], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
OPERATORS: Mapping[type[ast.AST], Operation] = {
    **{kind: _arithmetic(DEFAULT_OPERATORS[kind]) for kind in (*ARITHMETIC, ast.USub, ast.UAdd, ast.Not)},
    **{kind: _comparison(DEFAULT_OPERATORS[kind]) for kind in COMPARISONS},
    ast.Pow: _arithmetic(math.pow),  # of floats: the library's own takes a second for 4000000 ** 400000
}
FUNCTIONS: Mapping[str, tuple[Operation, int, int]] = {
    "abs": (_arithmetic(abs), 1, 1),
    "exp": (_arithmetic(math.exp), 1, 1),
    "log": (_arithmetic(math.log), 1, 2),
    "max": (_arithmetic(max), 2, 32),
    "min": (_arithmetic(min), 2, 32),
    "round": (_arithmetic(_round), 1, 2),
    "sqrt": (_arithmetic(math.sqrt), 1, 1),
}
"""With the least and the most arguments that each takes."""


class Evaluator:
    """Evaluates trees, one at a time; not to be shared between threads."""

    def __init__(self) -> None:
        self._library = SimpleEval(OPERATORS, {name: call for name, (call, _, _) in FUNCTIONS.items()})
        self._library.nodes = {kind: self._library.nodes[kind] for kind in _NODES}

    def evaluate(self, tree: ast.expr, names: Mapping[str, Value]) -> Value:
        """Return the tree's value; raises ArithmeticError, TypeError or ValueError where there is none."""
        self._library.names = names
        try:
            value: Value = self._library.eval("", tree)
        except InvalidExpression as error:
            raise ValueError(str(error)) from None
        return value
