"""What somebody wants to do to the plant, as the gate judges it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.safety.constraint import Setting


@dataclass(frozen=True, slots=True)
class Write:
    """One write that is wanted."""

    tag: str
    """`device.tag`."""
    value: Setting
    """In engineering units."""

    @property
    def device(self) -> str:
        """The device whose tag it is."""
        return self.tag.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Operation:
    """Everything of a command that a constraint may ask for."""

    principal: str
    writes: tuple[Write, ...]
    key: str = ""
    """What limiters know it by beside its devices, where it names one."""
    locks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """The locks that it holds, each with its fencing token."""
    is_reassert: bool = False
    """That it only says again what holds already: no limiter counts it, and no rest between writes applies."""
