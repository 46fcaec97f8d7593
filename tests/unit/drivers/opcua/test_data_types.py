from datetime import UTC, datetime

import pytest

from drivers.opcua.data_types import Expected, Shape, Vetting, built_in_type, declared_shape, python_type
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
    kept = Vetting({0: Expected(python_type(data_type))}, with_time=True)
    assert kept.vet([(0, sample)]) == [(0, sample)]
    for other in {bool, int, float, str, bytes, datetime} - {python_type(data_type)}:
        spoiled = Vetting({0: Expected(other)}, with_time=True).vet([(0, sample)])
        assert spoiled == [(0, sample if value == () else bad("wrong_type", 5.0))]


def test_what_is_bad_already_keeps_its_reason() -> None:
    change = (0, bad("communication_error"))
    assert Vetting({0: Expected(float)}, with_time=True).vet([change]) == [change]


def test_changes_of_strange_points_are_dropped() -> None:
    vetting = Vetting({3: Expected()}, with_time=True)
    assert vetting.vet([(2, Sample(1)), (3, Sample(2)), (0xFFFFFFFF, Sample(NOW))]) == [(3, Sample(2))]


def test_times_are_dropped_where_they_do_not_count() -> None:
    vetting = Vetting({0: Expected()}, with_time=False)
    doubtful = Sample(1.5, Quality.UNCERTAIN, "overflow", 5.0)
    assert vetting.vet([(0, doubtful)]) == [(0, doubtful._replace(source_time=None))]


@pytest.mark.parametrize(
    ("value", "shape", "fits"),
    [
        (1.5, Shape.SCALAR, True),
        ((1.5,), Shape.SCALAR, False),
        ((), Shape.SCALAR, False),
        (1.5, Shape.ARRAY, False),
        ((1.5,), Shape.ARRAY, True),
        (1.5, Shape.ANY, True),
        (((1.5,),), Shape.ANY, True),
        (None, Shape.SCALAR, True),
    ],
)
@pytest.mark.parametrize("python", [float, None])
def test_a_value_of_another_shape_is_of_another_type(value: Value, shape: Shape, *, fits: bool, python: type) -> None:
    sample = Sample(value)
    vetted = Vetting({0: Expected(python, shape)}, with_time=True).vet([(0, sample)])
    assert vetted == [(0, sample if fits else bad("wrong_type"))]


@pytest.mark.parametrize(
    ("rank", "shape"),
    [(-1, Shape.SCALAR), (0, Shape.ARRAY), (1, Shape.ARRAY), (3, Shape.ARRAY), (-2, Shape.ANY), (None, Shape.ANY)],
)
def test_a_value_rank_says_the_shape(rank: Value, shape: Shape) -> None:
    assert declared_shape(rank) is shape


def test_a_structure_is_a_type_of_its_own_and_abstract_types_are_none() -> None:
    assert built_in_type(22) is DataType.STRUCTURE
    assert built_in_type(24) is None
    assert built_in_type(0) is None
