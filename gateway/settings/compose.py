"""Validation made from the parts' own dataclasses: pydantic checks at this edge, and nowhere else.

A group of keys is checked against one dataclass or several at once, and the dataclasses are then made
from it; what their __post_init__ refuses becomes a problem at the key that it names.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    PlainValidator,
    Tag,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    create_model,
)
from pydantic import Field as Key

from drivers.values import Seconds, Secret
from gateway.settings import leaf
from gateway.settings.duration import PATTERN
from gateway.settings.field_docs import describe
from gateway.settings.tree import Group

_REFERENCE = r"\$\{"
"""In the schema: whatever is no text may also come through a text such as `${env:NAME}`."""

GROUP, LIST, VALUE = "<group>", "<list>", "<value>"
"""The shapes that tell the branches of a union apart."""

SHARED = frozenset({"scan"})
"""Keys that the gateway and a driver may both want; each gets the same value."""


Checker: TypeAlias = TypeAdapter[Any]
"""Checks a value, and makes what the gateway wants of it."""


class Unknown(NamedTuple):
    """A key that nobody asked for, the group it stands in, and the keys that would be known."""

    group: Group
    key: str
    known: AbstractSet[str]


@dataclass(frozen=True, slots=True)
class Context:
    """What one validation knows and finds beside the value itself."""

    folder: Path
    """From here a relative file is meant."""
    unknown: list[Unknown] = field(default_factory=list)


class Refusals(ValueError):
    """What the dataclasses of one group refused, one message each."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


TEXT: Any = Annotated[Any, PlainValidator(leaf.text), WithJsonSchema({"type": "string"})]
"""The annotation of a key that holds a text."""


class Made(NamedTuple):
    """A group that was in order: the instances of its dataclasses, and its further keys."""

    parts: tuple[Any, ...]
    further: Mapping[str, Any]


@cache
def adapter(part: type) -> Checker:
    """Return what checks a group of keys against one dataclass, and gives its instance."""
    return TypeAdapter(translate(part))


def together(*parts: type, **further: Any) -> Any:  # noqa: ANN401  (an annotation made at run time)
    """Return the annotation of one group with the keys of all parts and further ones; it gives a Made.

    `further` maps a key to its annotation; such a key may be absent. Raises TypeError where two parts
    want the same key.
    """
    counted = Counter([*further, *(name for part in parts for name in _names(part))])
    clash = sorted(name for name, count in counted.items() if count > 1 and name not in SHARED)
    if clash:
        names = " and ".join(part.__name__ for part in parts)
        raise TypeError(f"the key {clash[0]!r} has more than one meaning in {names}")
    wanted = {each.name: _key(part, hint, each) for part in reversed(parts) for each, hint in _hinted(part)}
    wanted |= {name: (hint, Key(alias=name, default=None)) for name, hint in further.items()}

    def make(model: BaseModel) -> Made:
        given = _given(model, wanted)
        return Made(_construct(parts, given), {name: given[name] for name in further if name in given})

    return _checked("With".join(part.__name__ for part in parts), wanted, make)


@cache
def group(part: type) -> Any:  # noqa: ANN401
    """Return the annotation of a group with the keys of one dataclass; it gives an instance."""
    wanted = {each.name: _key(part, hint, each) for each, hint in _hinted(part)}

    def make(model: BaseModel) -> Any:  # noqa: ANN401
        given = _given(model, wanted)
        return _construct((part,), given)[0]

    return _checked(part.__name__, wanted, make)


