"""What becomes of a block that a device refuses as a whole: where it is cut in two, and what a cut can prove.

Pure. A gap that was read for nothing is the first suspect: many devices answer no request that touches an
address they do not have. Then the points are halved, until the one that is refused stands alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

from drivers.modbus.register import RegisterRange


class Cut(NamedTuple):
    """A block in two parts."""

    first: tuple[RegisterRange, ...]
    """What the points of the part take; ascending, and never empty."""
    second: tuple[RegisterRange, ...]
    gap: RegisterRange | None
    """What lies between the parts and was read for nothing."""


def cut(spans: Sequence[RegisterRange]) -> Cut | None:
    """Return the parts of a block whose addresses are refused; None where it is but one span.

    Spans: what its points take, each once, by start and then the longest first. Of several gaps the middle
    one is cut, so that a part which is answered after all keeps its own.
    """
    gaps = [place for place in range(1, len(spans)) if spans[place].start > _end(spans[:place])]
    return _cut_at(spans, _nearest(gaps, len(spans) / 2)) if gaps else halve(spans)


def halve(spans: Sequence[RegisterRange]) -> Cut | None:
    """Return the parts of a block that is too long, as equal in length as can be; None where it is but one span."""
    if len(spans) < 2:
        return None
    middle = (spans[0].start + _end(spans)) / 2
    return _cut_at(spans, min(range(1, len(spans)), key=lambda place: abs(spans[place].start - middle)))


def order_of_asking(count: int) -> list[int]:
    """Return the places 0 to count-1 so that the first few of them are spread over all.

    Whoever looks for one span that is answered, among neighbours that are not, finds it sooner.
    """
    digits = max(count - 1, 0).bit_length()
    turned = (int(f"{place:0{digits}b}"[::-1], 2) if digits else place for place in range(1 << digits))
    return [place for place in turned if place < count]


def length(spans: Sequence[RegisterRange]) -> int:
    """Return how many addresses one request for all the spans asks for."""
    return _end(spans) - spans[0].start


def _cut_at(spans: Sequence[RegisterRange], place: int) -> Cut:
    end, start = _end(spans[:place]), spans[place].start
    gap = RegisterRange(spans[0].table, end, start) if start > end else None
    return Cut(tuple(spans[:place]), tuple(spans[place:]), gap)


def _end(spans: Sequence[RegisterRange]) -> int:
    return max(span.end for span in spans)


def _nearest(places: Sequence[int], middle: float) -> int:
    return min(places, key=lambda place: abs(place - middle))
