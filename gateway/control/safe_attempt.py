"""One attempt to bring an output to its safe value: a frame of its own permit, and what the device reads after it."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from drivers.errors import DeviceFault, LinkLost
from drivers.values import Quality, Sample, Value
from drivers.writing import NotSent, Raw, Unanswered
from gateway.clock import Clock
from gateway.control.outlet import Outlet
from gateway.control.readback import is_equal, tolerance_of
from gateway.control.safe_permit import SafePermit, check_range
from gateway.endpoints.fair_queue import Priority
from gateway.safety.constraint import Setting
from gateway.safety.gate import Gate
from gateway.safety.permit import PermitRefused
from gateway.tags.image import ProcessImage
from gateway.tags.tag import NONE, Tag


@dataclass(slots=True)
class Attempt:
    """What came of it."""

    is_there: bool = False
    """The device has the value: it reads so, or has said so where it cannot be read."""
    is_denied: bool = False
    """The device has said no, or never can have the value."""
    is_silent: bool = False
    """A frame has left, and nothing at all came from the device."""
    event: str = ""
    """One word for the log on what was in the way, empty where nothing was."""
    why: str = ""


class Attempts:
    """Makes attempts for one output."""

    def __init__(
        self,
        tag: Tag,
        value: Setting,
        outlet: Outlet,
        gate: Gate,
        image: ProcessImage,
        clock: Clock,
        names: Callable[[], Iterable[str]],
        left: Callable[[float, object], None],
    ) -> None:
        """Names, left: as of SafePermit."""
        self._tag = tag
        self._value = value
        self._outlet = outlet
        self._gate = gate
        self._image = image
        self._clock = clock
        self._names = names
        self._left = left
        self.read_back: Value = None
        """What the device read last, in engineering units."""

    def make(self) -> Coroutine[Any, Any, Attempt]:
        """Write once and read back. The frame is queued in this very step; what is returned has to be awaited."""
        device = self._outlet.device
        permit = SafePermit(
            self._tag,
            self._value,
            device,
            self._gate,
            self._image,
            self._clock,
            self._encode,
            self._names,
            self._left,
        )
        try:
            sending = self._outlet.write(self._tag, self._encode(), permit, Priority.SAFE_STATE)
        except Exception as error:  # noqa: BLE001  (it is told to whoever awaits)
            sending = _fail(error)
        return self._complete(sending, permit)

    async def _complete(self, sending: Awaitable[None], permit: SafePermit) -> Attempt:
        attempt = Attempt()
        try:
            await self._settle(sending, permit, attempt)
            if permit.has_left and self._tag.settings.readback != NONE:
                await self._read(attempt)
        except (NotSent, LinkLost, PermitRefused) as error:
            attempt.event, attempt.why = "safe_state_not_sent", str(error)
        except Exception as error:  # noqa: BLE001  (one output's trouble must not end its repetition)
            attempt.is_denied = True
            attempt.event, attempt.why = "safe_state_impossible", f"{type(error).__name__}: {error}"
        finally:
            self._outlet.release(self._tag)
        attempt.is_silent = attempt.is_silent and permit.has_left
        return attempt

    def rehearse(self) -> str:
        """Return why the value could not be written if it had to be now, empty where it could. Nothing is sent."""
        try:
            check_range(self._tag, self._value)
            self._encode()
        except NotSent:
            return ""  # there is no connection, so nobody can tell
        except Exception as error:  # noqa: BLE001  (as in make)
            return str(error) or type(error).__name__
        return ""

    def is_safe(self, sample: Sample) -> bool:
        """Return whether a sample has the safe value."""
        device = self._outlet.device
        data_type = device.data_types[device.tags.index(self._tag)]
        return is_equal(self._value, sample.value, tolerance_of(self._tag, data_type, self._value))

    def _encode(self) -> Raw:
        """Return the value for the wire. Raises ValueError for one that the device would hold as another."""
        raw = self._outlet.encode(self._tag, self._value)
        if not self.is_safe(self._outlet.decode(self._tag, raw)):
            raise ValueError(f"{self._tag.path}: the device cannot hold {self._value!r}")
        return raw

    async def _settle(self, sending: Awaitable[None], permit: SafePermit, attempt: Attempt) -> None:
        """Wait for the answer to the frame. Raises NotSent, LinkLost, and what a permit raises."""
        try:
            await sending
        except (NotSent, LinkLost):
            raise
        except Unanswered as fault:
            attempt.is_silent = True
            attempt.event, attempt.why = "safe_state_unanswered", str(fault)
        except DeviceFault as fault:
            attempt.is_denied = permit.has_left
            attempt.event, attempt.why = "safe_state_denied", str(fault)
        else:
            attempt.is_there = True

    async def _read(self, attempt: Attempt) -> None:
        """Ask the device itself. Whatever it said to the write, this decides."""
        attempt.is_there = False
        try:
            sample = await self._outlet.read_back(self._tag, Priority.SAFE_STATE)
        except DeviceFault as fault:
            attempt.event, attempt.why = "safe_state_unread", str(fault)
            return
        attempt.is_silent = False
        self.read_back = sample.value
        attempt.is_there = sample.quality is Quality.GOOD and self.is_safe(sample)


async def _fail(error: Exception) -> None:
    raise error
