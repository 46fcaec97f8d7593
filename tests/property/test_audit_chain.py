"""S5: every flipped byte, deletion, swap and truncation of an audit log is found, at the record where it is.

500 records by default; PLANTGATE_SOAK=20 makes it 10,000.
"""

import os
from functools import cache
from math import isfinite
from random import Random
from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.canonical import canonical
from gateway.audit.chain import HashChain
from gateway.audit.record import Intent, Saw
from gateway.audit.verify import Verifier, verify
from gateway.storage.port import GENESIS, Chained, Head

RECORDS = 500 * int(os.environ.get("PLANTGATE_SOAK", "1"))


@cache
def log() -> tuple[Chained, ...]:
    rng, chain, chained = Random(5), HashChain(), [HashChain().link(GENESIS, {"kind": "start"})]
    for number in range(RECORDS - 1):
        saw = {"boiler.pressure": Saw(rng.uniform(-1e3, 1e3), "good", rng.random())}
        intent = Intent(
            principal="operator-1", command=f"{number}", verb="write", request={"boiler.fan": rng.randrange(2**64)},
            saw=saw, verdict="ok", epoch=number,
        )  # fmt: skip
        chained.append(chain.link(chained[-1].head, intent.plain()))
    return tuple(chained)


def before(place: int) -> Head:
    return log()[place - 1].head if place else GENESIS


def is_found_at(place: int, *records: Chained) -> bool:
    """Tell whether a verifier that came as far as this record finds what comes instead of it."""
    verifier = Verifier(before(place), {})
    problem = next(filter(None, map(verifier.take, records)), None)
    return problem is not None and problem.sequence == place + 1


def test_every_byte_of_every_record_and_hash_flipped_in_some_way_is_found() -> None:
    rng = Random(6)
    flips = 0
    for place, record in enumerate(log()):
        for index in range(len(record.body)):
            body = bytearray(record.body)
            body[index] ^= rng.randrange(1, 256)
            flips += 1
            assert is_found_at(place, record._replace(body=bytes(body))), (place, index)
        for index in range(len(record.hash)):
            digest = bytearray(record.hash)
            digest[index] ^= rng.randrange(1, 256)
            assert is_found_at(place, record._replace(hash=bytes(digest))), (place, index)
    assert flips > 200 * RECORDS


def test_every_removed_record_and_every_swap_is_found() -> None:
    rng = Random(7)
    chain = log()
    for place in range(len(chain) - 1):
        assert is_found_at(place, chain[place + 1])
        other = rng.choice([*range(place), *range(place + 1, len(chain))])
        assert is_found_at(place, chain[other])
        assert is_found_at(place, chain[other]._replace(sequence=place + 1))
        assert is_found_at(place, Chained(place + 1, chain[place].hash, chain[other].body))


def test_every_truncation_is_found_by_a_head_known_elsewhere() -> None:
    chain = log()
    verifier = Verifier(GENESIS, {"the log": chain[-1].head})
    for record in chain:
        problem = verifier.end().problem
        assert problem is not None
        assert problem.sequence == record.sequence
        assert verifier.take(record) is None
    assert verifier.end().is_proved


def test_the_whole_log_is_proved_and_a_flip_found_from_its_beginning() -> None:
    rng = Random(8)
    chain = list(log())
    assert verify(chain, heads={"the log": chain[-1].head}).is_proved
    for _ in range(20):
        place = rng.randrange(len(chain))
        body = bytearray(chain[place].body)
        body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
        problem = verify([*chain[:place], chain[place]._replace(body=bytes(body)), *chain[place + 1 :]]).problem
        assert problem is not None
        assert problem.sequence == place + 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


records = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), json_values, max_size=6)


def spelled(value: Any) -> Any:
    """Return a value in what RFC 8785 has words for."""
    if isinstance(value, dict):
        return {key: spelled(each) for key, each in value.items()}
    if isinstance(value, list):
        return [spelled(each) for each in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return str(value) if type(value) is int and abs(value) >= 2**53 else value


@given(records)
def test_the_fast_way_writes_what_the_library_writes(record: dict[str, object]) -> None:
    assert canonical(record) == rfc8785.dumps(spelled(record))


@given(records)
def test_any_record_can_be_chained_and_has_one_text(record: dict[str, object]) -> None:
    chained = HashChain().link(GENESIS, record)
    assert chained.body == canonical({**dict(reversed(record.items())), "sequence": 1})
    assert HashChain().follows(GENESIS, chained)
