"""The smallest plant: meters of one register each, for what the boiler house is too much."""

from typing import Any

from tests.scenarios.deadlines import BROKER_PAUSE, DEVICE_PAUSE, MAX_AGE, PERIOD, SCAN, TIMEOUT

GATEWAY = "small"
LIMIT = 30_000


def meter(url: str, **keys: Any) -> dict[str, Any]:
    """Return a device with the tags `reading` and `second`, in registers 0 and 1."""
    return {
        "driver": "modbus",
        "url": url,
        "scan": f"{SCAN}s",
        "timeout": f"{TIMEOUT}s",
        "max_age": f"{MAX_AGE}s",
        "reconnect_max": f"{DEVICE_PAUSE}s",
        "tags": {"reading": {"address": "holding:0", "unit": "kW"}, "second": {"address": "holding:1"}},
        **keys,
    }


def configuration(mqtt: str, devices: dict[str, Any], **mqtt_keys: Any) -> dict[str, Any]:
    """Return a gateway's configuration, with a limit on the reading of the first device."""
    limit = {
        "name": "limit",
        "kind": "threshold",
        "tag": f"{next(iter(devices))}.reading",
        "max": LIMIT,
        "level": "high",
    }
    return {
        "gateway": {"id": GATEWAY},
        "time": {"require_sync": False},
        "mqtt": {"url": mqtt, "reconnect_max": f"{BROKER_PAUSE}s", **mqtt_keys},
        "devices": devices,
        "safety": {"period": f"{PERIOD}s", "constraints": [limit]},
    }
