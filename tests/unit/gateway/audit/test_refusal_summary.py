from random import Random

from gateway.audit.refusal_summary import OTHERS, RATE, RefusalSummary, Summary


def test_ten_a_second_are_recorded_one_by_one_and_the_rest_counted() -> None:
    summary = RefusalSummary()
    admitted = [summary.admit("mallory", "forbidden", 5.0 + n / 100) for n in range(50)]
    assert admitted == [True] * RATE + [False] * 40
    assert summary.next_due() == 5.1 + 1
    assert summary.due(6.09) == []
    assert summary.due(6.1) == [Summary("mallory", 5.1, {"forbidden": 40})]
    assert summary.next_due() is None


def test_codes_are_counted_apart_and_principals_do_not_share_their_rate() -> None:
    summary = RefusalSummary()
    for n in range(RATE + 6):
        summary.admit("mallory", "forbidden" if n % 2 else "expired", 0.0)
    assert summary.admit("operator-1", "violation", 0.0)
    assert summary.due(1.0) == [Summary("mallory", 0.0, {"expired": 3, "forbidden": 3})]


def test_while_a_summary_collects_nothing_is_recorded_by_itself() -> None:
    summary = RefusalSummary()
    for _ in range(RATE + 1):
        summary.admit("mallory", "forbidden", 0.0)
    assert not summary.admit("mallory", "forbidden", 1.5)  # nobody has asked for what is due: it is not lost
    assert summary.due(1.6) == [Summary("mallory", 0.0, {"forbidden": 2})]
    assert summary.admit("mallory", "forbidden", 1.6)


def test_none_is_lost_and_no_second_has_more_than_its_records_whatever_the_times() -> None:
    rng, summary, now = Random(3), RefusalSummary(), 0.0
    recorded: list[float] = []
    counted = 0
    for _ in range(20_000):
        now += rng.expovariate(500) * rng.choice([0.1, 1, 10])
        if summary.admit("mallory", "forbidden", now):
            recorded.append(now)
        counted += sum(each.counts["forbidden"] for each in summary.due(now))
    counted += sum(each.counts["forbidden"] for each in summary.due(now, everything=True))
    assert counted + len(recorded) == 20_000
    assert all(recorded[n + RATE] - recorded[n] >= 1.0 for n in range(len(recorded) - RATE))


def test_made_up_names_cannot_fill_the_memory() -> None:
    summary = RefusalSummary(most=50)
    for n in range(10_000):
        summary.admit(f"name-{n}", "unauthenticated", 0.0)
    due = summary.due(1.0)
    assert due == [Summary(OTHERS, 0.0, {"unauthenticated": 10_000 - 50 - RATE})]
    summary.due(3.0)
    assert summary.admit("name-9999", "unauthenticated", 3.0)
    assert summary._tallies.keys() == {"name-9999"}