def translate(hint: Any) -> Any:  # noqa: ANN401
    """Return pydantic's annotation for the type of a dataclass's field."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _LEAVES:
        _, take, schema = _LEAVES[hint]
        made: Any = _leaf(take, schema)
    elif origin is Literal or (isinstance(hint, type) and issubclass(hint, Enum)):
        made = _choice(hint)
    elif is_dataclass(hint) and isinstance(hint, type):
        made = group(hint)
    elif origin is Annotated:
        made = Annotated[(translate(arguments[0]), *arguments[1:])]
    elif origin in (Union, UnionType):
        made = _union(arguments)
    elif isinstance(origin, type):
        made = _collection(origin, arguments)
    else:
        made = hint
    return made


def checker(annotation: Any) -> Checker:  # noqa: ANN401
    """Return what checks a value against an annotation made here."""
    return TypeAdapter(annotation)


def _leaf(take: Callable[..., Any], schema: dict[str, Any]) -> Any:  # noqa: ANN401
    return Annotated[Any, PlainValidator(take), WithJsonSchema(schema)]


def _file(value: Any, info: ValidationInfo) -> Path:  # noqa: ANN401
    return info.context.folder / leaf.text(value) if info.context else Path(leaf.text(value))


_LEAVES: dict[Any, tuple[str, Callable[..., Any], dict[str, Any]]] = {
    bool: ("true or false", leaf.truth, {"type": ["boolean", "string"], "pattern": _REFERENCE}),
    int: ("a whole number", leaf.whole, {"type": ["integer", "string"], "pattern": _REFERENCE}),
    float: ("a number", leaf.real, {"type": ["number", "string"], "pattern": _REFERENCE}),
    Seconds: ("a duration", leaf.duration, {"type": "string", "pattern": f"{PATTERN}|{_REFERENCE}"}),
    Secret: ("a text", leaf.secret, {"type": ["string", "number"]}),
    str: ("a text", leaf.text, {"type": ["string", "number"]}),
    Path: ("a file", _file, {"type": "string"}),
}


def _collection(origin: type, arguments: Sequence[Any]) -> Any:  # noqa: ANN401
    if issubclass(origin, Mapping):
        return dict[str, translate(arguments[1])]  # type: ignore[misc]  # made at run time
    if not issubclass(origin, Sequence):
        raise TypeError(f"a key cannot hold a {origin.__name__}")
    kept = tuple(each if each is Ellipsis else translate(each) for each in arguments)
    if origin is tuple:
        exact = BeforeValidator(partial(_check_length, None if Ellipsis in kept else len(kept)))
        return Annotated[tuple[kept], exact]  # type: ignore[valid-type]  # made at run time
    return list[kept[0]] if origin is list else tuple[kept[0], ...]  # type: ignore[valid-type]  # as above


def _check_length(length: int | None, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, list) and length is not None and len(value) != length:
        raise leaf.Unfit(f"needs {length} values, not {len(value)}")
    return value


def _choice(hint: Any) -> Any:  # noqa: ANN401
    if isinstance(hint, type):
        choices = {member.value: member for member in hint}  # type: ignore[attr-defined]  # an Enum
    else:
        choices = {value: value for value in get_args(hint)}
    return _leaf(leaf.choice(choices), {"anyOf": [{"enum": list(choices)}, {"type": "string", "pattern": _REFERENCE}]})


def _union(arguments: Sequence[Any]) -> Any:  # noqa: ANN401
    scalars = [each for each in _LEAVES if each in arguments]
    branches = [translate(each) for each in arguments if each not in _LEAVES and each is not NoneType]
    if scalars:
        branches.append(_scalars(scalars))
    union = branches[0] if len(branches) == 1 else _by_shape(branches)
    return union | None if NoneType in arguments else union


def _scalars(kinds: Sequence[Any]) -> Any:  # noqa: ANN401
    if len(kinds) == 1:
        return translate(kinds[0])
    takes = {_LEAVES[kind][0]: _LEAVES[kind][1] for kind in kinds}
    types = {each: None for kind in kinds for each in _LEAVES[kind][2]["type"]}
    return _leaf(leaf.any_of(takes), {"type": list(types)})


def _by_shape(branches: Sequence[Any]) -> Any:  # noqa: ANN401
    tagged = [Annotated[branch, Tag(_shape_of_type(branch))] for branch in branches]
    if len({_shape_of_type(branch) for branch in branches}) != len(branches):
        raise TypeError(f"a key cannot tell these apart by their shape: {branches}")
    return Annotated[Union[tuple(tagged)], Discriminator(_shape)]  # noqa: UP007  (there is no | for a tuple of types)


def _shape(value: Any) -> str:  # noqa: ANN401
    return GROUP if isinstance(value, dict) else LIST if isinstance(value, list) else VALUE


def _shape_of_type(annotation: Any) -> str:  # noqa: ANN401
    origin = get_origin(annotation)
    if origin is dict:
        return GROUP
    if origin is tuple:
        return LIST
    first = get_args(annotation)[0] if origin is Annotated else annotation
    if get_origin(first) is tuple:
        return LIST
    return GROUP if isinstance(first, type) and issubclass(first, BaseModel) else VALUE


def _hinted(part: type) -> list[tuple["Field[Any]", Any]]:
    hints = get_type_hints(part, include_extras=True)
    return [(each, hints[each.name]) for each in fields(part) if each.name in _names(part)]


@cache
def _names(part: type) -> frozenset[str]:
    return frozenset(each.name for each in fields(part) if each.init and each.metadata.get("key", True))


def _key(part: type, hint: Any, of: "Field[Any]") -> tuple[Any, Any]:  # noqa: ANN401
    # The default is the dataclass's own; here it only says that the key may be absent.
    if of.default is MISSING and of.default_factory is MISSING:
        return translate(hint), Key(alias=of.name, json_schema_extra=partial(describe, part, of.name))
    return translate(hint), Key(alias=of.name, default=None, json_schema_extra=partial(describe, part, of.name))


def _checked(name: str, wanted: Mapping[str, tuple[Any, Any]], make: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    # Named by alias: a key called `schema` or `copy` would otherwise hide something of BaseModel's.
    keys: dict[str, Any] = {f"key_{key}": definition for key, definition in wanted.items()}
    model = create_model(name, __config__=ConfigDict(extra="forbid"), **keys)
    known = frozenset(wanted)

    def set_unknown_aside(value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        if not isinstance(value, Group) or info.context is None:
            return value
        info.context.unknown.extend(Unknown(value, key, known) for key in value if key not in known)
        return {key: each for key, each in value.items() if key in known}

    return Annotated[model, BeforeValidator(set_unknown_aside), AfterValidator(make)]


def _given(model: BaseModel, wanted: Iterable[str]) -> dict[str, Any]:
    """Return the keys that the file sets; for all others the dataclasses have their defaults."""
    return {name: getattr(model, f"key_{name}") for name in wanted if f"key_{name}" in model.model_fields_set}


def _construct(parts: Sequence[type], given: Mapping[str, Any]) -> tuple[Any, ...]:
    made: list[Any] = []
    refused: list[str] = []
    for part in parts:
        names = _names(part)
        own = {name: value for name, value in given.items() if name in names}
        shared = {name: getattr(made[0], name) for name in SHARED & names if made and hasattr(made[0], name)}
        try:
            made.append(part(**{**shared, **own}))
        except ValueError as error:
            refused.append(str(error))
    if refused:
        raise Refusals(refused)
    return tuple(made)
