"""A frame as the record keeps it. Pure."""

from gateway.audit.record import Frame

_SINGLE = (bool, int, float, str, bytes)
MOST = 200
"""Characters of a value that only its driver understands."""


def frame_record(device: str, tag: str, raw: object, permit: str, sent: float) -> Frame:
    """Return a frame that left. Raw: as it was encoded; words and single values as they are, all else as text."""
    is_plain = isinstance(raw, _SINGLE) or (type(raw) is tuple and all(isinstance(each, _SINGLE) for each in raw))
    return Frame(device, tag, raw if is_plain else repr(raw)[:MOST], permit, round(sent, 6))
