"""The pages of the gateway, put together from the figures that they show."""

from collections.abc import Callable, Iterable, Mapping

from drivers.values import Quality
from gateway.clock import Clock
from gateway.counters import Counters
from gateway.observability.health import health, list_parts, readiness
from gateway.observability.metrics import ConstraintView, GatewayCollector, metrics_page
from gateway.observability.page import Answer, Page


def build_pages(
    version: str,
    period: float,
    counters: Counters,
    clock: Clock,
    tags: Callable[[], Mapping[str, Mapping[Quality, int]]],
    constraints: Callable[[], Iterable[ConstraintView]],
    faults: Callable[[], Mapping[str, str]],
    halted: Callable[[], bool] = lambda: False,
    breakers: Callable[[], Mapping[str, str]] = dict,
    further: Callable[[], Mapping[str, bool]] = dict,
) -> dict[str, Page]:
    """Return /metrics, /healthz and /readyz. The callables are called in other threads than the loop's.

    Period: of the safety evaluation, seconds. Tags: each device's tags counted by quality. Faults: why
    parts are down, by name, as `list_parts` takes them. Halted: whether all control is. Breakers: the word of each
    one's state by its name. Further: whether the parts are up that not every gateway has, `journal` and `inbox`.
    """

    def healthz(_: str) -> Answer:
        last = counters.guard.last  # read before the clock, or an evaluation in between would look early
        return health(last, clock.monotonic(), period)

    def readyz(_: str) -> Answer:
        return readiness(list_parts(counters, faults(), further()))

    collector = GatewayCollector(version, counters, clock, tags, constraints, halted, breakers)
    return {"/metrics": metrics_page(collector), "/healthz": healthz, "/readyz": readyz}
