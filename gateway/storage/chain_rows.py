"""The rows of the chain, checked one against the other as they are read."""

import sqlite3
from collections.abc import Iterator

from gateway.storage.port import Chain, Chained, Head
from gateway.storage.schema import Corrupt


def read_chain(connection: sqlite3.Connection, chain: Chain, after: Head) -> Iterator[Chained]:
    """Yield the records after a head, in order. Raises Corrupt at the first that does not follow."""
    rows = connection.execute(
        "SELECT sequence, hash, body FROM record WHERE sequence > ? ORDER BY sequence", (after.sequence,)
    )
    for sequence, own, body in rows:
        if not (isinstance(own, bytes) and isinstance(body, bytes)):
            raise Corrupt(f"record {sequence} is damaged")
        chained = Chained(sequence, own, body)
        if not chain.follows(after, chained):
            raise Corrupt(f"record {sequence} does not follow {after.sequence}")
        after = chained.head
        yield chained
