"""A reply as the journal keeps it, so that a command which comes again is answered as it was. Pure."""

import base64
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any

from gateway.control.reply import Outcome, Reply, Result, finding_plain
from gateway.safety.decision import Finding


def reply_value(reply: Reply) -> dict[str, Any]:
    """Return the reply as plain JSON values. Without its hash, which is not known before it is recorded."""
    return {
        "id": reply.id,
        "outcome": reply.outcome.value,
        "code": reply.code,
        "message": reply.message,
        "violations": [finding_plain(each) for each in reply.violations],
        "results": {tag: _result_value(each) for tag, each in reply.results.items()},
        "wall": reply.wall,
    }


def stored_reply(value: Mapping[str, Any]) -> Reply:
    """Return the reply of such values, marked as repeated."""
    return Reply(
        id=value["id"],
        outcome=Outcome(value["outcome"]),
        code=value["code"],
        message=value["message"],
        violations=tuple(_finding(each) for each in value["violations"]),
        results={tag: _result(each) for tag, each in value["results"].items()},
        wall=value["wall"],
        repeated=True,
    )


def plain(value: Any) -> Any:  # noqa: ANN401  (any value of a tag)
    """Return a value as JSON can hold it: bytes base64, times RFC 3339, what is not finite as nothing."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    return value


def _result_value(result: Result) -> dict[str, Any]:
    return {
        "requested": plain(result.requested),
        "outcome": result.outcome.value,
        "code": result.code,
        "read_back": plain(result.read_back),
        "message": result.message,
    }


def _result(value: Mapping[str, Any]) -> Result:
    return Result(**{**value, "outcome": Outcome(value["outcome"])})


def _finding(value: Mapping[str, Any]) -> Finding:
    return Finding(**{"code": "", "name": "", "reason": "", **value})
