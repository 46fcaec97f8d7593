"""The metrics of the way down: commands, decisions, trips, safe states, the journal. Names are part of the contract."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from gateway.counters import ControlCounters, JournalCounters
from gateway.observability.families import add_histogram
from gateway.safety.breaker import CircuitState
from gateway.safety.verdict import SafetyLevel

SAFE_STATES = ("pending", "confirmed", "failed", "deviated")


class TripView(Protocol):
    """What is shown of a constraint's trip and bypass."""

    @property
    def name(self) -> str: ...
    @property
    def level(self) -> SafetyLevel: ...
    @property
    def safe_state(self) -> str:
        """One of SAFE_STATES, empty where none was called for."""

    @property
    def bypassed_until(self) -> float | None:
        """None where it is not bypassed."""


def command_metrics(control: ControlCounters) -> Iterator[Metric]:
    """Yield what became of commands."""
    received = CounterMetricFamily(
        "plantgate_commands_received_total", "Messages on the command topics, by result.", labels=["result"]
    )
    for result, count in {"taken": 0, **control.received}.items():
        received.add_metric([result], count)
    decisions = CounterMetricFamily(
        "plantgate_safety_decisions_total", "Commands answered, by verdict and code.", labels=["verdict", "code"]
    )
    for (verdict, code), count in dict(control.decisions).items():
        decisions.add_metric([verdict, code], count)
    seconds = HistogramMetricFamily(
        "plantgate_safety_decision_seconds", "Seconds that judging one write took, just before its frame.", labels=[]
    )
    add_histogram(seconds, [], control.decision_seconds)
    limited = CounterMetricFamily(
        "plantgate_rate_limited_total", "Operations refused because their key had its fill.", labels=["key"]
    )
    for key, count in dict(control.rate_limited).items():
        limited.add_metric([key], count)
    yield from (received, decisions, seconds, limited)
    yield GaugeMetricFamily("plantgate_commands_queued", "Commands that wait for their device.", value=control.queued)


def frame_metrics(control: ControlCounters, devices: Iterable[str]) -> Iterator[Metric]:
    """Yield what was written. Devices: by name, also those that were never written to."""
    yield GaugeMetricFamily(
        "plantgate_writes_unresolved", "Writes whose effect is still to be read.", value=control.unresolved
    )
    frames = CounterMetricFamily(
        "plantgate_write_frames_total", "Write frames handed to the device's transport.", labels=["device"]
    )
    for device, count in {**dict.fromkeys(devices, 0), **control.frames}.items():
        frames.add_metric([device], count)
    beats = CounterMetricFamily(
        "plantgate_deadman_beats_total", "Beats written to the device's deadman.", labels=["device"]
    )
    for device, count in dict(control.beats).items():
        beats.add_metric([device], count)
    yield from (frames, beats)


def trip_metrics(control: ControlCounters, constraints: Iterable[TripView], *, halted: bool) -> Iterator[Metric]:
    """Yield trips, safe states and bypasses."""
    yield GaugeMetricFamily("plantgate_safety_halted", "1 while all control is halted, else 0.", value=float(halted))
    trips = CounterMetricFamily(
        "plantgate_safety_trips_total", "How often the constraint tripped.", labels=["constraint"]
    )
    state = GaugeMetricFamily(
        "plantgate_safety_safe_state",
        "1 for how the constraint's safe state came on, 0 for the others; all 0 where none was called for.",
        labels=["constraint", "state"],
    )
    bypassed = GaugeMetricFamily(
        "plantgate_safety_bypassed", "1 while the constraint is bypassed, else 0.", labels=["constraint", "level"]
    )
    for constraint in constraints:
        trips.add_metric([constraint.name], control.trips[constraint.name])
        for word in SAFE_STATES:
            state.add_metric([constraint.name, word], constraint.safe_state == word)
        bypassed.add_metric([constraint.name, constraint.level.value], constraint.bypassed_until is not None)
    reaction = HistogramMetricFamily(
        "plantgate_safety_trip_reaction_seconds", "Seconds from a trip to its first safe-state frame.", labels=[]
    )
    add_histogram(reaction, [], control.trip_reaction)
    unpersisted = CounterMetricFamily(
        "plantgate_safety_trips_unpersisted_total",
        "Trips that were not on the disk within a second.",
        value=control.unpersisted,
    )
    yield from (trips, state, bypassed, reaction, unpersisted)


def breaker_metric(breakers: Mapping[str, str]) -> Metric:
    """Return the state of every breaker. Breakers: the word of each one's state by its name."""
    circuit = GaugeMetricFamily(
        "plantgate_circuit_breaker_state", "1 for the breaker's state, 0 for the others.", labels=["breaker", "state"]
    )
    for name, word in breakers.items():
        for each in CircuitState:
            circuit.add_metric([name, each.value], word == each.value)
    return circuit


def journal_metrics(journal: JournalCounters) -> Iterator[Metric]:
    """Yield how the journal is."""
    yield CounterMetricFamily(
        "plantgate_audit_records_total", "Records chained since the start.", value=journal.records
    )
    yield GaugeMetricFamily(
        "plantgate_audit_last_sequence", "Sequence of the last record chained.", value=journal.last_sequence
    )
    yield GaugeMetricFamily(
        "plantgate_journal_healthy", "1 while the journal can write, else 0.", value=float(journal.healthy)
    )
    yield GaugeMetricFamily(
        "plantgate_journal_pending", "Requests that wait for the journal's disk.", value=journal.pending
    )
    yield CounterMetricFamily(
        "plantgate_journal_failures_total", "Requests that the journal refused or lost.", value=journal.failures
    )
    yield GaugeMetricFamily("plantgate_journal_size_bytes", "Bytes of the records that are kept.", value=journal.size)
