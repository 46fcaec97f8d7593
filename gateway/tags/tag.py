"""What a tag is: a named value of one device, and how the gateway treats it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TypeAlias

from drivers.values import Seconds
from gateway.tags.texts import check_texts

TagValue: TypeAlias = bool | int | float | str
"""What the configuration may have written to a tag, in engineering units."""
WORD_BITS = 64
"""No protocol here has wider integers."""
SAME, NONE = "same", "none"
"""Where a written value is read back: at the tag itself; nowhere."""


@dataclass(frozen=True, slots=True)
class TagSettings:
    """The keys of a tag that every driver shares."""

    unit: str = ""
    """Engineering unit, `degC`."""
    range: tuple[float, float] | None = None
    """Low and high in engineering units; a good value outside is UNCERTAIN(out_of_range)."""
    deadband: float = 0.0
    """The smallest change that is published, in engineering units. Safety sees every sample."""
    scale: float = 1.0
    """Engineering value = device value * scale + offset."""
    offset: float = 0.0
    writable: bool = False
    bit: int | None = None
    """The tag is one bit of the device's integer, true where it is set; bit 0 has the value 1."""
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What single values mean, `{0: stopped, 1: running}` or `{true: open}`; shown beside the value."""
    description: str = ""
    readback: str = SAME
    """Where a written value is read back: `same`, `none`, or another tag of the device, as `device.tag`."""
    readback_timeout: Seconds = Seconds(2.0)
    """So long after a write the value read back may still be another."""
    readback_tolerance: float | None = None
    """How far the value read back may be off, in engineering units. One count of a scaled integer where absent, one
    float32 step for a float."""
    always_allowed: tuple[TagValue, ...] = ()
    """Values that may be written while constraints are violated or unknown, limits are used up or all is halted."""
    relinquish: TagValue | None = None
    """What is written when nobody wishes a value any more; where absent, the last one stays."""
    keep_alive: Seconds | None = None
    """How often the value that holds is written again, for devices that fall back without it."""

    def __post_init__(self) -> None:
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"range: low {self.range[0]:g} is not below high {self.range[1]:g}")
        if not self.deadband >= 0:
            raise ValueError(f"deadband: {self.deadband:g} is negative")
        if self.scale == 0:
            raise ValueError("scale: 0 would lose the value; leave it out for no scaling")
        if self.bit is not None:
            self._check_bit(self.bit)
        check_texts(self.texts)
        self._check_writing()

    def _check_writing(self) -> None:
        for key, default in _OF_WRITING.items():
            if not self.writable and getattr(self, key) != default:
                raise ValueError(f"{key}: has no meaning without `writable: true`")
        if not 0.1 <= self.readback_timeout <= 600:
            raise ValueError(f"readback_timeout: {self.readback_timeout:g} s is not within 100ms and 10m")
        if self.readback_tolerance is not None and not self.readback_tolerance >= 0:
            raise ValueError(f"readback_tolerance: {self.readback_tolerance:g} is negative")
        if self.keep_alive is not None and not 0.1 <= self.keep_alive <= 3600:
            raise ValueError(f"keep_alive: {self.keep_alive:g} s is not within 100ms and 1h")
        if self.keep_alive is not None and self.readback == NONE:
            raise ValueError("keep_alive: the value is read before it is written again, and `readback` is none")
        for value in self.always_allowed:
            self._check_value("always_allowed", value)
        if self.relinquish is not None:
            self._check_value("relinquish", self.relinquish)

    def _check_value(self, key: str, value: TagValue) -> None:
        if self.range is None:
            return
        low, high = self.range
        if isinstance(value, (bool, str)):
            shown = str(value).lower() if isinstance(value, bool) else repr(value)
            raise ValueError(f"{key}: {shown} is no number, and the tag has a range")  # noqa: TRY004  (as pydantic takes it)
        if not low <= value <= high:
            raise ValueError(f"{key}: {value:g} is not within the range, {low:g} to {high:g}")

    def _check_bit(self, bit: int) -> None:
        if not 0 <= bit < WORD_BITS:
            raise ValueError(f"bit: {bit} is not within 0 and {WORD_BITS - 1}")
        if self.writable:
            raise ValueError("writable: a bit of a word is only read; a write would set the whole word")
        numeric = {
            "scale": self.scale != 1.0,
            "offset": self.offset != 0.0,
            "range": self.range is not None,
            "deadband": self.deadband != 0.0,
        }
        for key, given in numeric.items():
            if given:
                raise ValueError(f"{key}: a bit is true or false, so this has no meaning beside `bit`")


_OF_WRITING = {
    each.name: each.default
    for each in fields(TagSettings)
    if each.name.startswith("readback") or each.name in {"always_allowed", "relinquish", "keep_alive"}
}
"""The keys that only a writable tag has, with what they are where nothing is said."""


@dataclass(frozen=True, slots=True, eq=False)
class Tag:
    """A tag in the process image. Compared by identity: there is one object a tag."""

    index: int
    """Its place in the image, 0 to n-1 over all devices."""
    device: str
    name: str
    settings: TagSettings
    max_age: Seconds
    """Older than this since its source last answered, a sample is BAD(stale)."""

    @property
    def path(self) -> str:
        """`device.tag`, as the configuration names it."""
        return f"{self.device}.{self.name}"
