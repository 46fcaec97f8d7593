"""Breakers and limiters that operations know by name: their type, `agent:type`, or what they name themselves. Pure."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from gateway.safety.breaker import Breaker
from gateway.safety.library import OperationContext
from gateway.safety.limiter import SlidingWindow

T = TypeVar("T")


def _known(by_name: Mapping[str, T], agent_id: str, operation_type: str, further: object) -> list[tuple[str, T]]:
    """Return those that go by one of an operation's names, each once."""
    if not by_name:
        return []
    named = (further,) if isinstance(further, str) else ()
    names = dict.fromkeys((operation_type, f"{agent_id}:{operation_type}", *named))
    return [(name, by_name[name]) for name in names if name in by_name]


class NamedBreakers:
    """Breakers by name."""

    def __init__(self) -> None:
        self.all: dict[str, Breaker] = {}

    def of(self, agent_id: str, operation_type: str, further: object = None) -> list[tuple[str, Breaker]]:
        """Return those that guard an agent's operations of a type, or are named further."""
        return _known(self.all, agent_id, operation_type, further)

    def against(self, context: OperationContext, now: float) -> Iterable[tuple[str, str]]:
        """Yield the name and the state of each that does not let the operation pass."""
        for name, breaker in self._of(context):
            if not breaker.permits(now):
                yield name, breaker.state(now).value

    def take(self, context: OperationContext, now: float) -> None:
        """Begin the operation: of an open breaker it is the one probe."""
        for _, breaker in self._of(context):
            breaker.take(now)

    def _of(self, context: OperationContext) -> list[tuple[str, Breaker]]:
        return self.of(context.agent_id, context.operation_type, context.metadata.get("circuit_breaker"))


class NamedLimiters:
    """Limiters by key."""

    def __init__(self) -> None:
        self.all: dict[str, SlidingWindow] = {}

    def against(self, context: OperationContext, now: float) -> Iterable[tuple[str, SlidingWindow]]:
        """Yield each that has no room for the operation; asking takes nothing."""
        for key, limiter in self._of(context):
            if not limiter.has_room(now):
                yield key, limiter

    def take(self, context: OperationContext, now: float) -> None:
        """Count an operation that goes ahead."""
        for _, limiter in self._of(context):
            limiter.take(now)

    def _of(self, context: OperationContext) -> list[tuple[str, SlidingWindow]]:
        return _known(self.all, context.agent_id, context.operation_type, context.metadata.get("rate_limit_key"))
