"""Draws docs/safety-tables.md from the tables that decide: `python tools/draw_safety_tables.py > docs/...`."""

import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # as a script it sees its own folder only

from gateway.safety.alarm import TRANSITIONS as ALARM
from gateway.safety.alarm import AlarmEvent, AlarmState
from gateway.safety.trip import LATCHED, TripEvent, TripState
from gateway.safety.trip import TRANSITIONS as TRIP

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)

TRIP_STATES = {
    TripState.CLEAR: "nothing to report",
    TripState.PENDING: "violated, and `on_delay` is not over; it stands still while the value is in doubt",
    TripState.TRIPPED: "latched, the cause present or in doubt",
    TripState.RETURNING: "latched, the cause gone, `off_delay` not over",
    TripState.RESETTABLE: "latched, the cause gone for long enough: a reset is accepted",
}
TRIP_EVENTS = {
    TripEvent.VIOLATED: "a fresh, good sample outside the limit",
    TripEvent.OK: "a fresh, good sample inside it, past the hysteresis",
    TripEvent.UNKNOWN: "any doubt",
    TripEvent.ON_DELAY_OVER: "it was seen violated for `on_delay`",
    TripEvent.UNKNOWN_DELAY_OVER: "with `on_unknown: trip`: in doubt for `unknown_delay`, and good once before",
    TripEvent.OFF_DELAY_OVER: "it was OK for `off_delay`",
    TripEvent.RESET: "a person resets it",
    TripEvent.RESET_BYPASSED: "a person resets it while it is bypassed",
}
ALARM_STATES = {
    AlarmState.NORMAL: "no cause, nothing to acknowledge",
    AlarmState.UNACK_ACTIVE: "the cause is present and nobody has acknowledged it",
    AlarmState.ACK_ACTIVE: "the cause is present and somebody knows",
    AlarmState.RTN_UNACK: "the cause is gone, and nobody has acknowledged that it was there",
    AlarmState.LATCHED: "acknowledged and gone, and the trip that it brought is not reset",
    AlarmState.SHELVED: "hidden by a person until a time",
    AlarmState.SUPPRESSED: "hidden while its only cause has an alarm of its own, such as a lost device",
    AlarmState.OUT_OF_SERVICE: "hidden by a person until they say otherwise",
}
ALARM_EVENTS = {
    AlarmEvent.RAISE: "the verdict is no longer OK",
    AlarmEvent.CLEAR: "the verdict is OK again, and nothing is latched",
    AlarmEvent.CLEAR_LATCHED: "the verdict is OK again, and the trip is latched",
    AlarmEvent.ACKNOWLEDGE: "a person has seen it, and nothing is latched",
    AlarmEvent.ACKNOWLEDGE_LATCHED: "a person has seen it, and the trip is latched",
    AlarmEvent.RESET: "the trip is reset, the cause gone",
    AlarmEvent.SHELVE: "a person hides it for a time",
    AlarmEvent.SUPPRESS: "its cause has an alarm of its own",
    AlarmEvent.REMOVE: "a person takes it out of service",
    AlarmEvent.SHOW_ACTIVE: "no longer hidden, the cause present",
    AlarmEvent.SHOW_LATCHED: "no longer hidden, the cause gone, the trip latched",
    AlarmEvent.SHOW_NORMAL: "no longer hidden, and nothing the matter",
}
PAGE = """# Trips and alarms as tables

Drawn by `python tools/draw_safety_tables.py` from `gateway/safety/trip.py` and `gateway/safety/alarm.py`; a test fails
where this page is not what they say. A column is a state, a row an event, and where they meet is the next state. An
empty field: the event changes nothing.

## The latch of a trip

Each constraint has one. In the **bold** states it is latched. Only a reset leads out of them, and only from resettable,
unless the constraint is bypassed. A restart keeps a latch: it begins in tripped. While a constraint is bypassed its
delays run on, but none of them trips it.

{trip}

## The alarm of a constraint

After ANSI/ISA-18.2. It is presentation: what is hidden denies and trips all the same.

{alarm}
"""


def diagram(table: Mapping[tuple[S, E], S], first: S) -> str:
    """Return the table as a state diagram; events that lead the same way share an arrow."""
    arrows: dict[tuple[S, S], list[str]] = {}
    for (state, event), following in table.items():
        arrows.setdefault((state, following), []).append(event.value)
    lines = [f"    {state.value} --> {after.value}: {', '.join(events)}" for (state, after), events in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {first.value}", *lines, "```"])


def matrix(table: Mapping[tuple[S, E], S], states: Mapping[S, str], events: Mapping[E, str], bold: frozenset[S]) -> str:
    """Return the table as one: a row an event, a column a state."""

    def name(state: S) -> str:
        return f"**{state.value}**" if state in bold else state.value

    rows = ["| | " + " | ".join(name(state) for state in states) + " |", "|---" * (len(states) + 1) + "|"]
    for event in events:
        cells = [name(table[state, event]) if (state, event) in table else "" for state in states]
        rows.append(f"| {event.value} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def words(title: str, meanings: Mapping[S, str]) -> str:
    """Return what each state or event means."""
    rows = [f"| {each.value} | {meaning} |" for each, meaning in meanings.items()]
    return "\n".join([f"| {title} | means |", "|---|---|", *rows])


def draw() -> str:
    """Return the page."""
    trip = [
        diagram(TRIP, TripState.CLEAR),
        matrix(TRIP, TRIP_STATES, TRIP_EVENTS, LATCHED),
        words("state", TRIP_STATES),
        words("event", TRIP_EVENTS),
    ]
    alarm = [
        diagram(ALARM, AlarmState.NORMAL),
        matrix(ALARM, ALARM_STATES, ALARM_EVENTS, frozenset()),
        words("state", ALARM_STATES),
        words("event", ALARM_EVENTS),
    ]
    return PAGE.format(trip="\n\n".join(trip), alarm="\n\n".join(alarm))


if __name__ == "__main__":
    sys.stdout.write(draw())
