import hashlib
import json
from typing import Any

import pytest

from gateway.audit.chain import HashChain, head_text, parse_head
from gateway.audit.verify import verify
from gateway.storage.port import GENESIS, Chained, Head

CHAIN = HashChain()


def chain_of(records: list[dict[str, Any]], head: Head = GENESIS) -> list[Chained]:
    chained: list[Chained] = []
    for record in records:
        chained.append(CHAIN.link(chained[-1].head if chained else head, record))
    return chained


TEN = chain_of([{"kind": "intent", "number": n} for n in range(10)])


def test_a_whole_chain_is_proved_up_to_its_head() -> None:
    verdict = verify(TEN)
    assert verdict.is_proved
    assert verdict.head == TEN[-1].head
    assert verify([]).head == GENESIS


def test_a_hash_is_sha_256_of_the_hash_before_and_the_text() -> None:
    assert TEN[0].body == b'{"kind":"intent","number":0,"sequence":1}'
    assert TEN[0].hash == hashlib.sha256(bytes(32) + TEN[0].body).digest()


@pytest.mark.parametrize("place", range(9))
def test_a_removed_record_is_named(place: int) -> None:
    verdict = verify(TEN[:place] + TEN[place + 1 :])
    assert verdict.problem is not None
    assert verdict.problem.sequence == place + 1
    assert verdict.problem.what == "it is missing"


def test_several_removed_records_are_named() -> None:
    verdict = verify(TEN[:3] + TEN[7:])
    assert verdict.problem is not None
    assert (verdict.problem.sequence, verdict.problem.what) == (4, "it is missing, and all up to 7")


@pytest.mark.parametrize("place", range(9))
def test_swapped_records_are_found_renumbered_or_not(place: int) -> None:
    swapped = [*TEN[:place], TEN[place + 1], TEN[place], *TEN[place + 2 :]]
    renumbered = [each._replace(sequence=number) for number, each in enumerate(swapped, 1)]
    for chain in (swapped, renumbered):
        problem = verify(chain).problem
        assert problem is not None
        assert problem.sequence == place + 1


def test_a_record_put_in_between_is_found_even_with_a_hash_of_its_own() -> None:
    false = CHAIN.link(TEN[3].head, {"kind": "intent", "number": 99})
    problem = verify([*TEN[:4], false, *TEN[5:]]).problem
    assert problem is not None
    assert problem.sequence == 6  # the false one is well made; what comes after it tells


def test_a_tail_cut_off_shows_only_against_a_head_known_elsewhere() -> None:
    assert verify(TEN[:7]).is_proved
    verdict = verify(TEN[:7], heads={"the log": TEN[8].head})
    assert verdict.problem is not None
    assert (verdict.problem.sequence, verdict.problem.what) == (8, "the tail is cut off: the log knows of record 9")


def test_a_chain_that_was_written_anew_shows_against_a_head_known_elsewhere() -> None:
    forged = chain_of([{"kind": "intent", "number": -n} for n in range(10)])
    assert verify(forged).is_proved
    problem = verify(forged, heads={"the log": TEN[4].head}).problem
    assert problem is not None
    assert problem.sequence == 5


def test_a_chain_that_begins_later_must_say_itself_that_the_rest_was_dropped() -> None:
    base = TEN[5].head
    told = {"kind": "journal", "event": "dropped", "first": 1, "last": 6, "hash": base.hash.hex()}
    rest = chain_of([{"kind": "intent"}, told], base)
    assert verify(rest, base).is_proved
    silent = chain_of([{"kind": "intent"}], base)
    problem = verify(silent, base).problem
    assert problem is not None
    assert problem.sequence == 7


def test_a_head_of_a_dropped_record_cannot_be_compared_and_is_not_called_proved() -> None:
    base = TEN[5].head
    told = {"kind": "journal", "event": "dropped", "first": 1, "last": 6, "hash": base.hash.hex()}
    rest = chain_of([told], base)
    verdict = verify(rest, base, {"paper": TEN[2].head})
    assert verdict.problem is None
    assert not verdict.is_proved
    assert verdict.unchecked == ("paper: record 3 was dropped; the chain begins at 7",)
    assert verify(rest, base, {"paper": base}).is_proved


def test_what_the_gateway_recorded_about_its_own_damage_is_shown() -> None:
    story = {"kind": "journal", "event": "recovered", "reason": "noise", "missing": [3, 5]}
    verdict = verify(chain_of([{"kind": "journal", "event": "created"}, story]))
    assert verdict.is_proved
    assert verdict.breaks == ("record 2: recovered: reason noise, missing [3, 5]",)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"sequence":"1"}', b'{"sequence":true}', b"\xff", b"[" * 100_000])
def test_what_is_no_record_is_a_problem_and_no_crash(body: bytes) -> None:
    digest = hashlib.sha256(bytes(32) + body).digest()
    problem = verify([Chained(1, digest, body)]).problem
    assert problem is not None
    assert problem.what == "it was changed"


def test_a_head_is_read_as_it_is_written() -> None:
    head = TEN[-1].head
    assert parse_head(head_text(head)) == head
    for text in ("", "5", "5:", f"x:{'0' * 64}", f"5:{'g' * 64}", f"-1:{'0' * 64}", f"5:{'0' * 63}"):
        with pytest.raises(ValueError, match=r".+"):
            parse_head(text)


def test_a_record_in_another_s_place_does_not_follow_even_with_a_hash_that_does() -> None:
    body = TEN[5].body
    forged = Chained(1, hashlib.sha256(bytes(32) + body).digest(), body)
    assert not CHAIN.follows(GENESIS, forged)
    assert not verify([forged]).is_proved
    assert CHAIN.follows(GENESIS, TEN[0])


def test_a_record_cannot_choose_its_own_sequence() -> None:
    assert json.loads(CHAIN.link(TEN[-1].head, {"kind": "x", "sequence": 3}).body)["sequence"] == 11
