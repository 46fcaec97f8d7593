"""The hash chain: hash n is SHA-256 of hash n-1 and record n. Pure.

So no record can be changed, removed or put elsewhere without every later hash being another. What a chain cannot
show by itself is a tail that was cut off: for that, its head is known elsewhere.
"""

import hashlib
import json

from gateway.audit.canonical import canonical
from gateway.storage.port import Chained, Head, Record


class HashChain:
    """The chain of the audit log; see `gateway.storage.port.Chain`."""

    def link(self, head: Head, record: Record) -> Chained:
        """Return the record as the next after `head`. Raises ValueError for what cannot be recorded."""
        sequence = head.sequence + 1
        body = canonical({**record, "sequence": sequence})
        return Chained(sequence, link_hash(head.hash, body), body)

    def follows(self, head: Head, chained: Chained) -> bool:
        """Tell whether a record is the one that was chained after `head`, to the byte."""
        return (
            chained.sequence == head.sequence + 1
            and chained.hash == link_hash(head.hash, chained.body)
            and stated_sequence(chained.body) == chained.sequence
        )


def link_hash(previous: bytes, body: bytes) -> bytes:
    """Return the hash of a record, given as its canonical text, after the record with the hash `previous`."""
    return hashlib.sha256(previous + body).digest()


def stated_sequence(body: bytes) -> int | None:
    """Return the sequence that a record gives itself; None where it is no record."""
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        return None
    sequence = record.get("sequence") if isinstance(record, dict) else None
    return sequence if isinstance(sequence, int) and not isinstance(sequence, bool) else None


def head_text(head: Head) -> str:
    """Return a head as `SEQUENCE:HASH`."""
    return f"{head.sequence}:{head.hash.hex()}"


def parse_head(text: str) -> Head:
    """Return the head that a text names. Raises ValueError."""
    number, colon, digest = text.partition(":")
    if not (colon and number.isascii() and number.isdigit() and len(number) < 20 and len(digest) == 64):
        raise ValueError(f"{text!r} is no head; it is SEQUENCE:HASH, a number and 64 hexadecimal digits")
    return Head(int(number), bytes.fromhex(digest))
