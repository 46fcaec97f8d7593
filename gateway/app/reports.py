"""From what the parts say of themselves to what northbound shows; neither knows the other."""

from gateway.control.guard import ConstraintState
from gateway.endpoints.device import Device
from gateway.northbound.reports import ConstraintReport, DeviceReport


def device_report(device: Device) -> DeviceReport:
    """Return a device's connection and the types that its driver told."""
    state = device.state
    word = "connected" if state.connected else "connecting" if state.reason == "connecting" else "disconnected"
    types = {
        tag.name: data_type
        for tag, data_type in zip(device.tags, device.data_types, strict=True)
        if data_type is not None
    }
    return DeviceReport(device.name, word, state.since, "" if word != "disconnected" else state.reason, types)


def constraint_report(state: ConstraintState) -> ConstraintReport:
    """Return a constraint's verdict and what it rests on."""
    return ConstraintReport(
        name=state.name,
        verdict=state.verdict,
        level=state.level,
        since=state.since,
        value=state.value,
        min=state.min,
        max=state.max,
        reason=state.reason,
    )
