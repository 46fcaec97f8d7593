"""What is engraved on a device, beside what it measures: names, numbers, exponents, and what it does not have."""

from collections.abc import Mapping

from simulators.spec import Plant, Signal


class Nameplate:
    """A plant whose signals have constant ones beside them."""

    def __init__(self, plant: Plant, constants: Mapping[str, Signal]) -> None:
        self._plant = plant
        self._constants = dict(constants)

    def step(self, dt: float) -> None:
        """Advance the plant."""
        self._plant.step(dt)

    def signals(self) -> Mapping[str, Signal]:
        """Return the plant's signals and the constants."""
        return {**self._plant.signals(), **self._constants}

    def set(self, name: str, value: Signal) -> None:
        """Move an input of the plant. Raises KeyError for an unknown name, as every constant is."""
        self._plant.set(name, value)
