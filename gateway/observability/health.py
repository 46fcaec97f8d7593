"""Whether the gateway is alive and whether it is ready. Pure: figures in, answer out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway.counters import LATE_PERIODS, Counters
from gateway.observability.page import JSON, Answer, line

_DOWN = {"journal": "cannot write", "inbox": "not subscribed to the command topics"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the gateway that has to be up before the gateway is ready."""

    name: str
    """`configuration`, `evaluation`, `mqtt`, `journal`, `inbox`, or `device.NAME`."""
    ready: bool
    reason: str = ""
    """Why it is not ready, in a few words."""


def health(last: float | None, now: float, period: float) -> Answer:
    """Answer 200 while the safety evaluation is on time, else 503 with the reason.

    `last` is when it last ended, None if never; `last` and `now` are monotonic, `period` is in seconds.
    """
    if last is None:
        return line(503, "late: no safety evaluation has run yet")
    age = now - last
    if age <= LATE_PERIODS * period:
        return line(200, "ok")
    return line(503, f"late: the last safety evaluation was {age:.1f} s ago; one is due every {period:g} s")


def list_parts(
    counters: Counters, faults: Mapping[str, str], further: Mapping[str, bool] = MappingProxyType({})
) -> list[Part]:
    """Return every part, up or not. `faults` says why a part is down, by its name; empty or absent where it is not.

    The configuration is up unless a fault is named; the others also have to count as up. `further` says so of the
    parts that not every gateway has.
    """
    up = {
        "configuration": (True, "not loaded"),
        "evaluation": (counters.guard.last is not None, "has not run yet"),
        **{f"device.{name}": (device.connected, "not connected") for name, device in list(counters.devices.items())},
        "mqtt": (counters.mqtt.connected, "not connected to the broker"),
        **{name: (is_up, _DOWN.get(name, "not up")) for name, is_up in further.items()},
    }
    parts = []
    for name, (is_up, otherwise) in up.items():
        fault = faults.get(name, "")
        ready = is_up and not fault
        parts.append(Part(name, ready, "" if ready else fault or otherwise))
    return parts


def readiness(parts: Sequence[Part]) -> Answer:
    """Answer 200 once every part is ready, else 503; the JSON names each part, and why it is not ready."""
    ready = bool(parts) and all(part.ready for part in parts)
    body = {
        "ready": ready,
        "parts": {part.name: _describe(part) for part in parts},
    }
    return Answer(200 if ready else 503, JSON, json.dumps(body, ensure_ascii=False).encode() + b"\n")


def _describe(part: Part) -> dict[str, bool | str]:
    return {"ready": True} if part.ready else {"ready": False, "reason": part.reason}
