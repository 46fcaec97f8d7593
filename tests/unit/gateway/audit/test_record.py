import json
from dataclasses import FrozenInstanceError

import pytest

from gateway.audit.canonical import canonical
from gateway.audit.record import KINDS, Acknowledgement, Frame, Intent, Outcome, ReadBack, Saw, Stop


def test_a_record_says_what_applies_and_nothing_else() -> None:
    assert Stop().plain() == {"kind": "stop", "principal": "gateway"}
    assert Acknowledgement(principal="op", alarm="high", reason="seen").plain() == {
        "kind": "acknowledgement", "principal": "op", "alarm": "high", "reason": "seen",
    }  # fmt: skip


def test_what_the_gate_saw_the_frames_and_the_read_back_are_written_with_their_names() -> None:
    record = Outcome(
        command="c1",
        outcome="applied",
        tags=("boiler.fan",),
        saw={"boiler.level": Saw(float("nan"), "bad", 0.25, "nan")},
        frames=[Frame("boiler", "boiler.fan", 2**63, "permit-1", 12.5)],
        read_back={"boiler.fan": ReadBack(3.0, 3.0, "applied")},
    )
    written = json.loads(canonical(record.plain()))
    assert written["saw"] == {"boiler.level": {"value": "nan", "quality": "bad", "age": 0.25, "reason": "nan"}}
    assert written["frames"] == [
        {"device": "boiler", "tag": "boiler.fan", "raw": "9223372036854775808", "permit": "permit-1", "sent": 12.5}
    ]
    assert written["read_back"] == {"boiler.fan": {"requested": 3, "read": 3, "outcome": "applied"}}
    assert "violations" not in written


def test_an_empty_mapping_is_kept_for_it_says_that_nothing_was_seen() -> None:
    intent = Intent(principal="op", command="c", verb="write", request={}, saw={}, verdict="unknown", epoch=0)
    assert intent.plain()["saw"] == {}
    assert intent.plain()["epoch"] == 0


def test_every_kind_has_a_word_of_its_own_and_is_frozen() -> None:
    assert len({kind.kind for kind in KINDS}) == len(KINDS)
    assert "journal" not in {kind.kind for kind in KINDS}
    with pytest.raises(FrozenInstanceError):
        Stop().reason = "x"  # type: ignore[misc]
