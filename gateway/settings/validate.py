"""One group of keys through its validation; what is wrong becomes findings in plain words."""

import re
from typing import Any

from pydantic import ValidationError

from gateway.settings.compose import GROUP, LIST, VALUE, Checker, Context, Refusals, Unknown
from gateway.settings.findings import Findings
from gateway.settings.suggestion import suggest
from gateway.settings.tree import Member, Node, Path, follow, plain

_FIELD = re.compile(r"([a-z][a-z0-9_]*(?:\.[A-Za-z0-9_-]+)*): (.+)", re.DOTALL)
"""How a dataclass names the key that it refuses."""

_SHAPES = {VALUE: "a single value", LIST: "a list, as in [a, b]", GROUP: "keys of its own, as in {key: value}"}


def validate(checker: Checker, member: Member, path: Path, findings: Findings) -> Any:  # noqa: ANN401
    """Return what the checker makes of the value; None, with problems, where it refuses it."""
    return _Validation(member, path, findings).run(checker)


class _Validation:
    def __init__(self, member: Member, path: Path, findings: Findings) -> None:
        self._root = member
        self._path = path
        self._findings = findings

    def run(self, checker: Checker) -> Any:  # noqa: ANN401
        context = Context(self._findings.folder)
        result = None
        try:
            result = checker.validate_python(plain(self._root.node, self._path), context=context)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                self._report(detail)
        for unknown in context.unknown:
            self._report_unknown(unknown)
        return result

    def _report_unknown(self, unknown: Unknown) -> None:
        mark = unknown.group.node.members[unknown.key].mark
        self._findings.problem(mark, unknown.group.path, unknown_key(unknown))

    def _report(self, error: Any) -> None:  # noqa: ANN401  (pydantic's ErrorDetails)
        node, _, _ = follow(self._root, error["loc"])
        cause = error.get("ctx", {}).get("error")
        if isinstance(cause, Refusals):
            for message in cause.messages:
                self._refused(error["loc"], node, message)
        elif not node.broken:
            self._tell(error["loc"], str(cause) if cause is not None else _words(error, node))

    def _refused(self, location: tuple[str | int, ...], node: Node, message: str) -> None:
        if any(member.node.broken for member in node.members.values()):
            return
        named = _FIELD.fullmatch(message)
        steps = named[1].split(".") if named else []
        if named and steps[0] in node.members:
            self._tell((*location, *steps), named[2])
        else:
            self._tell(location, message)

    def _tell(self, location: tuple[str | int, ...], message: str) -> None:
        _, path, mark = follow(self._root, location)
        self._findings.problem(mark, (*self._path, *path), message)


def unknown_key(unknown: Unknown) -> str:
    """Return what is said of a key that nobody asked for."""
    key = unknown.key
    if ":" in key and unknown.group[key] is None:
        return f"unknown key {key!r}; a space is missing after its ':'"
    return f"unknown key {key!r}{suggest(key, unknown.known)}"


def _words(error: Any, node: Node) -> str:  # noqa: ANN401
    kind = error["type"]
    empty = node.value is None
    if kind == "missing" and isinstance(error["loc"][-1], str):
        return f"the key {error['loc'][-1]!r} is missing"
    if kind in {"model_type", "dict_type"} and empty:
        return "nothing stands behind this; indent its keys below it, or remove it"
    if kind in {"model_type", "dict_type"}:
        return "needs keys of its own, as in {key: value}"
    if kind in {"tuple_type", "list_type"}:
        return "needs a list, as in [a, b]"
    if kind == "union_tag_invalid":
        return f"needs {' or '.join(name for tag, name in _SHAPES.items() if tag in error['ctx']['expected_tags'])}"
    return str(error["msg"])
