"""What a tag is: a named value of one device, and how the gateway treats it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from drivers.values import Seconds
from gateway.tags.texts import check_texts

WORD_BITS = 64
"""No protocol here has wider integers."""


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
