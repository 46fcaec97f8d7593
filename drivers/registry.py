"""The drivers by name: one visible table, each loaded when a configuration asks for it.

A package of somebody else's joins through the entry-point group `plantgate.driver`, the value being a
module with a `DRIVER`.
"""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from drivers.base import Driver
from drivers.errors import DriverError

GROUP = "plantgate.driver"

BUILT_IN = {
    "memory": "drivers.memory",
    "modbus": "drivers.modbus",
    "opcua": "drivers.opcua",
}


def names() -> list[str]:
    """Return the name of every driver that can be asked for. Raises DriverError on a clash."""
    return sorted(_modules(_installed()))


def load(name: str) -> Driver:
    """Import the driver of that name. Raises DriverError: unknown, or its library is missing."""
    module_name = module_of(name)
    if module_name is None:
        raise DriverError(f"no driver is called {name!r}; there are {', '.join(names())}")
    try:
        driver = import_module(module_name).DRIVER
    except ImportError as error:
        raise DriverError(f"driver {name!r} cannot be loaded: {error}") from error
    if not isinstance(driver, Driver):
        raise DriverError(f"driver {name!r}: {module_name}.DRIVER is no drivers.base.Driver")
    return driver


def module_of(name: str) -> str | None:
    """Return the module of the driver of that name, None where there is none. Raises DriverError on a clash."""
    return _modules(_installed()).get(name)


@cache
def _installed() -> tuple[EntryPoint, ...]:
    """Return what other packages bring. Looking takes milliseconds, and nothing is installed while we run."""
    return tuple(entry_points(group=GROUP))


def _modules(found: Iterable[EntryPoint]) -> dict[str, str]:
    modules = dict(BUILT_IN)
    for entry in found:
        if entry.name in modules:
            raise DriverError(f"two drivers are called {entry.name!r}: {modules[entry.name]} and {entry.value}")
        modules[entry.name] = entry.value
    return modules
