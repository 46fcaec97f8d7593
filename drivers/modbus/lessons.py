"""What a device taught by refusing: kept in the notebook that outlives its connections.

Pure. The notebook holds plain values with the keys of the configuration, so that a person can paste them
under the device; what another hand has put there in any other shape counts for nothing.
"""

from collections.abc import Callable, Iterable, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

from drivers.modbus.profile import ModbusProfile
from drivers.modbus.read_plan import Limits
from drivers.modbus.register import RegisterRange, parse_range

MOST_HOLES = 64
"""Holes that are remembered; what is beyond them costs a refused request at every connection."""
MOST_MISSING = 256
"""Points that are remembered as missing; the same holds."""


class Lessons:
    """The notebook about one device, read and written as ranges on the wire."""

    def __init__(
        self, notebook: MutableMapping[str, Any], profile: ModbusProfile, count: Callable[[str], None]
    ) -> None:
        """Count: told `lesson_dropped` of each for which there is no room."""
        self._notebook = notebook
        self._profile = profile
        self._count = count

    @property
    def holes(self) -> list[RegisterRange]:
        """Addresses between points that spoil every request which touches them."""
        return self._ranges(self._learned.get("holes"))

    @property
    def missing(self) -> list[RegisterRange]:
        """What points take that the device does not have."""
        return self._ranges(self._notebook.get("missing"))

    def add_hole(self, hole: RegisterRange) -> None:
        self._write_profile("holes", self._added(self.holes, hole, MOST_HOLES))

    def add_missing(self, missing: Iterable[RegisterRange]) -> None:
        known = self.missing
        for each in missing:
            known = self._added(known, each, MOST_MISSING)
        self._write_missing(known)

    def remove_missing(self, found: Iterable[RegisterRange]) -> None:
        """Note that these are there after all."""
        gone = set(found)
        self._write_missing([each for each in self.missing if each not in gone])

    def shorten(self, longest: RegisterRange) -> None:
        """Note that of this table no request may be longer than that one."""
        key, taken = ("max_bits" if longest.table.holds_bits else "max_block"), longest.end - longest.start
        self._write_profile(key, min(taken, self._most(key) or taken))

    def limits(self, wanted: Sequence[RegisterRange]) -> Limits:
        """Return the profile's limits as far as experience narrows them; what is wanted is never ruled out."""
        limits = self._profile.limits
        spoilt = [hole for hole in (*self.holes, *self.missing) if not any(hole.overlaps(each) for each in wanted)]
        return replace(
            limits,
            holes=[*limits.holes, *spoilt],
            max_block=self._narrowed("max_block", limits.max_block, wanted),
            max_bits=self._narrowed("max_bits", limits.max_bits, wanted),
        )

    @property
    def _learned(self) -> dict[str, Any]:
        learned = self._notebook.get("profile")
        return learned if isinstance(learned, dict) else {}

    def _most(self, key: str) -> int | None:
        most = self._learned.get(key)
        return most if isinstance(most, int) and most >= 1 else None

    def _narrowed(self, key: str, configured: int, wanted: Sequence[RegisterRange]) -> int:
        of_bits = key == "max_bits"
        longest = max((each.end - each.start for each in wanted if each.table.holds_bits is of_bits), default=1)
        return min(configured, max(self._most(key) or configured, longest))

    def _ranges(self, written: object) -> list[RegisterRange]:
        ranges = []
        for text in written if isinstance(written, list) else ():
            try:
                ranges.append(self._profile.placed(parse_range(text)))
            except (ValueError, TypeError):
                continue
        return ranges

    def _added(self, known: list[RegisterRange], new: RegisterRange, most: int) -> list[RegisterRange]:
        if new in known:
            return known
        if len(known) >= most:
            self._count("lesson_dropped")
            return known
        return [*known, new]

    def _write_profile(self, key: str, value: int | list[RegisterRange]) -> None:
        plain = value if isinstance(value, int) else self._texts(value)
        self._notebook["profile"] = {**self._learned, key: plain}

    def _write_missing(self, ranges: list[RegisterRange]) -> None:
        self._notebook["missing"] = self._texts(ranges)
        if not ranges:
            del self._notebook["missing"]

    def _texts(self, ranges: list[RegisterRange]) -> list[str]:
        ordered = sorted(ranges, key=lambda each: (each.table.value, each.start, each.end))
        return [each.written(self._profile.base) for each in ordered]
