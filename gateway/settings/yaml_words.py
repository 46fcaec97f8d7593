"""What a YAML syntax error means for the person who wrote the file. Pure."""

import re
from typing import TypeAlias

import yaml

Place: TypeAlias = tuple[int, int, str]
"""Line, column, message; both count from 1."""

_MEANINGS = [
    (
        r"mapping values are not allowed",
        (
            "a ':' is not expected here; does the line above lack its ':', is this line indented too far, "
            "or does a text with ': ' inside need quotes?"
        ),
    ),
    (r"expected ',' or '}'", "a ',' or the closing '}' is missing before this"),
    (r"expected ',' or '\]'", "a ',' or the closing ']' is missing before this"),
    (
        r"expected <block end>|did not find expected (key|'-' indicator)|<document start>",
        (
            "this does not fit what stands above; indent it exactly like its neighbours, "
            "and quote a text with special characters"
        ),
    ),
    (r"expected (the )?node content", "a value is missing here, or a text with special characters needs quotes"),
    (r"found unexpected ':'", "a ':' is not expected here; does a text with a ':' need quotes?"),
    (r"sequence entries are not allowed", "a list cannot begin here; put its first '- ' into a line of its own"),
    (r"expected (' '|whitespace)", "a space is missing before this"),
    (r"alphabetic or numeric", "a text that begins with '*' or '&' needs quotes"),
    (r"undefined tag handle|tag", "a text that begins with '!' needs quotes"),
]
_BEGUN = [
    (r"could not find expected ':'", "a ': ' is missing in this line, between a key and its value"),
    (r"unexpected end of stream|unexpected document separator", "the quote that opens here is never closed"),
    (
        r"escape|hexdecimal|hexadecimal",
        "in double quotes a backslash begins an escape; put a text with backslashes in single quotes",
    ),
]
"""These are told where the broken thing begins, not where the parser gave up."""


def explain(error: yaml.YAMLError, text: str) -> Place:
    """Return where the error is and what to do about it."""
    if isinstance(error, yaml.reader.ReaderError):
        return _unprintable(error, text)
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return 1, 1, f"this is not YAML: {error}"
    problem, at, begun = error.problem or "", error.problem_mark, error.context_mark
    for pattern, meaning in _BEGUN:
        if begun is not None and re.search(pattern, problem):
            return begun.line + 1, begun.column + 1, meaning
    return at.line + 1, at.column + 1, _meaning(problem, _line(text, at.line), at.column)


def _meaning(problem: str, line: str, column: int) -> str:
    if "cannot start any token" in problem:
        return _misplaced(line[column : column + 1])
    if "," in problem and "${" in line[: column + 1]:
        return "between { and } a ${...} needs quotes around it"
    for pattern, meaning in _MEANINGS:
        if re.search(pattern, problem):
            return meaning
    return f"this is not YAML: {problem}"


def _misplaced(character: str) -> str:
    if character == "\t":
        return "a tab is used for indentation; YAML takes spaces only"
    return f"a text that begins with {character!r} needs quotes"


def _unprintable(error: yaml.reader.ReaderError, text: str) -> Place:
    before = text[: error.position]
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    code = error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or "\0")
    return line, column, f"an unprintable character (U+{code:04X}) stands here; remove it"


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number] if number < len(lines) else ""
