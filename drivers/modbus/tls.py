"""TLS towards a device: its certificate is always verified, 1.2 is the oldest version (Modbus/TCP Security, 5)."""

import ssl
from pathlib import Path

from drivers.errors import LinkLost
from drivers.modbus.tls_settings import ModbusTls


def tls_context(settings: ModbusTls, device: str) -> ssl.SSLContext:
    """Read the PEM files anew, so that renewed certificates count. Raises LinkLost naming the file that is of no use.

    It reads files: not for the event loop. Device: its address, for messages.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it verifies, and the name too; and it trusts nobody yet
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    if settings.ca is not None:
        try:
            context.load_verify_locations(cafile=settings.ca)
        except (OSError, ValueError) as problem:
            raise _unusable(problem, device, "tls.ca", settings.ca) from problem
    if settings.certificate is not None and settings.private_key is not None:
        try:
            context.load_cert_chain(settings.certificate, settings.private_key, password=_no_password)
        except (OSError, ValueError) as problem:
            raise _unusable(problem, device, "tls.certificate", settings.certificate, settings.private_key) from problem
    return context


def _no_password() -> str:
    # Without this, OpenSSL would ask on the terminal and hang the daemon.
    raise ValueError("the private key is encrypted; give one without a passphrase, readable by the gateway alone")


def _unusable(problem: Exception, device: str, key: str, *files: Path) -> LinkLost:
    if isinstance(problem, ssl.SSLError):
        cause = f"no valid PEM, or certificate and key do not match ({problem.reason or problem})"
    else:
        cause = getattr(problem, "strerror", None) or str(problem)
    return LinkLost("certificate", f"{device}: {key}: cannot use {' and '.join(map(str, files))}: {cause}")
