"""Following a gateway at a broker: find it, subscribe to it, and begin anew whenever the broker is lost."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from gateway.cli.watch_output import Output
from gateway.cli.watch_state import WatchState, read_status
from gateway.clock import Clock
from gateway.errors import SettingsError
from gateway.northbound.reader import LinkDown, Received, subscribed
from gateway.northbound.settings import MqttSettings

RETRY = 1.0
"""Seconds between two attempts to reach the broker, or to find a gateway there."""
SETTLE = 0.5
"""Seconds in which a broker has handed out the statuses that it retained."""
REDRAW = 0.25


class Follower:
    """The connection to the broker, made again and again."""

    def __init__(self, settings: MqttSettings, output: Output, clock: Clock) -> None:
        self._settings = settings
        self._output = output
        self._clock = clock
        self._told = ""

    async def run(self, gateway: str | None) -> None:
        """Follow for ever; the only gateway there is where None is named. Raises SettingsError where several are."""
        self._output.tick()
        state = WatchState(self._settings.root, gateway or await self._find())
        self._output.watch(state)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(state.patterns), name="messages")
            group.create_task(self._tick(), name="redraw")

    async def _follow(self, patterns: list[str]) -> None:
        while True:
            try:
                async with subscribed(self._settings, patterns) as messages:
                    self._tell("")
                    async for received in messages:
                        self._output.take(received)
            except LinkDown as problem:
                self._tell(f"{problem}; trying again")
            await asyncio.sleep(RETRY)

    async def _find(self) -> str:
        """Return the id of the only gateway that has told its status; wait until there is one."""
        while True:
            trouble = f"{self._settings.address.url}: no gateway has told its status yet; waiting for one"
            states: dict[str, str] = {}
            try:
                async with subscribed(self._settings, [f"{self._settings.root}/+/status"]) as messages:
                    states = await self._collect(messages)
            except LinkDown as problem:
                trouble = f"{problem}; trying again"
            found = choose(states)
            if found is not None:
                return found
            self._tell(trouble)
            await asyncio.sleep(RETRY)

    async def _collect(self, messages: AsyncIterator[Received]) -> dict[str, str]:
        states: dict[str, str] = {}
        try:
            async with asyncio.timeout(SETTLE):
                async for topic, payload in messages:
                    gateway = topic.removeprefix(f"{self._settings.root}/").removesuffix("/status")
                    states[gateway] = read_status(payload, self._clock.wall())
        except TimeoutError:
            pass
        return states

    async def _tick(self) -> None:
        while True:
            self._output.tick()
            await asyncio.sleep(REDRAW)

    def _tell(self, line: str) -> None:
        if line != self._told:
            self._told = line
            self._output.trouble(line)


def choose(states: Mapping[str, str]) -> str | None:
    """Return the gateway to watch, given each one's state; None where there is none yet.

    Raises SettingsError where there are several. One that lives is preferred to those that do not.
    """
    known = [gateway for gateway, state in states.items() if state]
    living = [gateway for gateway in known if states[gateway] not in {"offline", "expired"}]
    candidates = living or known
    if len(candidates) > 1:
        raise SettingsError(f"several gateways publish here; name one with --gateway: {', '.join(sorted(candidates))}")
    return candidates[0] if candidates else None
