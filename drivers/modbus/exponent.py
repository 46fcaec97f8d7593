"""Values that another register scales, as SunSpec's scale factors do: raw * 10**n.

Pure. A value and its exponent out of one answer belong together; where the exponent comes with another
block, the newest that is known counts, and none is known once that block has failed.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Protocol

from drivers.base import Change
from drivers.values import Quality, Sample, bad

LOWEST, HIGHEST = -10, 10
SENTINEL = 0x8000
"""By which a device says that it has no such value."""

_NOT_KNOWN = bad("no_exponent")
_NO_EXPONENT = bad("bad_exponent")


class Decoder(Protocol):
    """From the bytes of a block to what changed in it."""

    def decode(self, raw: bytes) -> Sequence[Change]:
        """Return what changed since the last call."""


class ScaledDecoder:
    """A block in which some registers are exponents, or some values are scaled by one."""

    def __init__(
        self, inner: Decoder, exponents: frozenset[int], scaled: Mapping[int, int], known: MutableMapping[int, Sample]
    ) -> None:
        """Take the places of the block's own exponents, and of each scaled point its exponent's.

        Inner decodes exponents as int16 among the points. Known: what the device's exponents are, for all
        its blocks.
        """
        self._inner = inner
        self._exponents = exponents
        self._scaled = scaled
        self._known = known
        self._own: dict[int, Sample] = {}
        self._raw: dict[int, Sample] = {}
        self._told: dict[int, Sample] = {}
        self._used: list[Sample | None] = []

    def decode(self, raw: bytes) -> Sequence[Change]:
        """Return the points that are not as at the last call; at the first call all of them."""
        changes = self._inner.decode(raw)
        plain = [change for change in changes if not self._keep(*change)]
        self._known.update(self._own)  # a failure has made them unknown in the meantime
        used = [self._known.get(exponent) for exponent in self._scaled.values()]
        if not changes and used == self._used:
            return ()
        self._used = used
        return [*plain, *self._rescaled()]

    def _keep(self, point: int, sample: Sample) -> bool:
        if point in self._exponents:
            self._own[point] = sample
        elif point in self._scaled:
            self._raw[point] = sample
        else:
            return False
        return True

    def _rescaled(self) -> list[Change]:
        changes = []
        for point, exponent in self._scaled.items():
            sample = scale(self._raw[point], self._known.get(exponent))
            if sample != self._told.get(point):
                self._told[point] = sample
                changes.append((point, sample))
        return changes


def scale(raw: Sample, exponent: Sample | None) -> Sample:
    """Return raw * 10**exponent as a float; BAD where one of the two is, and where there is no exponent."""
    if raw.quality is Quality.BAD:
        return raw
    if exponent is None:
        return _NOT_KNOWN
    if exponent.quality is Quality.BAD:
        return exponent
    number, power = raw.value, exponent.value
    if not (isinstance(number, int) and isinstance(power, int) and LOWEST <= power <= HIGHEST):
        return _NO_EXPONENT
    # Divided, not multiplied by a tenth: 2304 of tenths is 230.4 then, and not one bit beside it.
    return Sample(float(number * 10**power) if power >= 0 else number / 10**-power)
