"""The `tls` of a Modbus device: whom to trust behind a `tls://` address, and who we are."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ModbusTls:
    """Nothing is trusted that is not named here: not the machine's own authorities either."""

    ca: Path | None = None
    """PEM: the authorities that may vouch for the device, or its own certificate."""
    certificate: Path | None = None
    """PEM: the gateway's own certificate, and those between it and its authority. Modbus/TCP Security demands one."""
    private_key: Path | None = None
    """PEM: the key of `certificate`, without a passphrase: let the file's rights guard it."""
    server_name: str | None = None
    """What the device's certificate is made out to, where that is not the host of the URL."""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.private_key is None):
            missing = "certificate" if self.certificate is None else "private_key"
            raise ValueError(f"{missing}: missing; certificate and private_key belong together")
        if self.server_name == "":
            raise ValueError("server_name: is empty; leave it out where the certificate names the host of the URL")

    @property
    def identity(self) -> str:
        """The same for devices that may share a connection."""
        said = {"trusting": self.ca, "as": self.certificate, "to": self.server_name}
        return ", ".join(f"{word} {value}" for word, value in said.items() if value is not None)
