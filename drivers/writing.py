"""The write half of a driver. Whoever holds no permit of the gate can do nothing with it.

Only `gateway.control`, `gateway.app` and the drivers' own `writing` modules import this file; a reader never needs it.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import count
from typing import Any, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from drivers.base import Change, Surroundings
from drivers.errors import DeviceFault, DriverError
from drivers.registry import load, module_of
from drivers.values import Sample, Value

Raw: TypeAlias = Any
"""A value as it goes over the wire: words, a bit, a variant. Compared by equality and type; it never changes."""


class WritePermit(Protocol):
    """Leave to send exactly one frame."""

    def spend(self, device: str, tag: str, raw: Raw, generation: int) -> None:
        """Use it up, in the step that hands the frame to the transport. Raises where it is not for this frame."""


class NotSent(DeviceFault):
    """No byte of the write has left, and none will."""


class Unanswered(DeviceFault):
    """The frame has left and no answer came that settles it: whether it took effect only a reading can tell."""


class OneFrame:
    """Spends a permit for one frame when it is called, which is right before the frame goes to the transport.

    From then on the frame may have taken effect, whatever becomes of its answer.
    """

    def __init__(self, permit: WritePermit, device: str, tag: str, raw: Raw, generation: int) -> None:
        self._permit = permit
        self._frame = (device, tag, raw, generation)
        self.has_left = False

    def __call__(self) -> None:
        """Raise what the permit raises; then nothing leaves."""
        self._permit.spend(*self._frame)
        self.has_left = True

    def outcome(self, kind: str, message: str) -> DeviceFault:
        """Return what a fault means for the write: unknown once the frame has left, not sent before."""
        return (Unanswered if self.has_left else NotSent)(kind, message)


class Writer(Protocol):
    """The write half of one device on one open connection. It never repeats a frame."""

    @property
    def generation(self) -> int:
        """Of the connection; another one after every reconnect."""

    async def prepare(self) -> None:
        """Ask the device what encoding has to know: nodes, types, exponents. Raises DeviceFault.

        Called before all else, and again where it raised. A point that cannot be written does not raise here,
        but in `encode`.
        """

    def encode(self, point: int, value: Value) -> Raw:
        """Return the value as it would go over the wire, in the device's own units.

        Raises ValueError, one line, where the point cannot hold it: wrong type, out of reach, not finite. Nothing
        is rounded but a float to the nearest that the point can hold.
        """

    def decode(self, point: int, raw: Raw) -> Sample:
        """Return what a device that took it would read back."""

    async def write(self, point: int, tag: str, raw: Raw, permit: WritePermit) -> None:
        """Spend the permit and send one frame, in one step without `await` between them.

        Returns where the device answered that it took exactly this. Raises NotSent, Unanswered, or DeviceFault
        where the device answered that it did not take it; of the kind `clamped` where it took another value instead.
        What the permit raises goes through, and no byte leaves. The caller never cancels it; the driver's own timeout
        ends it.
        """

    async def read_back(self, points: Sequence[int]) -> Sequence[Change]:
        """Ask the device itself, not a cache, for these points as they are now. Raises DeviceFault."""


WriterOf: TypeAlias = Callable[[str, Any, Any, Mapping[int, Any], "Surroundings | None"], Writer]
"""The device's name for permits, its open connection, its settings, its points by their places in the reader's
sequence, and what it is lent -> its writer. Points: those that may be written and those that are read back.

A driver that can write has it as `WRITER` in the module `writing` of its package.
"""

_generations = count(1)
_known: "WeakKeyDictionary[object, int]" = WeakKeyDictionary()


def generation_of(connection: object) -> int:
    """Return the number of a connection, which no other had before and none will have."""
    if connection not in _known:
        _known[connection] = next(_generations)
    return _known[connection]


def load_writer(name: str) -> WriterOf | None:
    """Return how the driver of that name writes, None where it only reads. Raises DriverError."""
    load(name)  # which says what is wrong with a name, or with the driver as a whole
    module = f"{module_of(name)}.writing"
    try:
        writer: WriterOf = import_module(module).WRITER
    except ModuleNotFoundError as error:
        if error.name == module:
            return None
        raise DriverError(f"driver {name!r} cannot write: {error}") from error
    return writer
