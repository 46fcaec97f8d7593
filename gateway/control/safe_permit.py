"""Leave for one frame of a safe state: whatever else is forbidden, it may go, and nowhere but where it belongs."""

from collections.abc import Callable, Iterable

from gateway.clock import Clock
from gateway.endpoints.device import Device
from gateway.endpoints.fingerprint import MISMATCH, UNREAD
from gateway.safety.constraint import Setting, is_finite
from gateway.safety.gate import Gate
from gateway.safety.operation import Write
from gateway.safety.permit import PermitRefused
from gateway.tags.image import ProcessImage
from gateway.tags.tag import Tag


class SafePermit:
    """Implements `drivers.writing.WritePermit`; everything is looked at in the step that hands the frame over."""

    def __init__(
        self,
        tag: Tag,
        value: Setting,
        device: Device,
        gate: Gate,
        image: ProcessImage,
        clock: Clock,
        encode: Callable[[], object],
        names: Callable[[], Iterable[str]],
        left: Callable[[float, object], None],
    ) -> None:
        """Encode: returns the value as it goes over the wire by what is known of the device now; it may raise.

        Names: the constraints whose trip calls for the value. Left: told when the frame goes, and what it says.
        """
        self._tag = tag
        self._value = value
        self._device = device
        self._gate = gate
        self._image = image
        self._clock = clock
        self._encode = encode
        self._names = names
        self._left = left
        self.has_left = False

    def spend(self, device: str, tag: str, raw: object, generation: int) -> None:
        """Judge, mint and spend, once. Raises PermitRefused, or what keeps the value from the wire; nothing leaves."""
        if self.has_left:
            raise PermitRefused(f"{self._tag.path}: this frame has left already")
        now = self._clock.monotonic()
        self._check_device(now)
        check_range(self._tag, self._value)
        write, encoded = Write(self._tag.path, self._value), self._encode()
        minted = (self._gate.mint_safe_state(name, write, encoded, generation, now) for name in self._names())
        permit = next((each for each in minted if each is not None), None)
        if permit is None:
            raise PermitRefused(f"{write.tag}: no trip calls for it any more")
        permit.spend(device, tag, raw, generation)
        self.has_left = True
        self._left(now, raw)

    def _check_device(self, now: float) -> None:
        """Refuse a device that is not, or not yet, proved to be the configured one."""
        state, expected = self._device.state, self._device.settings.fingerprint
        if not expected:
            return
        barred = self._image.sample(self._tag, now).reason
        if not state.connected or barred in {MISMATCH, UNREAD}:
            raise PermitRefused(
                f"{self._tag.path}: its device has not shown its fingerprint ({state.reason or barred})"
            )


def check_range(tag: Tag, value: Setting) -> None:
    """Raise PermitRefused for a number that is not within the tag's range, and for no number where it has one."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = tag.settings.range or (value, value)
        if is_finite(value) and low <= value <= high:
            return
    elif tag.settings.range is None:
        return
    raise PermitRefused(f"{tag.path}: {value!r} is not within its range")
