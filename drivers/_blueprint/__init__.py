"""A driver to copy: the smallest complete one, for a made-up line protocol over TCP.

Copy this folder to `drivers/NAME/`, put NAME into `drivers/registry.py`, and add a bench for it in
`tests/contract/`. The protocol: the client sends `READ a b c`, the device answers `OK 1.5 -7 ?`, one word
an item in the same order, `?` where it knows no such item.
"""

from drivers._blueprint.reader import BlueprintConnection
from drivers._blueprint.settings import BlueprintDevice, BlueprintPoint
from drivers.base import Driver

DRIVER = Driver(
    device=BlueprintDevice,
    point=BlueprintPoint,
    endpoint=lambda device: f"{device.host}:{device.port}",
    connect=BlueprintConnection,
)
