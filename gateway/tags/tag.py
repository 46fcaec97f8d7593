"""What a tag is: a named value of one device, and how the gateway treats it."""

from dataclasses import dataclass

from drivers.values import Seconds


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
    description: str = ""

    def __post_init__(self) -> None:
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"range: low {self.range[0]:g} is not below high {self.range[1]:g}")
        if not self.deadband >= 0:
            raise ValueError(f"deadband: {self.deadband:g} is negative")
        if self.scale == 0:
            raise ValueError("scale: 0 would lose the value; leave it out for no scaling")


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
