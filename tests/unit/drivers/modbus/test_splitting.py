"""Where a refused block is cut: at a gap that was read for nothing, else in the middle, and never a value."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.register import RegisterRange, Table
from drivers.modbus.splitting import Cut, cut, halve, length, order_of_asking


def span(start: int, end: int) -> RegisterRange:
    return RegisterRange(Table.HOLDING, start, end)


def test_a_block_is_cut_at_the_gap_that_was_bridged() -> None:
    spans = [span(0, 2), span(2, 4), span(4, 6), span(9, 10)]
    assert cut(spans) == Cut(tuple(spans[:3]), tuple(spans[3:]), span(6, 9))


def test_of_several_gaps_the_middle_one_is_cut() -> None:
    spans = [span(0, 1), span(2, 3), span(4, 5), span(6, 7)]
    made = cut(spans)
    assert made is not None
    assert made.gap == span(3, 4)


def test_a_block_without_gaps_is_halved_by_its_addresses() -> None:
    spans = [span(0, 40), span(40, 41), span(41, 42), span(42, 80)]
    assert cut(spans) == Cut(tuple(spans[:1]), tuple(spans[1:]), None)


def test_a_block_that_is_too_long_is_halved_wherever_its_gaps_are() -> None:
    spans = [span(0, 1), span(9, 10), span(50, 51), span(99, 100)]
    made = halve(spans)
    assert made is not None
    assert (length(made.first), length(made.second)) == (10, 50)
    assert made.gap == span(10, 50)


def test_one_span_is_never_cut() -> None:
    assert cut([span(0, 4)]) is None
    assert halve([span(0, 100)]) is None


def test_a_span_within_another_is_no_gap() -> None:
    spans = [span(0, 4), span(1, 2), span(4, 5)]
    made = cut(spans)
    assert made is not None
    assert made.gap is None


def test_the_first_few_that_are_asked_for_are_spread_over_all() -> None:
    assert order_of_asking(8) == [0, 4, 2, 6, 1, 5, 3, 7]


@given(st.integers(0, 300))
def test_every_place_has_its_turn_once(count: int) -> None:
    assert sorted(order_of_asking(count)) == list(range(count))


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 4)), min_size=2, max_size=12))
def test_a_cut_loses_nothing_and_both_parts_are_smaller(drawn: list[tuple[int, int]]) -> None:
    spans = sorted({span(start, start + size) for start, size in drawn}, key=lambda each: (each.start, -each.end))
    for way in (cut, halve):
        made = way(spans)
        assert (made is None) is (len(spans) < 2)
        if made is not None:
            assert [*made.first, *made.second] == spans
            assert made.first
            assert made.second
