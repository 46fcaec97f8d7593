"""Breakers and limiters that operations know by name: their type, `agent:type`, or what they name themselves. Pure."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from gateway.safety.breaker import Breaker
from gateway.safety.library import OperationContext
from gateway.safety.limiter import SlidingWindow

T = TypeVar("T")


class Named(Generic[T]):
    """What operations know by name."""

    def __init__(self, key: str) -> None:
        """Key: under which the metadata of an operation may name a further one."""
        self.all: dict[str, T] = {}
        self._key = key

    def of(self, agent_id: str, operation_type: str, further: object = None) -> list[tuple[str, T]]:
        """Return those that go by one of these names, each once."""
        named = (further,) if isinstance(further, str) else ()
        names = dict.fromkeys((operation_type, f"{agent_id}:{operation_type}", *named))
        return [(name, self.all[name]) for name in names if name in self.all]

    def asked_by(self, context: OperationContext) -> Sequence[tuple[str, T]]:
        """Return those that an operation goes by, each once."""
        if not self.all:
            return ()
        return self.of(context.agent_id, context.operation_type, context.metadata.get(self._key))


class NamedBreakers(Named[Breaker]):
    """Breakers by name."""

    def __init__(self) -> None:
        super().__init__("circuit_breaker")

    def against(self, context: OperationContext, now: float) -> list[tuple[str, str]]:
        """Return the name and the state of each that does not let the operation pass."""
        return [(name, each.state(now).value) for name, each in self.asked_by(context) if not each.permits(now)]

    def take(self, context: OperationContext, now: float) -> None:
        """Begin the operation: of an open breaker it is the one probe."""
        for _, breaker in self.asked_by(context):
            breaker.take(now)


class NamedLimiters(Named[SlidingWindow]):
    """Limiters by key."""

    def __init__(self) -> None:
        super().__init__("rate_limit_key")

    def against(self, context: OperationContext, now: float) -> list[tuple[str, SlidingWindow]]:
        """Return each that has no room for the operation; asking takes nothing."""
        return [(key, limiter) for key, limiter in self.asked_by(context) if not limiter.has_room(now)]

    def take(self, context: OperationContext, now: float) -> None:
        """Count an operation that goes ahead."""
        for _, limiter in self.asked_by(context):
            limiter.take(now)
