"""Which units are heard on a link, and whether the link itself still lives. Pure."""

from drivers.modbus.frame import Frame
from drivers.modbus.request import is_from_unit

SILENT_REQUESTS = 3
"""Requests in a row without one byte from the device, after which the link is taken for half-open."""
NEVER = float("-inf")


class Liveness:
    """What the silence on one link means."""

    def __init__(self) -> None:
        self.unanswered = 0
        """Requests in a row without one byte."""
        self._heard: dict[int, float] = {}
        self._living: set[int] = set()
        """Units that have answered on this link."""
        self._silent: set[int] = set()
        """Units that were asked in vain since the last byte came."""

    @property
    def has_heard(self) -> bool:
        """Whether any unit ever sent a frame."""
        return bool(self._heard)

    def heard(self, unit: int) -> float:
        """Return when the last frame came from that unit, whatever it was; NEVER if none did."""
        return self._heard.get(unit, NEVER)

    def note_bytes(self) -> None:
        """The link brought something."""
        self._silent.clear()
        self.unanswered = 0

    def note_frame(self, frame: Frame, now: float) -> None:
        """The link brought a frame, which may be the unit's own."""
        if is_from_unit(frame):
            self._heard[frame.unit] = now

    def note_answer(self, unit: int) -> None:
        """A unit answered what it was asked."""
        self._living.add(unit)

    def note_silence(self, unit: int) -> bool:
        """A unit was asked in vain; tell whether the link seems to be dead.

        A dead unit behind a living gateway is silent alone; a dead link silences those that have answered.
        """
        self._silent.add(unit)
        self.unanswered += 1
        return self.unanswered >= SILENT_REQUESTS and self._living <= self._silent
