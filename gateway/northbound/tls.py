"""TLS towards the broker: the certificate is always verified, 1.2 is the oldest version."""

import ssl

from gateway.errors import SettingsError
from gateway.northbound.settings import TlsSettings


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """Read the PEM files anew, so that renewed certificates count. Raises SettingsError naming the file's key."""
    try:
        context = ssl.create_default_context(cafile=settings.ca)
    except (OSError, ValueError) as problem:
        raise SettingsError(f"mqtt.tls.ca: cannot read {settings.ca}: {_cause(problem)}") from problem
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    if settings.certificate is not None:
        try:
            context.load_cert_chain(settings.certificate, settings.private_key, password=_no_password)
        except (OSError, ValueError) as problem:
            files = f"{settings.certificate} and {settings.private_key}"
            raise SettingsError(f"mqtt.tls.certificate: cannot use {files}: {_cause(problem)}") from problem
    return context


def _no_password() -> str:
    # Without this, OpenSSL would ask on the terminal and hang the daemon.
    raise ValueError("the private key is encrypted; give one without a passphrase, readable by the gateway alone")


def _cause(problem: Exception) -> str:
    if isinstance(problem, ssl.SSLError):
        return f"no valid PEM, or certificate and key do not match ({problem.reason or problem})"
    return getattr(problem, "strerror", None) or str(problem)
