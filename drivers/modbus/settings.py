"""The keys of a Modbus device that are this driver's own."""

from dataclasses import dataclass, field

from drivers.modbus.profile import ModbusProfile, check_within
from drivers.modbus.url import parse_url
from drivers.values import Seconds

TIMEOUT = Seconds(1.0)
"""How long one request may take where nothing else is said."""


@dataclass(frozen=True, slots=True)
class ModbusDevice:
    """One unit behind a Modbus TCP endpoint."""

    url: str
    """`tcp://HOST[:PORT]`, port 502 where none is given."""
    unit: int = 1
    """0 to 255. Units at one URL share its connection."""
    timeout: Seconds | None = None
    """How long one request may take; 1 s where left out, and less where neighbours wait for the same wire."""
    profile: ModbusProfile = field(default_factory=ModbusProfile)

    def __post_init__(self) -> None:
        _ = self.address
        check_within("unit", self.unit, 0, 255)
        if self.timeout is not None and not 0.01 <= self.timeout <= 60:
            raise ValueError(f"timeout: {self.timeout:g} s is not within 10ms and 60s")

    def answer_within(self, patience: Seconds | None) -> Seconds:
        """Return how long to wait for an answer, where the neighbours on the wire have that patience."""
        if self.timeout is not None:
            return self.timeout
        return TIMEOUT if patience is None else min(TIMEOUT, patience)

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port to connect to."""
        return parse_url(self.url)

    @property
    def endpoint(self) -> str:
        """The same for every spelling of one address, so that its devices find each other."""
        host, port = self.address
        return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"
