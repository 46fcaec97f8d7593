"""Where a Modbus endpoint is: the `url` of a device."""

from urllib.parse import urlsplit

DEFAULT_PORT = 502
_LATER = ("tls", "rtu", "rtu+tcp")


def parse_url(url: str) -> tuple[str, int]:
    """Return host and port. Raises ValueError saying what would be right."""
    scheme, _, _ = url.partition("://")
    if scheme in _LATER:
        raise ValueError(f"url: {scheme}:// is not supported by this version; use tcp://HOST:PORT")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # as the resolver does, which would raise in the middle of connecting
    except UnicodeError:
        raise ValueError(f"url: {url!r} names no host that can be looked up; write tcp://HOST:PORT") from None
    except ValueError as error:
        raise ValueError(f"url: {url!r}: {error}; write tcp://HOST:PORT") from None
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme != "tcp" or not host or extra or port == 0:
        raise ValueError(f"url: {url!r} is no address of a Modbus device; write tcp://HOST:PORT")
    return host, port or DEFAULT_PORT
