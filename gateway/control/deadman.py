"""The gateway's sign of life to its devices: a beat every period, for as long as the evaluation is on time.

A PLC that misses its beats takes its plant to safety by itself. So a beat says one thing alone, that the gate judges,
and whatever keeps the gate from judging keeps the beats back: an evaluation that is late releases none, and one that
has been waiting for the wire since a better time is not sent any more.
"""

import asyncio
from collections.abc import Callable, Mapping

from gateway.clock import Clock
from gateway.control.beat_stops import BeatStops
from gateway.control.beats import Beats
from gateway.control.keep_alive_log import KeepAliveLog
from gateway.control.outlet import Outlet
from gateway.control.refusal import Refused
from gateway.control.target import Mode, check_device
from gateway.control.trips import Tell
from gateway.counters import ControlCounters
from gateway.endpoints.device import Device
from gateway.safety.gate import Gate


class Deadmen:
    """The beats of all devices; its `release` listens to the guard's evaluations that are on time."""

    def __init__(
        self,
        outlets: Mapping[str, Outlet],
        gate: Gate,
        stops: BeatStops,
        mode: Callable[[Device], Mode],
        is_on_time: Callable[[], bool],
        log: KeepAliveLog,
        clock: Clock,
        counters: ControlCounters,
        tell: Tell,
    ) -> None:
        """Outlets: by device. Is_on_time: the guard's, asked again in the step of each frame."""
        self._stops = stops
        self._mode = mode
        self._is_on_time = is_on_time
        self._is_closed = False
        self._beats = [
            Beats(deadman, outlet, gate, clock, self._asker(outlet.device), log, counters, tell)
            for outlet in outlets.values()
            if (deadman := outlet.device.settings.deadman) is not None
        ]

    def release(self, now: float) -> None:
        """Let go the beats that are due; called after each evaluation that is on time, with its time, monotonic."""
        if self._is_closed:
            return
        for beats in self._beats:
            beats.release(now)

    async def close(self, seconds: float = 1.0) -> None:
        """Release no more, and give what is under way some time; a frame on the wire is the lane's."""
        self._is_closed = True
        for beats in self._beats:
            beats.end("stop")
        tasks = [beats.task for beats in self._beats if beats.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _asker(self, device: Device) -> Callable[[float, bool], str]:
        return lambda now, is_beating: self._why_not(device, now, is_beating=is_beating)

    def _why_not(self, device: Device, now: float, *, is_beating: bool) -> str:
        """Return what speaks against beats, in the words of a record; empty for nothing."""
        if self._is_closed:
            return "stop"
        if not self._is_on_time():
            return "late"
        mode = self._mode(device)
        if mode != "on":
            return f"control is {mode}"
        try:
            check_device(device)
        except Refused as refused:
            return refused.code
        tripped = self._stops.reason(device.name, now, is_beating=is_beating)
        return f"tripped: {tripped}" if tripped else ""
