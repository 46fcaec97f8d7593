"""How plain figures become the parts of a metric."""

from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily

from gateway.counters import Histogram


def add_histogram(family: HistogramMetricFamily, labels: list[str], histogram: Histogram) -> None:
    """Add the buckets as they are at this moment: the loop counts on meanwhile, and they must not contradict."""
    counts, total = list(histogram.counts), histogram.total
    bounds = [*(str(float(bound)) for bound in histogram.bounds), "+Inf"]
    family.add_metric(labels, list(zip(bounds, accumulate(counts), strict=True)), total)
