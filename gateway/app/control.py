"""The way down, put together: gate, guard, arbiter and everything between a command and a frame."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from random import Random
from typing import Any, NamedTuple

from gateway.app.after_trips import AfterTrips
from gateway.app.denials import Denials, halting
from gateway.app.plant import Plant
from gateway.app.standing_writes import StandingWrites
from gateway.app.time_trust import TimeTrust
from gateway.audit.record import GATEWAY
from gateway.clock import Clock
from gateway.control.accepted import Handler
from gateway.control.answers import Answers
from gateway.control.arbiter import Arbiter
from gateway.control.authority import Authority
from gateway.control.book import Book
from gateway.control.command import Command
from gateway.control.device_breakers import DeviceBreakers
from gateway.control.devices_in_turn import DevicesInTurn
from gateway.control.guard import Guard
from gateway.control.outcome_log import OutcomeLog
from gateway.control.principal import Principals
from gateway.control.reception import Reception
from gateway.control.refusal_log import RefusalLog
from gateway.control.reply import Reply
from gateway.control.sending import Sender
from gateway.control.sequences import Sequences
from gateway.control.sight import Sight
from gateway.control.succession import Succession
from gateway.control.target import Targets
from gateway.control.trips import Tell, Trips
from gateway.control.unresolved import Unresolved
from gateway.control.wishes import Wishes
from gateway.control.world import PlantWorld
from gateway.control.write_command import WriteCommands
from gateway.counters import Counters
from gateway.safety.gate import Gate
from gateway.safety.live import LiveConstraint
from gateway.settings.model import Settings
from gateway.storage.port import Change, Journal, Table

SETTLE = 3.0
"""Seconds that the commands under way get at a stop to come to their outcome."""


class Recovered(NamedTuple):
    """What was found of the last run, for the record of the start."""

    unresolved: list[str]
    """Ids of commands without an outcome."""
    ended: list[str]
    """Tags for which a wish held."""
    changes: tuple[Change, ...]
    """What belongs into the same commit."""


class Remembered(NamedTuple):
    """What the parts are built on."""

    trips: Trips
    sequences: Sequences


class Control:
    """All parts of the way down, made by `open_control`."""

    def __init__(
        self,
        settings: Settings,
        plant: Plant,
        journal: Journal,
        clock: Clock,
        rng: Random,
        counters: Counters,
        beat: Callable[[], None],
        tell: Tell,
        new_id: Callable[[], str],
        remembered: Remembered,
    ) -> None:
        """Beat: the watchdog's. Tell: publishes an event. New_id: makes ids for commands without one."""
        self._clock = clock
        self._journal = journal
        image, safety, counted = plant.image, settings.safety, counters.control
        self.trips = remembered.trips
        self.authority = Authority(settings.authority)
        self.trusts_time = TimeTrust(settings.time, clock)
        self.world = PlantWorld(image, may_write=self._may_write, local_time=self._local_time)
        self.gate = Gate(
            safety.constraints,
            self.world,
            clock.monotonic,
            halt_on_critical=safety.halt_on_critical,
            latched=self.trips.names,
            always_allowed={tag.path: tag.settings.always_allowed for tag in image.tags},
            beats=_beats(settings),
        )
        self.guard = Guard(self.gate, image, safety.period, clock, counters.guard, counters.loop_lag, beat)
        self.refusals = RefusalLog(journal, clock)
        self.outcomes = OutcomeLog(journal)
        self.book = Book(journal)
        self.turns = DevicesInTurn(settings.commands.queue, counted)
        self.wishes = Wishes(image.tags, self.authority.slot)
        self.targets = Targets(image, plant.outlets, settings.gateway.control)
        self.sight = Sight(self.gate, self.world, clock)
        self.unresolved = Unresolved(self.targets, self.book, self.outcomes, clock, counted, tell)
        self.denials = Denials(
            self.gate, self.world, self.trips, self.guard, self.targets, self.wishes, self.authority, image, clock
        )
        self.sender = Sender(self.gate, self.sight, self.wishes, clock, counted, self.denials.check, self._wrote)
        self.succession = Succession(
            self.wishes, self._submit, self.outcomes, Answers(self.refusals, clock), clock, tell
        )
        # In this order, in which they are told of a trip: its frames are to be the next on the wire.
        self.after_trips = AfterTrips(
            plant, self.gate, self.guard, self.trips, self.targets, self.sight, journal, self.refusals, clock, rng,
            counted, self._wrote, tell, self.trusts_time,
        )  # fmt: skip
        self.standing = StandingWrites(
            plant, self.gate, self.guard, self.targets, self.wishes, self.sender, self.turns, self.outcomes,
            self.denials.beat_mode, self.after_trips.safe_states.progress, clock, counted, tell,
        )  # fmt: skip
        self.guard.on_trip(halting(self.gate, self.turns))
        writable = [outlet.device for outlet in plant.outlets.values()]
        self.breakers = DeviceBreakers(writable, settings.breakers, self.gate, image, clock, tell)
        self.arbiter = Arbiter(
            self.authority, self.book, self.refusals, self._handlers(), self._tags_of, clock, counted, new_id,
            max_age=settings.commands.max_age, trusts_time=self.trusts_time,
        )  # fmt: skip
        principals = Principals(
            settings.gateway.id, settings.commands, remembered.sequences, clock, trusts_time=self.trusts_time,
            trust_topic=settings.mqtt.trust_topic_principal,
        )  # fmt: skip
        self.reception = Reception(self.arbiter, principals)

    async def recover(self) -> Recovered:
        """Take up what the last run left, before anything is connected. Raises StorageError."""
        await self.after_trips.resume()
        ended, changes = self.wishes.ended_with_the_last_run((await self._journal.load(Table.PRIORITIES)).values)
        return Recovered(await self.unresolved.recover(self._journal), ended, changes)

    def jobs(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what has to run all the time, by name."""
        return {
            "guard": self.guard.run(),
            "refusals": self.refusals.run(),
            "outcomes": self.outcomes.run(),
            "unresolved": self.unresolved.run(),
            "succession": self.succession.run(),
            "breakers": self.breakers.run(),
            **self.standing.jobs(),
            **self.after_trips.jobs(),
        }

    async def stop(self) -> None:
        """Take nothing more, let what is under way come to its outcome, and put the rest on record."""
        await self.standing.stop()
        self.turns.close()
        await self.arbiter.settle(SETTLE)
        await self.refusals.flush(everything=True)
        await self.standing.flush()
        await self.outcomes.flush()
        await self.trips.close()

    def breaker_states(self) -> Mapping[str, str]:
        """Return the state of every breaker in one word; from any thread."""
        return self.breakers.states(self._clock.monotonic())

    def troubles(self) -> list[str]:
        """Return why the gateway is not at its best, beside its devices, constraints and journal."""
        troubles = ["trips: damaged on record; reset all after a look"] if self.trips.is_damaged else []
        troubles += ["command ids: damaged on record, so none that is given is taken"] if self.book.is_damaged else []
        impossible = self.after_trips.safe_states.impossible
        troubles += [f"safe state: {tag} cannot take its value: {why}" for tag, why in impossible.items()]
        return troubles if self.trusts_time() else [*troubles, "time: the clock is not synchronised"]

    def _handlers(self) -> Mapping[str, Handler]:
        writes = WriteCommands(
            self.targets, self.gate, self.sight, self.sender, self.turns, self._journal, self.refusals, self.outcomes,
            self.unresolved, self._clock, self.denials.check, self.standing.keep_alives.applied,
        )  # fmt: skip
        return {"write": writes, "relinquish": self.succession.relinquish, **self.after_trips.handlers}

    def _may_write(self, principal: str, tag: str) -> bool:
        return principal == GATEWAY or self.authority.may(principal, "write", tag)

    def _local_time(self) -> datetime | None:
        if not self.trusts_time():
            return None
        return datetime.fromtimestamp(self._clock.wall()).astimezone()

    def _tags_of(self, name: str) -> tuple[str, ...] | None:
        """Return the tags of a constraint, of all where it has no name, None where there is none of that name.

        None at all are those of a trip of which nobody knows what it is about: only who has every tag has a say in it.
        """
        if not name and (self.gate.orphans or self.trips.is_damaged):
            return ()
        if not name:
            return tuple(dict.fromkeys(tag for live in self.gate.constraints for tag in _tags(live)))
        if name in self.gate.orphans:
            return ()
        live = self.gate.find(name)
        return None if live is None else _tags(live)

    def _wrote(self, tag: str, now: float) -> None:
        self.world.wrote(tag, now)
        self.unresolved.supersede(tag)
        self.succession.look()

    async def _submit(self, command: Command, principal: str) -> Reply:
        return await self.arbiter.submit(command, principal)


def _tags(live: LiveConstraint) -> tuple[str, ...]:
    constraint = live.constraint
    return tuple(dict.fromkeys((*constraint.watched, *constraint.limited, *constraint.on_trip)))


def _beats(settings: Settings) -> list[str]:
    deadmen = {name: device.gateway.deadman for name, device in settings.devices.items()}
    return [f"{name}.{deadman.tag}" for name, deadman in deadmen.items() if deadman is not None]


async def open_control(
    settings: Settings,
    plant: Plant,
    journal: Journal,
    clock: Clock,
    rng: Random,
    counters: Counters,
    beat: Callable[[], None],
    tell: Tell,
    new_id: Callable[[], str],
) -> Control:
    """Build the way down on what the journal remembers. Raises StorageError where that cannot be read."""
    trips = Trips(journal, clock, counters.control, tell)
    await trips.load()
    remembered = Remembered(trips, Sequences(await journal.load(Table.SEQUENCES)))
    return Control(settings, plant, journal, clock, rng, counters, beat, tell, new_id, remembered)
