"""The contract's metrics: names, labels and figures as a scrape shows them."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from drivers.values import Quality
from gateway.counters import Counters, DeviceCounters
from gateway.observability.metrics import GatewayCollector, metrics_page
from gateway.observability.page import Page
from gateway.safety.verdict import SafetyLevel, Verdict

EVERY_METRIC = {
    "plantgate_build_info": {"version"},
    "plantgate_uptime_seconds": set(),
    "plantgate_loop_lag_seconds": {"le"},
    "plantgate_device_connected": {"device"},
    "plantgate_device_reconnects_total": {"device"},
    "plantgate_scan_duration_seconds": {"device", "le"},
    "plantgate_scan_overruns_total": {"device"},
    "plantgate_device_errors_total": {"device", "kind"},
    "plantgate_device_demoted": {"device"},
    "plantgate_device_probes_total": {"device"},
    "plantgate_device_discarded_total": {"device", "kind"},
    "plantgate_tag_updates_total": {"device"},
    "plantgate_tags": {"device", "quality"},
    "plantgate_mqtt_connected": set(),
    "plantgate_mqtt_published_total": set(),
    "plantgate_outbox_messages": set(),
    "plantgate_outbox_dropped_total": set(),
    "plantgate_outbox_oldest_seconds": set(),
    "plantgate_safety_constraint_state": {"constraint", "level", "state"},
    "plantgate_safety_constraint_value": {"constraint", "level"},
    "plantgate_safety_constraint_limit": {"constraint", "level", "bound"},
    "plantgate_safety_violations_total": {"constraint", "level"},
    "plantgate_safety_bypassed": {"constraint", "level"},
    "plantgate_safety_decisions_total": {"verdict", "code"},
    "plantgate_safety_decision_seconds": {"le"},
    "plantgate_safety_halted": set(),
    "plantgate_safety_trips_total": {"constraint"},
    "plantgate_safety_trips_unpersisted_total": set(),
    "plantgate_safety_trip_reaction_seconds": {"le"},
    "plantgate_safety_safe_state": {"constraint", "state"},
    "plantgate_circuit_breaker_state": {"breaker", "state"},
    "plantgate_rate_limited_total": {"key"},
    "plantgate_audit_records_total": set(),
    "plantgate_audit_last_sequence": set(),
    "plantgate_journal_healthy": set(),
    "plantgate_journal_pending": set(),
    "plantgate_journal_failures_total": set(),
    "plantgate_journal_size_bytes": set(),
    "plantgate_commands_received_total": {"result"},
    "plantgate_commands_queued": set(),
    "plantgate_write_frames_total": {"device"},
    "plantgate_writes_unresolved": set(),
    "plantgate_deadman_beats_total": {"device"},
}


@dataclass(frozen=True, slots=True)
class Shown:
    name: str
    level: SafetyLevel
    verdict: Verdict
    value: float | None
    min: float | None
    max: float | None
    safe_state: str = ""
    bypassed_until: float | None = None


class HandClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_767_225_600.0


class Plant:
    """A gateway's figures, with a page over them."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.counters = Counters(devices={"boiler": DeviceCounters(connected=True)})
        self.tags = {"boiler": {Quality.GOOD: 3, Quality.BAD: 1}}
        self.constraints: list[Shown] = [
            Shown("max_steam", SafetyLevel.CRITICAL, Verdict.VIOLATED, 581.5, None, 580.0),
            Shown("drum_level", SafetyLevel.HIGH, Verdict.UNKNOWN, None, 20.0, 80.0),
        ]
        self.halted = False
        self.breakers = {"boiler": "closed"}
        self.page: Page = metrics_page(
            GatewayCollector(
                "1.2.3",
                self.counters,
                self.clock,
                lambda: self.tags,
                lambda: self.constraints,
                lambda: self.halted,
                lambda: self.breakers,
            )
        )

    def scrape(self) -> str:
        return self.page("").body.decode()


@pytest.fixture
def plant() -> Plant:
    return Plant()


