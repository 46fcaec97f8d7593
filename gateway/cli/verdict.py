"""A reply as a person reads it, and as an exit code. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.cli.shown import harmless, shown

DONE, FAILED, DOUBTFUL = 0, 1, 3
_CODES = {"applied": DONE, "refused": FAILED, "failed": FAILED}
_ADVICE = {
    "unknown": "a frame left, and what it did is not known: look at the plant before you write again",
    "mismatch": "the device says something else than was written: look at the plant before you write again",
    "unverified": "the device took it; the tag has `readback: none`, so nothing more is known",
}


def exit_code(reply: Mapping[str, Any]) -> int:
    """Return what the outcome means; whatever is not known to be done or refused is a doubt."""
    return _CODES.get(reply["outcome"], DOUBTFUL)


def verdict_lines(reply: Mapping[str, Any]) -> list[str]:
    """Return the outcome, then what became of each write, what spoke against it, and what to do."""
    outcome = reply["outcome"]
    lines = [_headline(outcome, reply), *_results(reply), *_violations(reply)]
    if outcome in _ADVICE:
        lines.append(f"  {_ADVICE[outcome]}")
    return [harmless(line) for line in lines]


def _headline(outcome: str, reply: Mapping[str, Any]) -> str:
    code, message = _text(reply, "code"), _text(reply, "message")
    line = f"{outcome} ({code})" if code else outcome
    line = f"{line}: {message}" if message else line
    return f"{line}; this is the answer of before, nothing was done again" if reply.get("repeated") is True else line


def _results(reply: Mapping[str, Any]) -> Iterator[str]:
    for tag, result in _members(reply.get("results")).items():
        members = _members(result)
        outcome, code = _text(members, "outcome"), _text(members, "code")
        read = members.get("read_back")
        end = "nothing read back" if read is None else f"read back {shown(read)}"
        said = outcome if code in {"", outcome} else f"{outcome} ({code})"
        message = _text(members, "message")
        yield f"  {tag}: {shown(members.get('requested'))}, {end}: {said}{f'; {message}' if message else ''}"


def _violations(reply: Mapping[str, Any]) -> Iterator[str]:
    violations = reply.get("violations")
    for each in violations if isinstance(violations, list) else ():
        members = _members(each)
        words = [f"  {_text(members, 'code')}: {_text(members, 'name')}"]
        if members.get("reason"):
            words.append(_text(members, "reason"))
        words += [f"{key} {shown(members[key])}" for key in ("value", "limit") if members.get(key) is not None]
        if members.get("tag"):
            words.append(f"({_text(members, 'tag')})")
        yield " ".join(words)


def _members(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(members: Mapping[str, Any], key: str) -> str:
    value = members.get(key, "")
    return value if isinstance(value, str) else shown(value)
