"""What can be asked of a running simulator: move an input, break or repair an instrument, stop a PLC, look."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from math import isfinite
from typing import Any

from simulators.boiler_house_plcs import BoilerHousePlcs
from simulators.errors import SimulatorError
from simulators.faults import Fault, FaultKind, Reading
from simulators.instruments import Instruments


class Console:
    """Carries out requests, one at a time. Each is a JSON object with one key, the verb.

    {"set": {"boiler.overfire": true}}
    {"fault": {"boiler.steam_temperature": "nan", "turbine.speed": {"offset": 700}}}
    {"clear": ["turbine.speed"]}      {"clear": "all"}
    {"freeze": ["boiler"]}            {"thaw": ["boiler"]}
    {"query": ["turbine.speed"]}      {"query": "all"}
    """

    def __init__(self, plcs: BoilerHousePlcs, further: Mapping[str, Instruments] | None = None) -> None:
        """Further: instruments beside those of the boiler house, by their device's name."""
        self._plcs = plcs
        self._devices = {**plcs.devices, **(further or {})}
        self._verbs: Mapping[str, Callable[[Any], dict[str, Any]]] = {
            "set": self._set,
            "fault": self._fault,
            "clear": self._clear,
            "freeze": lambda names: self._stand(names, still=True),
            "thaw": lambda names: self._stand(names, still=False),
            "query": self._query,
        }

    def execute(self, line: bytes) -> dict[str, Any]:
        """Return the reply: `ok` and what was asked for, or `error` in one line. What came before an error stands."""
        try:
            verb, what = _parse_request(line, self._verbs)
            return {"ok": True, **self._verbs[verb](what)}
        except (SimulatorError, ValueError, RecursionError) as error:
            return {"ok": False, "error": str(error)}

    def _set(self, values: Any) -> dict[str, Any]:  # noqa: ANN401  (whatever the JSON held)
        for name, value in _mapping(values).items():
            if name not in self._plcs.house.inputs:
                raise SimulatorError(f"no input is called {name}; there are {', '.join(self._plcs.house.inputs)}")
            self._plcs.house.set(name, value)
        return {}

    def _fault(self, faults: Any) -> dict[str, Any]:  # noqa: ANN401  (whatever the JSON held)
        for name, fault in _mapping(faults).items():
            instruments, point = self._find(name)
            instruments.inject(point, _parse_fault(fault))
        return {}

    def _clear(self, names: Any) -> dict[str, Any]:  # noqa: ANN401  (whatever the JSON held)
        for name in self._points() if names == "all" else _names(names):
            instruments, point = self._find(name)
            instruments.clear(point)
        return {}

    def _stand(self, names: Any, *, still: bool) -> dict[str, Any]:  # noqa: ANN401  (whatever the JSON held)
        for name in self._devices if names == "all" else _names(names):
            if name not in self._devices:
                raise SimulatorError(f"no device is called {name}; there are {', '.join(self._devices)}")
            self._devices[name].frozen = still
        return {}

    def _query(self, names: Any) -> dict[str, Any]:  # noqa: ANN401  (whatever the JSON held)
        wanted = self._points() if names == "all" else _names(names)
        found = {name: self._find(name) for name in wanted}
        answer: dict[str, Any] = {name: _shown(at.readings[point]) for name, (at, point) in found.items()}
        if names != "all":
            return {"points": answer}
        unit = self._plcs.modbus.units[0]
        return {
            "points": answer,
            "signals": {name: _plain(value) for name, value in self._plcs.house.signals().items()},
            "faults": {
                f"{device}.{point}": fault.kind.value
                for device, instruments in self._devices.items()
                for point, fault in instruments.faults.items()
            },
            "frozen": [name for name, instruments in self._devices.items() if instruments.frozen],
            "requests": {
                "modbus_reads": unit.reads,
                "modbus_writes": unit.writes,
                "opcua_writes": self._plcs.opcua.writes,
            },
        }

    def _points(self) -> list[str]:
        return [f"{device}.{point}" for device, at in self._devices.items() for point in at.readings]

    def _find(self, name: str) -> tuple[Instruments, str]:
        device, _, point = name.partition(".")
        instruments = self._devices.get(device)
        if instruments is None or point not in instruments.readings:
            raise SimulatorError(f'no point is called {name}; query "all" lists them')
        return instruments, point


def _parse_request(line: bytes, verbs: Collection[str]) -> tuple[str, Any]:
    request = json.loads(line)
    if not isinstance(request, dict) or len(request) != 1 or not request.keys() <= set(verbs):
        raise SimulatorError(f'say one of {", ".join(verbs)}, as {{"set": {{...}}}}')
    ((verb, what),) = request.items()
    return verb, what


def _mapping(what: object) -> dict[str, Any]:
    if not isinstance(what, dict):
        raise SimulatorError("give an object of names and values")
    return what


def _names(what: object) -> Iterable[str]:
    if not isinstance(what, list) or not all(isinstance(name, str) for name in what):
        raise SimulatorError('give a list of names, or "all"')
    return what


def _parse_fault(what: object) -> Fault:
    match what:
        case {"offset": int() | float() as amount} if isfinite(amount) and not isinstance(amount, bool):
            return Fault(FaultKind.OFFSET, amount)
        case "stuck" | "nan" | "bad":
            return Fault(FaultKind(what))
        case _:
            raise SimulatorError('a fault is "stuck", "nan", "bad" or {"offset": NUMBER}')


def _shown(reading: Reading) -> dict[str, Any]:
    return {"value": _plain(reading.value), "good": reading.good}


def _plain(value: object) -> object:
    # JSON has no NaN.
    return None if isinstance(value, float) and not isfinite(value) else value
