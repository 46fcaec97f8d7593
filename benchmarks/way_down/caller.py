"""Whoever sends commands over MQTT, in a thread of its own, so that its own work does not count into a loop's."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Mapping
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.way_down.site import PATIENCE

RETRY = 0.05


class Answer(NamedTuple):
    """A reply, and how long it took."""

    reply: dict[str, Any]
    seconds: float


class Caller:
    """One client of the broker."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._name = uuid4().hex  # an id of before would only have its answer repeated
        self._numbers = count()
        self._waiting: dict[str, asyncio.Future[tuple[dict[str, Any], float]]] = {}
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        wire: Any = self._client.socket()
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.subscribe("agent/bench/reply/#", qos=1)
        self._thread = threading.Thread(target=self._client.loop_forever)
        self._thread.start()

    async def ask(self, verb: str, fields: Mapping[str, Any], patience: float = PATIENCE) -> Answer:
        """Send a command; return its reply, and the seconds from the one to the other."""
        command_id = f"{self._name}-{next(self._numbers)}"
        answer = self._waiting[command_id] = self._loop.create_future()
        payload = json.dumps({"id": command_id, "actor": "bench", "reason": "bench", **fields})
        began = time.monotonic()
        self._client.publish(f"agent/bench/command/{verb}", payload, qos=1)
        async with asyncio.timeout(patience):
            reply, when = await answer
        return Answer(reply, when - began)

    async def insist(self, verb: str, fields: Mapping[str, Any]) -> None:
        """Send a command again and again, until it is applied."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    reply, _ = await self.ask(verb, fields, patience=1.0)
                except TimeoutError:  # the gateway may not have been there yet
                    continue
                if reply["outcome"] == "applied":
                    return
                await asyncio.sleep(RETRY)

    def stop(self) -> None:
        """Disconnect and end the thread."""
        self._client.disconnect()
        self._thread.join()

    def _take(self, _: object, __: object, message: MQTTMessage) -> None:
        when = time.monotonic()
        reply = json.loads(message.payload)
        self._loop.call_soon_threadsafe(self._settle, reply, when)

    def _settle(self, reply: dict[str, Any], when: float) -> None:
        answer = self._waiting.pop(reply["id"], None)
        if answer is not None and not answer.done():
            answer.set_result((reply, when))
