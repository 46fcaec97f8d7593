"""From what the parts say of themselves to what northbound shows; neither knows the other."""

from copy import deepcopy

from gateway.control.guard import ConstraintState
from gateway.endpoints.device import CONNECTING, Change, Device, DeviceState
from gateway.northbound.reports import ConstraintReport, DeviceReport, EventReport


def device_report(device: Device) -> DeviceReport:
    """Return a device's connection, and the types and other facts that its driver told."""
    word, reason = _state(device.state)
    types = {
        tag.name: data_type
        for tag, data_type in zip(device.tags, device.data_types, strict=True)
        if data_type is not None
    }
    return DeviceReport(device.name, word, device.state.since, reason, types, deepcopy(dict(device.learned)))


def device_event(state: DeviceState, change: Change) -> EventReport:
    """Return what happened to a device."""
    details = {"device": state.device, "reason": state.reason} if state.reason else {"device": state.device}
    return EventReport("device", change, state.since, details)


def _state(state: DeviceState) -> tuple[str, str]:
    """Return a device's state in one word, and the reason where it has one."""
    if state.connected:
        return "connected", state.reason
    if state.reason == CONNECTING:
        return CONNECTING, ""
    return "demoted" if state.demoted else "disconnected", state.reason


def constraint_report(state: ConstraintState) -> ConstraintReport:
    """Return a constraint as clients see it."""
    return ConstraintReport(
        name=state.name,
        verdict=state.verdict,
        level=state.level,
        since=state.since,
        value=state.value,
        min=state.min,
        max=state.max,
        reason=state.reason,
        alarm=state.alarm,
        latched=state.latched,
        first_out=state.first_out,
        safe_state=state.safe_state,
        bypassed_until=state.bypassed_until,
    )
