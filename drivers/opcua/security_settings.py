"""The `security` of an OPC UA device: how its connection is protected."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Policy: TypeAlias = Literal[
    "None", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss", "Basic128Rsa15", "Basic256"
]
"""By the names of OPC 10000-7, less their underscores."""

_BROKEN: dict[str, str] = {
    "Basic128Rsa15": "it signs with SHA-1, and its encryption can be opened by asking the server often enough",
    "Basic256": "it signs with SHA-1, which can be forged",
}
"""What the OPC Foundation has withdrawn, and why; named, so that whoever asks for it hears more than "unknown"."""


@dataclass(frozen=True, slots=True)
class OpcUaSecurity:
    """How a connection is protected. Nothing is trusted that is not named here, and nothing falls back to None."""

    policy: Policy = "None"
    """Basic128Rsa15 and Basic256 are broken, and refused."""
    mode: Literal["None", "Sign", "SignAndEncrypt"] = "None"
    certificate: Path | None = None
    """The gateway's own certificate, PEM or DER; its application URI is the one the gateway goes by.

    A PEM file may go on with the authorities above it; the server is sent them all.
    """
    private_key: Path | None = None
    """The key of `certificate`, PEM or DER, without a passphrase: let the file's rights guard it."""
    trust: Path | tuple[Path, ...] = ()
    """Certificates, PEM or DER, of the server itself (pinned) or of authorities up to their root that may vouch for it.

    Files, or directories: of these every .der, .pem, .crt and .cer.
    """
    revoked: Path | tuple[Path, ...] = ()
    """Revocation lists, PEM or DER: files, or directories: of these every .crl, .der and .pem.

    Where left out, no certificate is checked for it; where given, each authority that vouches needs a current list.
    """
    plain_password: bool = False
    """Allow a password to cross the wire where others can read it."""

    def __post_init__(self) -> None:
        if self.policy in _BROKEN:
            raise ValueError(
                f"policy: {self.policy} is broken: {_BROKEN[self.policy]}; "
                "set Basic256Sha256, Aes128Sha256RsaOaep or Aes256Sha256RsaPss"
            )
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
        """The files and directories of `trust`, however many."""
        return (self.trust,) if isinstance(self.trust, Path) else self.trust

    @property
    def revocation_lists(self) -> tuple[Path, ...]:
        """The files and directories of `revoked`, however many."""
        return (self.revoked,) if isinstance(self.revoked, Path) else self.revoked
