from drivers.opcua.retries import FIRST, LONGEST, Retries

NEVER = float("inf")


def test_pauses_grow_to_the_longest_and_stay_there() -> None:
    retries, now, pauses = Retries(), 0.0, []
    for _ in range(7):
        retries.postpone(3, now)
        pauses.append(retries.next_due - now)
        now = retries.next_due
        assert retries.take_due(now) == [3]
    assert pauses == [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST, LONGEST, LONGEST, LONGEST]


def test_each_point_has_its_own_pause() -> None:
    retries = Retries()
    retries.postpone(1, 0.0)
    retries.postpone(2, 3.0)
    assert retries.take_due(FIRST) == [1]
    assert retries.next_due == 3.0 + FIRST
    assert retries.take_due(FIRST) == []


def test_what_was_lost_is_asked_for_at_once_but_not_over_and_over() -> None:
    retries = Retries()
    retries.hasten(1, 10.0)
    assert retries.take_due(10.0) == [1]
    retries.hasten(1, 11.0)
    assert retries.next_due == 11.0 + FIRST


def test_nothing_waits_where_nothing_was_refused() -> None:
    retries = Retries()
    assert retries.next_due == NEVER
    retries.hasten(1, 0.0)
    retries.forget(1)
    retries.forget(2)
    assert (retries.next_due, retries.take_due(NEVER)) == (NEVER, [])
