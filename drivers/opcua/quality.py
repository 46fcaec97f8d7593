"""What a status code says of a value: how far it may be believed, and why not. Pure.

Severity is in the two top bits (OPC 10000-4, 7.39); what is neither good nor uncertain is bad.
"""

from drivers.values import Quality

_SEVERITIES = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.BAD)
_CODE = 0xFFFF0000
_DATA_VALUE_INFO = 0x0C00
OVERFLOW = "overflow"
"""The reason of a value before which others were lost."""
_OVERFLOW_BIT = 0x0480
"""InfoType DataValue with the overflow bit: values were lost between the last one reported and this one."""

_REASONS = {
    0x40000000: "uncertain",
    0x408F0000: "no_communication_last_value",
    0x40900000: "last_usable_value",
    0x40910000: "substitute_value",
    0x40920000: "initial_value",
    0x40930000: "sensor_not_accurate",
    0x40940000: "engineering_units_exceeded",
    0x40950000: "sub_normal",
    0x40A40000: "sub_normal",
    0x40DE0000: "dominant_value_changed",
    0x40E20000: "dependent_value_changed",
    0x42090000: "simulated_value",
    0x420A0000: "sensor_calibration",
    0x420F0000: "configuration_error",
    0x80000000: "bad",
    0x80010000: "unexpected_error",
    0x80020000: "internal_error",
    0x80030000: "out_of_memory",
    0x80040000: "resource_unavailable",
    0x80050000: "communication_error",
    0x800A0000: "timeout",
    0x800B0000: "service_unsupported",
    0x800C0000: "shutdown",
    0x800D0000: "server_not_connected",
    0x800E0000: "server_halted",
    0x80100000: "too_many_operations",
    0x801F0000: "access_denied",
    0x80310000: "no_communication",
    0x80320000: "waiting_for_initial_data",
    0x80330000: "node_invalid",
    0x80340000: "node_unknown",
    0x80350000: "no_value_attribute",
    0x80370000: "index_range_no_data",
    0x80380000: "data_encoding_invalid",
    0x803A0000: "not_readable",
    0x803C0000: "out_of_range",
    0x803D0000: "not_supported",
    0x803E0000: "not_found",
    0x803F0000: "object_deleted",
    0x80400000: "not_implemented",
    0x80740000: "type_mismatch",
    0x80890000: "configuration_error",
    0x808A0000: "not_connected",
    0x808B0000: "device_failure",
    0x808C0000: "sensor_failure",
    0x808D0000: "out_of_service",
    0x809B0000: "no_data",
    0x809D0000: "data_lost",
    0x809E0000: "data_unavailable",
    0x80AF0000: "invalid_state",
    0x80DB0000: "too_many_monitored_items",
    0x80E10000: "dominant_value_changed",
    0x80E30000: "dependent_value_changed",
    0x80E60000: "security_mode_insufficient",
    0x810E0000: "license_expired",
    0x81100000: "license_not_available",
}


def judge_status(status: int) -> tuple[Quality, str]:
    """Return the quality of a value with this status code, and the reason where it is not GOOD."""
    quality = _SEVERITIES[status >> 30 & 3]
    if quality is not Quality.GOOD:
        return quality, name_status(status)
    if status & (_DATA_VALUE_INFO | _OVERFLOW_BIT) == _OVERFLOW_BIT:
        return Quality.UNCERTAIN, OVERFLOW
    return Quality.GOOD, ""


def name_status(status: int) -> str:
    """Return one lower-case word for a status code; `status_80550000` for one that is not well known."""
    return _REASONS.get(status & _CODE) or f"status_{status & _CODE:08x}"
