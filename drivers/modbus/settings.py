"""The keys of a Modbus device that are this driver's own."""

from dataclasses import dataclass, field

from drivers.modbus.pace import Pace
from drivers.modbus.profile import ModbusProfile, check_within
from drivers.modbus.tls_settings import ModbusTls
from drivers.modbus.url import Address, NetworkAddress, parse_url
from drivers.values import Seconds

TIMEOUT = Seconds(1.0)
"""How long one request may take where nothing else is said."""


@dataclass(frozen=True, slots=True)
class ModbusDevice:
    """One unit behind a Modbus endpoint."""

    url: str
    """`tcp://HOST[:502]`, `tls://HOST[:802]`, `rtu+tcp://HOST:PORT` for a serial server, or a serial port:

    `rtu:///dev/ttyUSB0?baudrate=19200&parity=E&stopbits=1`, which are the settings of a line where none are given.
    """
    unit: int = 1
    """0 to 255, on a serial line from 1. Units at one URL share its connection."""
    timeout: Seconds | None = None
    """How long one request may take; 1 s where left out, and less where neighbours wait for the same wire.

    The time that the frames take on a serial line comes on top.
    """
    quiet: Seconds | None = None
    """Silence on the wire before each request, up to 1s; as the standard has it for the baud rate where left out."""
    delay: Seconds = Seconds(0.0)
    """A longer silence before each request to this unit, up to 60s: for converters that turn round slowly."""
    tls: ModbusTls = field(default_factory=ModbusTls)
    """For `tls://`: whom to trust, and who we are."""
    profile: ModbusProfile = field(default_factory=ModbusProfile)

    def __post_init__(self) -> None:
        address = self.address
        check_within("unit", self.unit, 0, 255)
        if address.is_rtu and self.unit == 0:
            raise ValueError("unit: 0 is everyone on a serial line, and nobody answers; 1 to 247")
        if self.timeout is not None and not 0.01 <= self.timeout <= 60:
            raise ValueError(f"timeout: {self.timeout:g} s is not within 10ms and 60s")
        if self.quiet is not None and not 0 <= self.quiet <= 1:
            raise ValueError(f"quiet: {self.quiet:g} s is not within 0s and 1s")
        if not 0 <= self.delay <= 60:
            raise ValueError(f"delay: {self.delay:g} s is not within 0s and 60s")
        self._check_tls(address)

    def answer_within(self, patience: Seconds | None) -> Seconds:
        """Return how long to wait for an answer, where the neighbours on the wire have that patience."""
        if self.timeout is not None:
            return self.timeout
        return TIMEOUT if patience is None else min(TIMEOUT, patience)

    @property
    def address(self) -> Address:
        """Where to connect to, and how."""
        return parse_url(self.url)

    @property
    def endpoint(self) -> str:
        """The same for every spelling of one address with one set of settings, so that its devices find each other."""
        return f"{self.address} ({self.tls.identity})" if self.is_encrypted else str(self.address)

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return isinstance(address := self.address, NetworkAddress) and address.scheme == "tls"

    @property
    def pace(self) -> Pace:
        """How long this unit wants to be left in peace."""
        quiet = self.address.quiet if self.quiet is None else self.quiet
        late = TIMEOUT if self.timeout is None else self.timeout
        return Pace(self.profile.pause_after_connect, self.profile.pause, max(quiet, self.delay), late)

    def _check_tls(self, address: Address) -> None:
        if self.is_encrypted and self.tls.ca is None:
            raise ValueError("tls: name the authority of the device's certificate, ca: FILE; nothing is trusted unsaid")
        if not self.is_encrypted and self.tls != ModbusTls():
            raise ValueError(f"tls: {address} is not encrypted; write tls://HOST:PORT as the url, or leave tls out")
