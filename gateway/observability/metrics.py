"""Every metric: names, labels and help texts. They are part of the contract; other programs rely on them.

Those of commands, trips and the journal are in `control_metrics`.

Nothing is counted here. The plain figures of `gateway.counters` are read when Prometheus asks, in the
thread that asks, so a scrape costs the event loop nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from drivers.values import Quality
from gateway.clock import Clock
from gateway.counters import Counters, DeviceCounters, MqttCounters
from gateway.observability.control_metrics import (
    TripView,
    breaker_metric,
    command_metrics,
    frame_metrics,
    journal_metrics,
    trip_metrics,
)
from gateway.observability.families import add_histogram
from gateway.observability.page import Answer, Page
from gateway.safety.verdict import Verdict


class ConstraintView(TripView, Protocol):
    """What is shown of a constraint; a frozen value, made anew for each scrape."""

    @property
    def verdict(self) -> Verdict: ...
    @property
    def value(self) -> float | None:
        """The value that was judged; None where there was none."""

    @property
    def min(self) -> float | None: ...
    @property
    def max(self) -> float | None: ...


class GatewayCollector(Collector):
    """Reads the gateway's figures at scrape time. Every callable it holds must be safe in any thread."""

    def __init__(
        self,
        version: str,
        counters: Counters,
        clock: Clock,
        tags: Callable[[], Mapping[str, Mapping[Quality, int]]],
        constraints: Callable[[], Iterable[ConstraintView]],
        halted: Callable[[], bool] = lambda: False,
        breakers: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Tags: each device's tags counted by quality. Constraints: all of them as they stand.

        Halted: whether all control is. Breakers: the word of each one's state by its name.
        """
        self._version = version
        self._counters = counters
        self._clock = clock
        self._tags = tags
        self._constraints = constraints
        self._halted = halted
        self._breakers = breakers
        self._started = clock.monotonic()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of the gateway."""
        counters, now = self._counters, self._clock.monotonic()
        build = GaugeMetricFamily("plantgate_build_info", "Always 1; the label tells the version.", labels=["version"])
        build.add_metric([self._version], 1)
        yield build
        uptime = now - self._started
        yield GaugeMetricFamily("plantgate_uptime_seconds", "Seconds since the gateway started.", value=uptime)
        lag = HistogramMetricFamily(
            "plantgate_loop_lag_seconds", "Seconds by which the event loop ran the safety evaluation late.", labels=[]
        )
        add_histogram(lag, [], counters.loop_lag)
        yield lag
        # A copy, since the loop may add a device while this thread goes through them.
        devices = dict(counters.devices)
        yield from _device_metrics(devices)
        yield _tag_metric(self._tags())
        yield from _mqtt_metrics(counters.mqtt, now)
        constraints = list(self._constraints())
        yield from _constraint_metrics(constraints, dict(counters.guard.violations))
        yield from trip_metrics(counters.control, constraints, halted=self._halted())
        yield breaker_metric(self._breakers())
        yield from command_metrics(counters.control)
        yield from frame_metrics(counters.control, devices)
        yield from journal_metrics(counters.journal)


def metrics_page(collector: GatewayCollector) -> Page:
    """Return the page `/metrics`: the gateway's metrics and, where /proc tells them, the process's."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)

    def page(accept: str) -> Answer:
        encode, content_type = choose_encoder(accept)
        return Answer(200, content_type, encode(registry))

    return page


def _device_metrics(devices: Mapping[str, DeviceCounters]) -> Iterator[Metric]:
    label = ["device"]
    connected = GaugeMetricFamily("plantgate_device_connected", "1 while the device answers, else 0.", labels=label)
    reconnects = CounterMetricFamily(
        "plantgate_device_reconnects_total", "Connections to the device opened after the first.", labels=label
    )
    scans = HistogramMetricFamily(
        "plantgate_scan_duration_seconds", "Seconds that one scan of the device took.", labels=label
    )
    overruns = CounterMetricFamily(
        "plantgate_scan_overruns_total", "Scans left out because the one before had not ended.", labels=label
    )
    updates = CounterMetricFamily("plantgate_tag_updates_total", "New samples of the device's tags.", labels=label)
    errors = CounterMetricFamily(
        "plantgate_device_errors_total", "Failed requests and lost links, by kind.", labels=["device", "kind"]
    )
    demoted = GaugeMetricFamily(
        "plantgate_device_demoted", "1 while the device does not answer and is only probed, else 0.", labels=label
    )
    probes = CounterMetricFamily(
        "plantgate_device_probes_total", "Requests that only asked whether the device answers.", labels=label
    )
    discarded = CounterMetricFamily(
        "plantgate_device_discarded_total",
        "What the driver dropped, asked for again or found out besides, by kind.",
        labels=["device", "kind"],
    )
    for name, device in devices.items():
        connected.add_metric([name], device.connected)
        reconnects.add_metric([name], device.reconnects)
        add_histogram(scans, [name], device.scans)
        overruns.add_metric([name], device.overruns)
        updates.add_metric([name], device.updates)
        for kind, count in dict(device.errors).items():
            errors.add_metric([name, kind], count)
        demoted.add_metric([name], device.demoted)
        probes.add_metric([name], device.probes)
        for kind, count in dict(device.discarded).items():
            discarded.add_metric([name, kind], count)
    yield from (connected, reconnects, scans, overruns, errors, updates, demoted, probes, discarded)


def _tag_metric(counted: Mapping[str, Mapping[Quality, int]]) -> Metric:
    tags = GaugeMetricFamily(
        "plantgate_tags", "Tags of the device by the quality of now.", labels=["device", "quality"]
    )
    for device, qualities in counted.items():
        for quality in Quality:
            tags.add_metric([device, quality.word], qualities.get(quality, 0))
    return tags


def _mqtt_metrics(mqtt: MqttCounters, now: float) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "plantgate_mqtt_connected", "1 while the broker is connected, else 0.", value=float(mqtt.connected)
    )
    yield CounterMetricFamily(
        "plantgate_mqtt_published_total", "Messages that the broker acknowledged.", value=mqtt.published
    )
    yield GaugeMetricFamily(
        "plantgate_outbox_messages", "Messages that the broker has not acknowledged yet.", value=mqtt.pending
    )
    yield CounterMetricFamily(
        "plantgate_outbox_dropped_total", "Messages given up because the outbox was full.", value=mqtt.dropped
    )
    oldest = mqtt.oldest
    age = 0.0 if oldest is None else max(now - oldest, 0.0)
    yield GaugeMetricFamily(
        "plantgate_outbox_oldest_seconds", "Age in seconds of the oldest message in the outbox; 0 if empty.", value=age
    )


def _constraint_metrics(constraints: Iterable[ConstraintView], violations: Mapping[str, int]) -> Iterator[Metric]:
    labels = ["constraint", "level"]
    state = GaugeMetricFamily(
        "plantgate_safety_constraint_state",
        "1 for the state that the constraint is in, 0 for the others.",
        labels=[*labels, "state"],
    )
    value = GaugeMetricFamily(
        "plantgate_safety_constraint_value",
        "The value judged last, in the tag's unit; absent where there is none.",
        labels=labels,
    )
    limit = GaugeMetricFamily(
        "plantgate_safety_constraint_limit", "The constraint's limits, in the tag's unit.", labels=[*labels, "bound"]
    )
    total = CounterMetricFamily(
        "plantgate_safety_violations_total", "How often the constraint became violated.", labels=labels
    )
    for constraint in constraints:
        names = [constraint.name, constraint.level.value]
        for verdict in Verdict:
            state.add_metric([*names, verdict.value], constraint.verdict is verdict)
        if constraint.value is not None:
            value.add_metric(names, constraint.value)
        for bound, figure in (("min", constraint.min), ("max", constraint.max)):
            if figure is not None:
                limit.add_metric([*names, bound], figure)
        total.add_metric(names, violations.get(constraint.name, 0))
    yield from (state, value, limit, total)
