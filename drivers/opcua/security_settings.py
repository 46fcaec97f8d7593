"""The `security` of an OPC UA device: how its connection is protected."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class OpcUaSecurity:
    """How a connection is protected. Nothing is trusted that is not named here, and nothing falls back to None."""

    policy: Literal["None", "Basic256Sha256"] = "None"
    mode: Literal["None", "Sign", "SignAndEncrypt"] = "None"
    certificate: Path | None = None
    """The gateway's own certificate, PEM or DER; its application URI is the one the gateway goes by."""
    private_key: Path | None = None
    """The key of `certificate`, PEM or DER, without a passphrase: let the file's rights guard it."""
    trust: Path | tuple[Path, ...] = ()
    """Certificates, PEM or DER, of the server itself (pinned) or of authorities that may vouch for it."""
    plain_password: bool = False
    """Allow a password to cross the wire where others can read it."""

    def __post_init__(self) -> None:
        if self.policy == "None":
            if self.mode != "None":
                raise ValueError(f"mode: {self.mode} needs a policy; set policy: Basic256Sha256")
            return
        if self.mode == "None":
            raise ValueError(f"mode: policy {self.policy} needs Sign or SignAndEncrypt")
        if self.certificate is None or self.private_key is None:
            raise ValueError(f"certificate: policy {self.policy} needs the gateway's certificate and private_key")
        if not self.trusted:
            raise ValueError("trust: name the server's certificate or its authority; nothing is trusted by default")

    @property
    def trusted(self) -> tuple[Path, ...]:
        """The files of `trust`, however many."""
        return (self.trust,) if isinstance(self.trust, Path) else self.trust
