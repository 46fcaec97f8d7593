from datetime import UTC, datetime

import pytest

from drivers.opcua.data_types import Vetting, built_in_type, declared_type, python_type
from drivers.values import DataType, Quality, Sample, Value, bad

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "data_type"),
    [
        (True, DataType.BOOL),
        (7, DataType.UINT64),
        (7.0, DataType.FLOAT32),
        ("a", DataType.STRING),
        (b"a", DataType.BYTES),
        (NOW, DataType.DATETIME),
        ((1.0, 2.0), DataType.FLOAT64),
        (((1, 2), (3, 4)), DataType.INT32),
        ((), DataType.INT32),
        (("a", None), DataType.STRING),
    ],
)
def test_values_of_the_type_pass_and_those_of_another_are_bad(value: Value, data_type: DataType) -> None:
    sample = Sample(value, source_time=5.0)
    kept = Vetting({0: python_type(data_type)}, with_time=True)
    assert kept.vet([(0, sample)]) == [(0, sample)]
    for other in {bool, int, float, str, bytes, datetime} - {python_type(data_type)}:
        spoiled = Vetting({0: other}, with_time=True).vet([(0, sample)])
        assert spoiled == [(0, sample if value == () else bad("wrong_type", 5.0))]


def test_what_is_bad_already_keeps_its_reason() -> None:
    change = (0, bad("communication_error"))
    assert Vetting({0: float}, with_time=True).vet([change]) == [change]


def test_changes_of_strange_points_are_dropped() -> None:
    vetting = Vetting({3: None}, with_time=True)
    assert vetting.vet([(2, Sample(1)), (3, Sample(2)), (0xFFFFFFFF, Sample(NOW))]) == [(3, Sample(2))]


def test_times_are_dropped_where_they_do_not_count() -> None:
    vetting = Vetting({0: None}, with_time=False)
    doubtful = Sample(1.5, Quality.UNCERTAIN, "overflow", 5.0)
    assert vetting.vet([(0, doubtful)]) == [(0, doubtful._replace(source_time=None))]


@pytest.mark.parametrize(
    ("node_id", "data_type"),
    [
        ((0, 1), DataType.BOOL),
        ((0, 9), DataType.UINT64),
        ((0, 26), None),  # Number is abstract
        ((0, 290), None),  # Duration: what it is made of shows in its values
        ((2, 11), None),
        ((0, None), None),
        (None, None),
    ],
)
def test_only_what_a_built_in_type_says_is_a_declaration(
    node_id: tuple[int, int | None] | None, data_type: DataType | None
) -> None:
    assert declared_type(node_id) is data_type


def test_a_structure_is_no_type_of_a_tag() -> None:
    assert built_in_type(22) is None
    assert built_in_type(0) is None
