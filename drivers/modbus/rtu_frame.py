"""Modbus RTU frames out of whatever a serial line brings.

Pure. Frames have neither a mark nor a number: where one begins is told by what is waited for and by its checksum.
The silence between frames cannot serve here, because adapters and the system hand over bytes in lumps.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, Protocol, TypeAlias

from drivers.modbus.frame import Frame

LONGEST = 256
"""Bytes of the longest frame (Modbus over Serial Line V1.02, 2.3)."""
_MOST_BYTES = 2 * LONGEST
"""What came before these is given up as noise: no answer can be hidden in it any more."""
_EXCEPTION = 0x80
_COUNTED = {1, 2, 3, 4}
"""Functions whose answers tell their length in the third byte."""
_EIGHT = {1, 2, 3, 4, 5, 6, 15, 16}
"""Functions that have frames of eight bytes: requests to read, and writes and their answers."""

Kind: TypeAlias = Literal["reply", "stray", "echo", "noise", "crc"]
Checksum: TypeAlias = Callable[[bytes], bytes]
"""Gives the two bytes that end a frame, in the order of the wire."""


class Sought(Protocol):
    """What is waited for."""

    @property
    def unit(self) -> int: ...

    @property
    def function(self) -> int: ...

    @property
    def size(self) -> int:
        """Bytes of values."""

    @property
    def frame(self) -> bytes:
        """The request as it went out."""


class Found(NamedTuple):
    """Something that the line brought."""

    kind: Kind
    """`crc` is noise that looks like the answer, with a checksum that is not right."""
    frame: Frame | None = None
    """Where a unit is certain to have sent it."""


class _Piece(NamedTuple):
    found: Found
    length: int


_WAIT = _Piece(Found("noise"), 0)
"""What may become something once more has arrived."""


class RtuStream:
    """Finds the answer to one request at a time, and accounts for all else that arrives."""

    def __init__(self, checksum: Checksum) -> None:
        self.echoes: bool | None = None
        """Whether the adapter sends back what is sent through it; None while that is not known."""
        self._checksum = checksum
        self._rest = b""
        self._sought: Sought | None = None
        self._echo = b""

    @property
    def unfinished(self) -> int:
        """How many bytes have arrived that are nothing yet."""
        return len(self._rest)

    def seek(self, sought: Sought) -> None:
        """Wait for the answer to this request from now on; what came before has been flushed."""
        self._sought = sought
        self._echo = sought.frame

    def flush(self) -> list[Found]:
        """Make of the rest what can be made of it; nothing is sought any more, and nothing left over."""
        found = self._cut(last=True)
        if self._rest:
            found.append(self._waste(self._rest))
        self._rest, self._sought, self._echo = b"", None, b""
        return found

    def feed(self, data: bytes) -> list[Found]:
        """Take in what arrived; return what it completes."""
        self._rest += data
        found = self._cut(last=False)
        if len(self._rest) > _MOST_BYTES:
            found.append(self._waste(self._rest[:-LONGEST]))
            self._rest = self._rest[-LONGEST:]
        return found

    def _cut(self, *, last: bool) -> list[Found]:
        """Last: nothing more will arrive, so that what is not complete never will be."""
        found: list[Found] = []
        raw, done, place = self._rest, 0, 0
        while place < len(raw):
            piece = self._look(raw, place)
            if piece is _WAIT and not last:
                break
            if piece is None or piece is _WAIT:
                place += 1
                continue
            if place > done:
                found.append(self._waste(raw[done:place]))
            found.append(piece.found)
            done = place = place + piece.length
            self._note(piece.found)
        self._rest = raw[done:]
        return found

    def _note(self, found: Found) -> None:
        if found.kind == "echo":
            self.echoes, self._echo = True, b""
        elif found.kind == "reply":
            if self._echo and self.echoes is None:
                self.echoes = False
            self._sought, self._echo = None, b""

    def _look(self, raw: bytes, place: int) -> _Piece | None:
        """Return what begins at that place: a piece, _WAIT, or None where it is noise so far."""
        return self._own_echo(raw, place) or self._answer(raw, place) or self._stray(raw, place)

    def _own_echo(self, raw: bytes, place: int) -> _Piece | None:
        echo = self._echo
        if not echo or (self.echoes is False and self._is_answer_to_itself()):
            return None
        if raw.startswith(echo, place):
            return _Piece(Found("echo"), len(echo))
        return _WAIT if echo.startswith(raw[place:]) else None

    def _is_answer_to_itself(self) -> bool:
        """Whether the echo could be the answer: a request for 17 to 24 bits may look like one that brings 3 bytes."""
        sought, echo = self._sought, self._echo
        return sought is not None and sought.size + 5 == len(echo) and echo[2] == sought.size

    def _answer(self, raw: bytes, place: int) -> _Piece | None:
        sought = self._sought
        if sought is None:
            return None
        values = bytes((sought.unit, sought.function, sought.size))
        refusal = bytes((sought.unit, sought.function | _EXCEPTION))
        for head, length in ((values, sought.size + 5), (refusal, 5)):
            if raw.startswith(head, place):
                if len(raw) < place + length:
                    return _WAIT
                if self._is_sound(raw, place, length):
                    return _Piece(Found("reply", _frame(raw, place, length)), length)
        ahead = raw[place : place + 3]
        return _WAIT if len(ahead) < 3 and (values.startswith(ahead) or refusal.startswith(ahead)) else None

    def _stray(self, raw: bytes, place: int) -> _Piece | None:
        for length, is_answer in _lengths(raw, place):
            if len(raw) >= place + length and self._is_sound(raw, place, length):
                return _Piece(Found("stray", _frame(raw, place, length) if is_answer else None), length)
        return None

    def _is_sound(self, raw: bytes, place: int, length: int) -> bool:
        end = place + length
        return self._checksum(raw[place : end - 2]) == raw[end - 2 : end]

    def _waste(self, raw: bytes) -> Found:
        sought = self._sought
        if sought is None:
            return Found("noise")
        values = bytes((sought.unit, sought.function, sought.size))
        refusal = bytes((sought.unit, sought.function | _EXCEPTION))
        return Found("crc" if values in raw or refusal in raw else "noise")


def _lengths(raw: bytes, place: int) -> Iterator[tuple[int, bool]]:
    """Give each length that a frame which begins there can have, and whether that is an answer for certain."""
    if len(raw) < place + 5:
        return
    function, count = raw[place + 1], raw[place + 2]
    if function & _EXCEPTION:
        yield 5, True
    if function in _COUNTED and count <= LONGEST - 5:
        yield 5 + count, True
    if function in _EIGHT:
        yield 8, False


def _frame(raw: bytes, place: int, length: int) -> Frame:
    return Frame(0, raw[place], raw[place + 1], raw[place + 2 : place + length - 2])
