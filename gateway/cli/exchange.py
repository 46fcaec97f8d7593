"""Sending one command and waiting for its reply: subscribe first, send once, and say what is known if nothing comes."""

import asyncio
import json
from typing import Any

from gateway.cli.request import Request
from gateway.cli.watch_follow import SETTLE
from gateway.cli.watch_state import read_status
from gateway.clock import Clock
from gateway.errors import GatewayError, ServiceError, SettingsError
from gateway.northbound.caller import Caller, LinkDown, Unheard, calling
from gateway.northbound.names import Names
from gateway.northbound.settings import MqttSettings

_AWAY = frozenset({"offline", "expired"})


class Unanswered(GatewayError):
    """The command left, and whether it was carried out is not known."""


class Exchange:
    """One command at one broker."""

    def __init__(self, settings: MqttSettings, request: Request, clock: Clock, timeout: float) -> None:
        """Timeout: seconds to wait for the reply."""
        self._settings = settings
        self._request = request
        self._clock = clock
        self._timeout = timeout
        self._has_left = False

    async def run(self, gateway: str | None) -> dict[str, Any]:
        """Return the reply of a gateway, of the only one that lives where None is named.

        Raises:
            SettingsError: it is not clear which gateway is meant.
            Unanswered: it was sent, and no reply came.
            ServiceError: nothing was sent, or nobody got it.
        """
        try:
            async with calling(self._settings) as caller:
                return await self._run(caller, gateway)
        except Unheard as problem:
            raise ServiceError(f"{problem}; nothing was carried out") from None
        except LinkDown as problem:
            if not self._has_left:
                raise ServiceError(f"{problem}; nothing was sent") from None
            raise self._unanswered(str(problem)) from None
        except asyncio.CancelledError:
            if self._has_left:
                raise self._unanswered("interrupted") from None
            raise

    async def _run(self, caller: Caller, gateway: str | None) -> dict[str, Any]:
        chosen = await self._choose(caller, gateway)
        names = Names(self._settings.root, chosen)
        reply = names.reply(self._request.id).text
        await caller.subscribe([reply])
        payload = self._request.payload(chosen, self._clock.wall())
        to = [names.command, self._request.verb, *([self._request.principal] if self._request.principal else [])]
        self._has_left = True
        try:
            async with asyncio.timeout(self._timeout):
                await caller.publish("/".join(to), payload)
                return await _reply(caller, reply)
        except TimeoutError:
            raise self._unanswered(f"no reply from {chosen} within {self._timeout:g} s") from None

    def _unanswered(self, why: str) -> Unanswered:
        # One that expires would be another command the second time.
        again = "" if self._request.expires else f", or send it again with --id {self._request.id}: it counts once"
        return Unanswered(f"{why}: the command may have been carried out; look at the plant{again}")

    async def _choose(self, caller: Caller, gateway: str | None) -> str:
        """Return the gateway that is meant. Raises SettingsError or ServiceError where none can be it."""
        await caller.subscribe([Names(self._settings.root, gateway or "+").status.text])
        states = await self._states(caller, wanted=gateway)
        if gateway is not None:
            if states.get(gateway) == "offline":
                raise ServiceError(f"{gateway} is offline; nothing was sent")
            return gateway
        living = sorted(name for name, state in states.items() if state and state not in _AWAY)
        if len(living) > 1:
            raise SettingsError(f"several gateways live here; name one with --gateway: {', '.join(living)}")
        if not living:
            found = ", ".join(f"{name} is {state}" for name, state in sorted(states.items()) if state)
            raise ServiceError(
                f"{self._settings.address.url}: no gateway lives here ({found or 'none has told its status'}); "
                "nothing was sent"
            )
        return living[0]

    async def _states(self, caller: Caller, wanted: str | None) -> dict[str, str]:
        """Return what the gateways say of themselves; of the wanted one alone as soon as it has."""
        states: dict[str, str] = {}
        try:
            async with asyncio.timeout(SETTLE):
                while wanted is None or wanted not in states:
                    topic, payload = await caller.receive()
                    name = topic.removeprefix(f"{self._settings.root}/").removesuffix("/status")
                    states[name] = read_status(payload, self._clock.wall())
        except TimeoutError:
            pass
        return states


async def _reply(caller: Caller, topic: str) -> dict[str, Any]:
    """Return the first reply; whatever else comes there is none."""
    while True:
        received = await caller.receive()
        members = _members(received.payload) if received.topic == topic else {}
        if isinstance(members.get("outcome"), str):
            return members


def _members(payload: bytes) -> dict[str, Any]:
    try:
        members = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}
