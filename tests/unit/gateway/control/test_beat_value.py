"""What a beat says, type by type."""

import pytest

from drivers.values import DataType
from gateway.control.beat_value import LARGEST, following


def test_a_bool_turns_over() -> None:
    said: list[object] = [None]
    for _ in range(4):
        said.append(following(said[-1], DataType.BOOL, None))  # type: ignore[arg-type]  # a list of anything
    assert said[1:] == [True, False, True, False]


@pytest.mark.parametrize(
    ("data_type", "end"),
    [
        (DataType.INT8, 127),
        (DataType.UINT8, 255),
        (DataType.INT16, 32767),
        (DataType.UINT16, LARGEST),
        (DataType.INT32, LARGEST),
        (DataType.UINT64, LARGEST),
    ],
    ids=lambda each: each.value if isinstance(each, DataType) else str(each),
)
def test_an_integer_counts_to_the_end_that_it_can_hold_and_begins_anew(data_type: DataType, end: int) -> None:
    assert following(None, data_type, None) == 0
    assert following(0, data_type, None) == 1
    assert following(end - 1, data_type, None) == end
    assert following(end, data_type, None) == 0
    assert following(end + 1, data_type, None) == 0


def test_it_stays_within_the_range_of_its_tag() -> None:
    assert following(None, DataType.INT16, (1.0, 3.5)) == 1
    assert [following(last, DataType.INT16, (1.0, 3.5)) for last in (1, 2, 3)] == [2, 3, 1]
    assert following(99, DataType.INT16, (1.0, 3.5)) == 1
    assert following(None, DataType.INT16, (-5.0, -1.0)) is None
    assert following(None, DataType.INT16, (7.0, 7.5)) is None
    assert following(None, DataType.BOOL, (0.0, 1.0)) is None


@pytest.mark.parametrize("data_type", [None, DataType.FLOAT32, DataType.STRING], ids=["unknown", "float32", "string"])
def test_nothing_else_can_say_it(data_type: DataType | None) -> None:
    assert following(None, data_type, None) is None


def test_a_type_that_changes_with_a_new_connection_is_no_trouble() -> None:
    assert following(7, DataType.BOOL, None) is False
    assert following(0, DataType.BOOL, None) is True
    assert following(True, DataType.INT16, None) == 2  # noqa: FBT003  (a value)
