"""What the gateway writes again and again, put together: beats of deadmen and values that are kept alive."""

from collections.abc import Callable, Coroutine
from typing import Any

from gateway.app.plant import Plant
from gateway.clock import Clock
from gateway.control.beat_stops import BeatStops
from gateway.control.deadman import Deadmen
from gateway.control.devices_in_turn import DevicesInTurn
from gateway.control.guard import Guard
from gateway.control.keep_alive import KeepAlives
from gateway.control.keep_alive_log import KeepAliveLog
from gateway.control.outcome_log import OutcomeLog
from gateway.control.sending import Sender
from gateway.control.target import Mode, Targets
from gateway.control.trips import Tell
from gateway.control.wishes import Wishes
from gateway.counters import ControlCounters
from gateway.endpoints.device import Device
from gateway.safety.gate import Gate


class StandingWrites:
    """Built after the safe states: a trip ends what is kept alive in the step in which it is decided."""

    def __init__(
        self,
        plant: Plant,
        gate: Gate,
        guard: Guard,
        targets: Targets,
        wishes: Wishes,
        sender: Sender,
        turns: DevicesInTurn,
        outcomes: OutcomeLog,
        mode: Callable[[Device], Mode],
        progress: Callable[[str], str],
        clock: Clock,
        counters: ControlCounters,
        tell: Tell,
    ) -> None:
        """Mode: how far a device may be controlled by beats. Progress: of safe states, by constraint."""
        self._log = KeepAliveLog(outcomes, clock)
        self.keep_alives = KeepAlives(targets, wishes, gate, sender, turns, self._log, clock, tell)
        tags = {device.name: [tag.path for tag in device.tags] for device in plant.devices}
        stops = BeatStops(gate, tags, lambda name, _: progress(name) in {"pending", "failed"})
        self._deadmen = Deadmen(
            plant.outlets, gate, stops, mode, lambda: guard.is_on_time, self._log, clock, counters, tell
        )
        guard.on_trip(self.keep_alives.tripped)
        guard.on_beat(self._deadmen.release)

    def jobs(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what has to run all the time, by name."""
        return {"keep-alive log": self._log.run()}

    async def stop(self) -> None:
        """Begin no further beat and say nothing again."""
        await self._deadmen.close()
        await self.keep_alives.close()

    async def flush(self) -> None:
        """Put on record how it ended."""
        await self._log.flush()
