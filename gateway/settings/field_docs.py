"""What a dataclass's source says of its fields, for editors. Read only when the schema is written."""

import ast
import inspect
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from enum import Enum
from functools import cache
from textwrap import dedent
from typing import Any

from drivers.values import Seconds
from gateway.settings.duration import write_duration


def describe(part: type, name: str, schema: dict[str, Any]) -> None:
    """Add a field's description and default to its schema, in place."""
    schema.pop("title", None)
    text = _docs(part).get(name)
    if text:
        schema["description"] = text
    default = _default(part, name)
    if default is not None:
        schema["default"] = default


@cache
def _docs(part: type) -> Mapping[str, str]:
    """Return the string under each field, those of the bases included."""
    found: dict[str, str] = {}
    for origin in reversed(part.__mro__):
        if "__dataclass_fields__" not in vars(origin):
            continue
        body = ast.parse(dedent(inspect.getsource(origin))).body[0]
        assert isinstance(body, ast.ClassDef)
        for statement, after in zip(body.body, body.body[1:], strict=False):
            match statement, after:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = " ".join(text.split())
    return found


def _default(part: type, name: str) -> str | float | bool | None:
    field: Field[Any] = next(field for field in fields(part) if field.name == name)
    value = None if field.default is MISSING else field.default
    if isinstance(value, Enum):
        value = value.value
    if not isinstance(value, (bool, int, float, str)):
        return None
    return write_duration(Seconds(value)) if field.type in _DURATIONS and isinstance(value, (int, float)) else value


_DURATIONS = (Seconds, Seconds | None)
