"""What follows a trip, put together: safe states, and the commands of people about constraints."""

from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import Any

from gateway.app.plant import Plant
from gateway.clock import Clock
from gateway.control.accepted import Handler
from gateway.control.answers import Answers
from gateway.control.bypasses import Bypasses
from gateway.control.constraint_commands import ConstraintCommands
from gateway.control.guard import Guard
from gateway.control.lasting_time import LastingTime, boot_ticks
from gateway.control.refusal_log import RefusalLog
from gateway.control.reset_command import ResetCommand
from gateway.control.safe_state import SafeStates
from gateway.control.shelves import Shelves
from gateway.control.sight import Sight
from gateway.control.target import Targets
from gateway.control.trips import Tell, Trips
from gateway.counters import ControlCounters
from gateway.safety.gate import Gate
from gateway.storage.port import Journal
from gateway.storage.stamp import read_boot_id


class AfterTrips:
    """Built before anything is connected; `resume` takes up what the last run left."""

    def __init__(
        self,
        plant: Plant,
        gate: Gate,
        guard: Guard,
        trips: Trips,
        targets: Targets,
        sight: Sight,
        journal: Journal,
        refusals: RefusalLog,
        clock: Clock,
        rng: Random,
        counters: ControlCounters,
        wrote: Callable[[str, float], None],
        tell: Tell,
        trusts_time: Callable[[], bool],
    ) -> None:
        """Wrote: told the tag and the time, monotonic, of every safe-state frame that leaves."""
        self._devices = {device.name: device for device in plant.devices}
        outlets = {name: each for name, each in plant.outlets.items() if targets.mode(each.device) == "on"}
        self.safe_states = SafeStates(
            gate, plant.image, outlets, trips, guard, sight, clock, rng, counters, wrote, tell
        )
        time = LastingTime(read_boot_id(), boot_ticks, lambda: clock.wall() if trusts_time() else None)
        self._bypasses = Bypasses(journal, gate, clock, time, guard.report, tell)
        self._shelves = Shelves(journal, gate, clock, time, guard.report)
        answers = Answers(refusals, clock)
        reset = ResetCommand(gate, trips, journal, sight, answers, clock, self.safe_states.end, guard.report, tell)
        commands = ConstraintCommands(gate, journal, answers, reset, self._bypasses, self._shelves, guard.report)
        self.handlers: Mapping[str, Handler] = commands.handlers
        # Before all others who are told of trips: its frames are to be the next on the wire.
        guard.on_trip(self.safe_states.begin)
        guard.show_progress(self.safe_states.progress)
        guard.suppress_for(self._is_lost)

    async def resume(self) -> None:
        """Take up bypasses, shelved alarms and safe states of the last run."""
        await self._bypasses.restore()
        await self._shelves.restore()
        self.safe_states.resume()

    def jobs(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what has to run all the time, by name."""
        return {
            "safe states": self.safe_states.run(),
            "bypasses": self._bypasses.run(),
            "shelved alarms": self._shelves.run(),
        }

    def _is_lost(self, device: str) -> bool:
        found = self._devices.get(device)
        return found is not None and not found.state.connected