def labels_by_name(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for family in parse_text(text):
        for sample in family.samples:
            name = sample.name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
            found.setdefault(name, set()).update(sample.labels)
    return found


def test_every_metric_of_the_contract_is_there_with_its_labels_and_nothing_else(plant: Plant) -> None:
    plant.counters.devices["boiler"].errors["timeout"] += 1
    plant.counters.devices["boiler"].discarded["late"] += 1
    plant.counters.control.decisions["refused", "violation"] += 1
    plant.counters.control.rate_limited["boiler"] += 1
    plant.counters.control.beats["boiler"] += 1
    found = labels_by_name(plant.scrape())
    assert {name: labels for name, labels in found.items() if name.startswith("plantgate_")} == EVERY_METRIC


def test_a_device_is_shown_as_it_was_counted(plant: Plant) -> None:
    boiler = plant.counters.devices["boiler"]
    boiler.reconnects, boiler.overruns, boiler.updates = 2, 3, 400
    boiler.errors.update({"timeout": 5, "exception_2": 1})
    text = plant.scrape()
    assert 'plantgate_device_connected{device="boiler"} 1.0\n' in text
    assert 'plantgate_device_reconnects_total{device="boiler"} 2.0\n' in text
    assert 'plantgate_scan_overruns_total{device="boiler"} 3.0\n' in text
    assert 'plantgate_tag_updates_total{device="boiler"} 400.0\n' in text
    assert 'plantgate_device_errors_total{device="boiler",kind="exception_2"} 1.0\n' in text
    assert 'plantgate_device_errors_total{device="boiler",kind="timeout"} 5.0\n' in text


def test_tags_are_counted_by_every_quality_also_where_there_are_none(plant: Plant) -> None:
    text = plant.scrape()
    assert 'plantgate_tags{device="boiler",quality="good"} 3.0\n' in text
    assert 'plantgate_tags{device="boiler",quality="uncertain"} 0.0\n' in text
    assert 'plantgate_tags{device="boiler",quality="bad"} 1.0\n' in text


def test_histogram_buckets_are_cumulative_and_end_with_all(plant: Plant) -> None:
    for seconds in (0.0005, 0.02, 0.02, 99.0):
        plant.counters.devices["boiler"].scans.observe(seconds)
    text = plant.scrape()
    assert 'plantgate_scan_duration_seconds_bucket{device="boiler",le="0.001"} 1.0\n' in text
    assert 'plantgate_scan_duration_seconds_bucket{device="boiler",le="0.01"} 1.0\n' in text
    assert 'plantgate_scan_duration_seconds_bucket{device="boiler",le="0.025"} 3.0\n' in text
    assert 'plantgate_scan_duration_seconds_bucket{device="boiler",le="+Inf"} 4.0\n' in text
    assert 'plantgate_scan_duration_seconds_count{device="boiler"} 4.0\n' in text
    assert 'plantgate_scan_duration_seconds_sum{device="boiler"} 99.0405\n' in text


def test_a_constraint_is_in_exactly_one_state(plant: Plant) -> None:
    text = plant.scrape()
    states = [line for line in text.splitlines() if line.startswith("plantgate_safety_constraint_state{")]
    assert [line for line in states if line.endswith(" 1.0")] == [
        'plantgate_safety_constraint_state{constraint="max_steam",level="critical",state="violated"} 1.0',
        'plantgate_safety_constraint_state{constraint="drum_level",level="high",state="unknown"} 1.0',
    ]
    assert len(states) == 2 * len(Verdict)


def test_a_value_that_nobody_judged_and_a_limit_that_is_not_set_are_absent(plant: Plant) -> None:
    text = plant.scrape()
    assert 'plantgate_safety_constraint_value{constraint="max_steam",level="critical"} 581.5\n' in text
    assert 'plantgate_safety_constraint_value{constraint="drum_level"' not in text
    assert 'limit{bound="max",constraint="max_steam",level="critical"} 580.0\n' in text
    assert 'limit{bound="min",constraint="max_steam"' not in text
    assert 'limit{bound="min",constraint="drum_level",level="high"} 20.0\n' in text


def test_violations_start_at_zero_so_that_the_first_one_is_seen_as_a_rise(plant: Plant) -> None:
    assert 'plantgate_safety_violations_total{constraint="max_steam",level="critical"} 0.0\n' in plant.scrape()
    plant.counters.guard.violations["max_steam"] += 1
    assert 'plantgate_safety_violations_total{constraint="max_steam",level="critical"} 1.0\n' in plant.scrape()


def test_commands_are_shown_by_what_they_were_answered(plant: Plant) -> None:
    control = plant.counters.control
    control.decisions.update({("applied", ""): 3, ("refused", "halted"): 2})
    control.queued, control.unresolved = 4, 1
    control.decision_seconds.observe(0.0002)
    text = plant.scrape()
    assert 'plantgate_safety_decisions_total{code="",verdict="applied"} 3.0\n' in text
    assert 'plantgate_safety_decisions_total{code="halted",verdict="refused"} 2.0\n' in text
    assert "plantgate_commands_queued 4.0\n" in text
    assert "plantgate_writes_unresolved 1.0\n" in text
    assert 'plantgate_safety_decision_seconds_bucket{le="0.0001"} 0.0\n' in text
    assert 'plantgate_safety_decision_seconds_bucket{le="0.00025"} 1.0\n' in text


def test_what_is_counted_of_the_way_down_starts_at_zero(plant: Plant) -> None:
    text = plant.scrape()
    assert 'plantgate_commands_received_total{result="taken"} 0.0\n' in text
    assert 'plantgate_write_frames_total{device="boiler"} 0.0\n' in text
    assert 'plantgate_safety_trips_total{constraint="max_steam"} 0.0\n' in text
    plant.counters.control.frames["boiler"] += 1
    plant.counters.control.trips["max_steam"] += 1
    text = plant.scrape()
    assert 'plantgate_write_frames_total{device="boiler"} 1.0\n' in text
    assert 'plantgate_safety_trips_total{constraint="max_steam"} 1.0\n' in text


def test_a_trip_shows_how_its_safe_state_came_on_and_that_all_is_halted(plant: Plant) -> None:
    plant.constraints = [Shown("max_steam", SafetyLevel.CRITICAL, Verdict.OK, 1.0, None, 580.0, "confirmed", 1800.0)]
    plant.halted = True
    plant.counters.control.unpersisted = 1
    lines = plant.scrape().splitlines()
    states = [line for line in lines if line.startswith("plantgate_safety_safe_state{")]
    assert len(states) == 4
    assert [line for line in states if line.endswith(" 1.0")] == [
        'plantgate_safety_safe_state{constraint="max_steam",state="confirmed"} 1.0'
    ]
    assert 'plantgate_safety_bypassed{constraint="max_steam",level="critical"} 1.0' in lines
    assert "plantgate_safety_halted 1.0" in lines
    assert "plantgate_safety_trips_unpersisted_total 1.0" in lines


def test_a_breaker_is_in_exactly_one_state(plant: Plant) -> None:
    plant.breakers = {"boiler": "half_open"}
    assert [line for line in plant.scrape().splitlines() if line.startswith("plantgate_circuit_breaker_state{")] == [
        'plantgate_circuit_breaker_state{breaker="boiler",state="closed"} 0.0',
        'plantgate_circuit_breaker_state{breaker="boiler",state="open"} 0.0',
        'plantgate_circuit_breaker_state{breaker="boiler",state="half_open"} 1.0',
    ]


def test_the_journal_is_shown_as_it_is(plant: Plant) -> None:
    journal = plant.counters.journal
    journal.healthy, journal.records, journal.last_sequence, journal.size = True, 7, 1007, 4096
    journal.pending, journal.failures = 2, 3
    lines = plant.scrape().splitlines()
    assert {line for line in lines if line.startswith(("plantgate_journal_", "plantgate_audit_"))} == {
        "plantgate_journal_healthy 1.0",
        "plantgate_audit_records_total 7.0",
        "plantgate_audit_last_sequence 1007.0",
        "plantgate_journal_size_bytes 4096.0",
        "plantgate_journal_pending 2.0",
        "plantgate_journal_failures_total 3.0",
    }


def test_the_oldest_message_ages_and_an_empty_outbox_shows_zero(plant: Plant) -> None:
    assert "plantgate_outbox_oldest_seconds 0.0\n" in plant.scrape()
    plant.counters.mqtt.oldest, plant.counters.mqtt.pending, plant.counters.mqtt.dropped = 995.0, 7, 2
    plant.clock.now = 1001.5
    text = plant.scrape()
    assert "plantgate_outbox_oldest_seconds 6.5\n" in text
    assert "plantgate_outbox_messages 7.0\n" in text
    assert "plantgate_outbox_dropped_total 2.0\n" in text


def test_uptime_counts_from_the_start(plant: Plant) -> None:
    plant.clock.now += 42
    text = plant.scrape()
    assert "plantgate_uptime_seconds 42.0\n" in text
    assert 'plantgate_build_info{version="1.2.3"} 1.0\n' in text


def test_a_label_that_holds_quotes_and_line_breaks_stays_one_label(plant: Plant) -> None:
    plant.counters.devices["boiler"].errors['x"} 1\nplantgate_mqtt_connected 1'] += 1
    families = {family.name: family for family in parse_text(plant.scrape())}
    assert families["plantgate_device_errors"].samples[0].labels["kind"] == 'x"} 1\nplantgate_mqtt_connected 1'
    assert families["plantgate_mqtt_connected"].samples[0].value == 0.0


def test_a_prometheus_that_asks_for_openmetrics_gets_it(plant: Plant) -> None:
    answer = plant.page("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
    assert answer.content_type.startswith("application/openmetrics-text")
    families = parse_openmetrics(answer.body.decode())  # type: ignore[no-untyped-call]  # the library's parser has none
    names = {family.name for family in families}
    assert names >= {name.removesuffix("_total") for name in EVERY_METRIC if not name.endswith("_errors_total")}


def test_what_is_counted_between_two_scrapes_shows_at_the_next(plant: Plant) -> None:
    plant.counters.devices["turbine"] = DeviceCounters()
    plant.constraints = []

    def no_constraints_left() -> Iterable[str]:
        return (line for line in plant.scrape().splitlines() if line.startswith("plantgate_safety_constraint_"))

    assert 'plantgate_device_connected{device="turbine"} 0.0\n' in plant.scrape()
    assert not list(no_constraints_left())
