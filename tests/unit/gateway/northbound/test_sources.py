"""A tag's source: what is worth publishing."""

import json

from hypothesis import given
from hypothesis import strategies as st

from drivers.values import Quality, Sample, Seconds, Value, bad
from gateway.northbound.names import Names
from gateway.northbound.sources import TagSource
from gateway.tags.tag import Tag, TagSettings


class Client:
    """What a client knows of one tag."""

    def __init__(self, deadband: float) -> None:
        tag = Tag(0, "boiler", "t", TagSettings(deadband=deadband), Seconds(2))
        self.source = TagSource(tag, Names("agent", "gw").tag("boiler", "t"), 0.0)
        self.knows: list[object] = []

    def take(self, sample: Sample) -> bool:
        """Return whether the sample was published."""
        self.source.sample = sample
        payload = self.source.payload()
        if payload is not None:
            self.knows.append(json.loads(payload)["value"])
        return payload is not None

    def takes(self, *values: Value) -> list[bool]:
        return [self.take(Sample(value)) for value in values]


def test_a_change_as_large_as_the_deadband_is_published() -> None:
    assert Client(0.5).takes(10.0, 10.25, 10.5, 10.25, 9.75) == [True, False, True, False, True]


def test_slow_drift_is_published_when_it_adds_up() -> None:
    client = Client(1.0)
    client.takes(*(index / 4 for index in range(40)))
    assert client.knows == [float(index) for index in range(10)]


def test_without_a_deadband_every_sample_is_published() -> None:
    assert Client(0.0).takes(1, 1, 1.0, 2) == [True] * 4


def test_a_change_of_quality_always_passes() -> None:
    client = Client(10.0)
    samples = [
        Sample(1.0),
        Sample(1.0, Quality.UNCERTAIN, "out_of_range"),
        Sample(1.0),
        bad("timeout"),
        bad("stale"),
        Sample(1.0),
        Sample(1.1),
    ]
    assert [client.take(sample) for sample in samples] == [True] * 6 + [False]


def test_what_is_no_number_has_no_deadband() -> None:
    client = Client(10.0)
    values: list[Value] = ["a", "a", True, False, (1.0,), None, 1.0]
    assert client.takes(*values) == [True] * 7


def test_nan_is_never_taken_for_no_change() -> None:
    assert Client(10.0).takes(1.0, float("nan"), 1.0, float("nan")) == [True] * 4


def test_after_a_connection_a_sample_within_the_deadband_passes_too() -> None:
    client = Client(10.0)
    client.takes(1.0)
    client.source.forget()
    assert client.takes(1.5, 1.6) == [True, False]


@given(st.floats(0, 100), st.lists(st.floats(-1000, 1000), max_size=50))
def test_what_clients_know_is_never_further_off_than_the_deadband(deadband: float, values: list[float]) -> None:
    client = Client(deadband)
    for value in values:
        client.takes(value)
        known = client.knows[-1]
        assert isinstance(known, float)
        assert known == value or abs(known - value) < deadband


def test_the_devices_own_time_goes_before_ours() -> None:
    client = Client(0.0)
    client.source.sample = Sample(1.0, source_time=1_767_323_045.678)
    payload = client.source.payload()
    assert payload is not None
    assert json.loads(payload)["time"] == "2026-01-02T03:04:05.678Z"
    client.source.sample, client.source.wall = Sample(1.0), 1_767_323_046.0
    payload = client.source.payload()
    assert payload is not None
    assert json.loads(payload)["time"] == "2026-01-02T03:04:06.000Z"
