"""How the gateway is, in one word, with reasons, and in one line for `systemctl status`. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.control.guard import ConstraintState
from gateway.endpoints.device import DeviceState
from gateway.safety.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Situation:
    """What status and STATUS= say."""

    state: Literal["online", "degraded"]
    reasons: tuple[str, ...]
    line: str


def judge_situation(
    devices: Sequence[DeviceState],
    constraints: Sequence[ConstraintState],
    *,
    broker_up: bool,
) -> Situation:
    """Return online where every device answers, degraded with the reasons where not."""
    down = [f"device {each.device}: {_why(each)}" for each in devices if not each.connected]
    return Situation(
        state="degraded" if down else "online",
        reasons=tuple(down),
        line=_line(devices, down, constraints, broker_up=broker_up),
    )


def _why(device: DeviceState) -> str:
    return f"{device.reason}, demoted" if device.demoted else device.reason


def _line(
    devices: Sequence[DeviceState], down: Sequence[str], constraints: Sequence[ConstraintState], *, broker_up: bool
) -> str:
    count = {verdict: sum(each.verdict is verdict for each in constraints) for verdict in Verdict}
    parts = [
        f"{len(devices) - len(down)} of {len(devices)} devices up",
        "broker up" if broker_up else "broker down",
        f"{count[Verdict.VIOLATED]} violated and {count[Verdict.UNKNOWN]} unknown of {len(constraints)} constraints",
    ]
    return "; ".join(parts)
