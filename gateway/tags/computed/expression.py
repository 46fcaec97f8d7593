"""Expressions over tags: `boiler.steam_flow * 1000 / max(boiler.fuel_flow, 0.001)`. Pure.

The text is parsed once, when the configuration is loaded, and what is no expression is refused there with its place.
simpleeval evaluates the tree.
"""

import ast
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from drivers.values import DataType, Value
from gateway.tags.computed.evaluator import Evaluator
from gateway.tags.computed.tree import ExpressionError, Reader

LONGEST = 1000
"""Characters."""

Evaluate: TypeAlias = Callable[[Sequence[Value]], Value]
"""The values of the inputs, in their order -> the value; raises ArithmeticError, TypeError or ValueError."""

_EVALUATOR = Evaluator()


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that can be evaluated."""

    inputs: tuple[str, ...]
    """The tags that it names, each once, in the order of their first mention."""
    evaluate: Evaluate
    data_type: DataType | None
    """The type of its value; None where that depends on the inputs. A number is told as float64, also a whole one."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Return the expression in the text. Raises ExpressionError."""
    line = " ".join(text.splitlines()).strip()
    reader = Reader(line)
    tree = reader.read(_read(line))
    if not reader.inputs:
        raise ExpressionError("it names no tag, so it would never change")
    inputs = tuple(reader.inputs)
    return Expression(
        inputs, lambda row: _EVALUATOR.evaluate(tree, dict(zip(inputs, row, strict=True))), _type_of(tree)
    )


def _read(text: str) -> ast.expr:
    if not text:
        raise ExpressionError("it is empty")
    if len(text) > LONGEST:
        raise ExpressionError(f"it is longer than {LONGEST} characters; make computed tags of its parts")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is refused below, or harmless
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        place = min(max(error.offset or 1, 1), len(text))
        near = text[place - 1 :][:20]
        # A comma cuts the text off there, and its brackets stay open.
        cut = "; between { and } a text with a ',' needs quotes" if text.count("(") > text.count(")") else ""
        raise ExpressionError(f"it cannot be read from {near!r} on (character {place}){cut}") from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError("it cannot be read; it is nested too deeply, or a number in it is too long") from None


def _type_of(node: ast.expr) -> DataType | None:
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=bool()):
            return DataType.BOOL
        case ast.Constant(value=str()):
            return DataType.STRING
        case ast.BinOp() | ast.UnaryOp() | ast.Call() | ast.Constant():
            return DataType.FLOAT64
        case ast.IfExp(body=then, orelse=otherwise):
            found = _type_of(then)
            return found if found is _type_of(otherwise) else None
    return None
