"""Commands that wait for their devices."""

from gateway.control.command_queue import CommandQueue


def queue(*items: tuple[str, str, str], limit: int = 10) -> CommandQueue[str]:
    made: CommandQueue[str] = CommandQueue(limit)
    for rank, devices, name in items:
        assert made.push(rank, devices.split(), name)  # type: ignore[arg-type]
    return made


def drain(waiting: CommandQueue[str], busy: set[str] | None = None) -> list[str]:
    taken = []
    while (found := waiting.take(busy or set())) is not None:
        taken.append(found[0])
    return taken


def test_the_higher_rank_goes_first_and_within_a_rank_who_came_first() -> None:
    waiting = queue(
        ("low", "a", "1"), ("normal", "a", "2"), ("critical", "a", "3"), ("normal", "a", "4"), ("high", "a", "5")
    )
    assert drain(waiting) == ["3", "5", "2", "4", "1"]


def test_a_command_for_a_busy_device_lets_one_for_another_pass() -> None:
    waiting = queue(("normal", "boiler", "1"), ("normal", "turbine", "2"))
    assert waiting.take({"boiler"}) == ("2", frozenset({"turbine"}))
    assert waiting.take({"boiler"}) is None
    assert waiting.take(set()) == ("1", frozenset({"boiler"}))


def test_one_that_waits_for_two_devices_keeps_both_from_those_behind_it() -> None:
    waiting = queue(("normal", "boiler turbine", "both"), ("normal", "turbine", "late"))
    assert waiting.take({"boiler"}) is None
    assert drain(waiting) == ["both", "late"]


def test_a_full_queue_takes_nothing_more() -> None:
    waiting = queue(("normal", "a", "1"), limit=1)
    assert not waiting.push("critical", ["a"], "2")
    assert len(waiting) == 1


def test_what_is_not_wanted_any_more_is_taken_out() -> None:
    waiting = queue(("normal", "a", "1"), ("normal", "a", "2"), ("normal", "a", "3"))
    assert waiting.remove(lambda name: name != "2") == ["1", "3"]
    assert drain(waiting) == ["2"]
