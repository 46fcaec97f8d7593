"""What a server says of one write: done, not done, or nothing that settles it. Pure.

Good alone is done: other codes that count as good say that the value was changed on the way, or is not there yet
(OPC 10000-4, 7.39). Of the bad ones those settle it that speak of the request, not of what happened on the way.
"""

from enum import Enum

from drivers.opcua.binary import (
    SHORT,
    BadEncoding,
    NumericId,
    read_count,
    read_node_id,
    skip_response_header,
    unpack_u32,
)

_SERVICE_FAULT: NumericId = (0, 397)
_WRITE_RESPONSE: NumericId = (0, 676)
_INFO_BITS = 0x0000FFFF
_BAD = 0x80000000
_GOOD = 0x00000000
_CLAMPED = 0x00300000


class Verdict(Enum):
    """What became of a write."""

    DONE = "done"
    NOT_DONE = "not done"
    UNKNOWN = "unknown"


REFUSALS = frozenset((
    "BadAttributeIdInvalid", "BadDataEncodingInvalid", "BadDataEncodingUnsupported", "BadDecodingError",
    "BadEncodingLimitsExceeded", "BadIdentityTokenRejected", "BadIndexRangeInvalid", "BadIndexRangeNoData",
    "BadInvalidArgument", "BadLocked", "BadNodeIdInvalid", "BadNodeIdUnknown", "BadNotFound", "BadNotImplemented",
    "BadNotSupported", "BadNotWritable", "BadNothingToDo", "BadOutOfRange", "BadRequestHeaderInvalid",
    "BadRequestTooLarge", "BadRequestTypeInvalid", "BadSecureChannelIdInvalid", "BadSecurityChecksFailed",
    "BadSecurityModeInsufficient", "BadServiceUnsupported", "BadSessionClosed", "BadSessionIdInvalid",
    "BadSessionNotActivated", "BadTooManyOperations", "BadTypeMismatch", "BadUserAccessDenied", "BadWriteNotSupported",
))  # fmt: skip
"""Status codes by which a server says that it did nothing, whether of the service or of the one node."""


def read_status(data: bytes) -> int:
    """Return the status of the one node that was written, or that of the service. Raises BadEncoding."""
    try:
        kind, at = read_node_id(data, 0)
        (service,) = unpack_u32(data, at + 12)
        if kind == _SERVICE_FAULT or (kind == _WRITE_RESPONSE and service & _BAD):
            return int(service) | _BAD
        if kind != _WRITE_RESPONSE:
            raise BadEncoding(f"the answer is of the type {kind}")
        count, at = read_count(data, skip_response_header(data, 0), 4)
        if count != 1:
            raise BadEncoding(f"{count} results came for one node")
        return int(unpack_u32(data, at)[0])
    except SHORT as error:
        raise BadEncoding("a write response is cut off") from error


def judge(status: int, name: str) -> Verdict:
    """Return what a status says. Name: that of the code, by the standard."""
    code = status & ~_INFO_BITS
    if code == _GOOD:
        return Verdict.DONE
    return Verdict.NOT_DONE if code == _CLAMPED or name in REFUSALS else Verdict.UNKNOWN
