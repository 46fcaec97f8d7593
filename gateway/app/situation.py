"""How the gateway is, in one word, with reasons, and in one line for `systemctl status`. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.control.guard import ConstraintState
from gateway.endpoints.device import DeviceState
from gateway.safety.verdict import Verdict

_CONTROL = {"off": "control is off", "dry_run": "control is dry_run: no frame is sent"}


@dataclass(frozen=True, slots=True)
class Situation:
    """What status and STATUS= say."""

    state: Literal["online", "degraded", "halted"]
    reasons: tuple[str, ...]
    line: str


def judge_situation(
    devices: Sequence[DeviceState],
    constraints: Sequence[ConstraintState],
    *,
    broker_up: bool,
    halted: bool = False,
    control: Literal["off", "dry_run", "on"] = "on",
    journal: str = "",
    further: Sequence[str] = (),
) -> Situation:
    """Return online where there is nothing to say, halted where the gate is, else degraded with the reasons.

    Journal: why it cannot write; empty where it can. Further: other reasons, ready to be shown.
    """
    down = [f"device {each.device}: {_why(each)}" for each in devices if each.reason or not each.connected]
    trips = [f"trip {each.name}" for each in sorted(constraints, key=_first_out_first) if each.latched]
    bypassed = [f"bypass {each.name}" for each in constraints if each.bypassed_until is not None]
    troubles = [f"journal: {journal}"] if journal else []
    reasons = (*trips, *down, *bypassed, *troubles, *further)
    parts = [
        *(["halted"] if halted else []),
        *trips,
        f"{len(devices) - len(down)} of {len(devices)} devices up",
        "broker up" if broker_up else "broker down",
        _verdicts(constraints),
        *bypassed,
        *troubles,
        *_control(control),
        *further,
    ]
    return Situation("halted" if halted else "degraded" if reasons else "online", reasons, "; ".join(parts))


def _why(device: DeviceState) -> str:
    return f"{device.reason}, demoted" if device.demoted else device.reason


def _first_out_first(constraint: ConstraintState) -> bool:
    return not constraint.first_out


def _verdicts(constraints: Sequence[ConstraintState]) -> str:
    count = {verdict: sum(each.verdict is verdict for each in constraints) for verdict in Verdict}
    violated, unknown = count[Verdict.VIOLATED], count[Verdict.UNKNOWN]
    return f"{violated} violated and {unknown} unknown of {len(constraints)} constraints"


def _control(control: str) -> Iterator[str]:
    if control in _CONTROL:
        yield _CONTROL[control]
