"""The life of an alarm after ISA-18.2, as one table. Presentation only: no interlock ever asks it. Pure.

The states are those of ANSI/ISA-18.2 and OPC UA Part 9; docs/ shows the table drawn from here.
"""

from enum import Enum
from math import inf


class AlarmState(Enum):
    """What an operator sees of an alarm."""

    NORMAL = "normal"
    UNACK_ACTIVE = "unack_active"
    ACK_ACTIVE = "ack_active"
    RTN_UNACK = "rtn_unack"
    """The cause is gone, and nobody has acknowledged that it was there."""
    LATCHED = "latched"
    """Acknowledged and gone, and the trip that it brought is not reset."""
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    """Its only cause has an alarm of its own, such as a lost device."""
    OUT_OF_SERVICE = "out_of_service"


class AlarmEvent(Enum):
    """What can happen to an alarm; the condition is told by the caller, time-outs included."""

    RAISE = "raise"
    CLEAR = "clear"
    CLEAR_LATCHED = "clear_latched"
    ACKNOWLEDGE = "acknowledge"
    ACKNOWLEDGE_LATCHED = "acknowledge_latched"
    RESET = "reset"
    SHELVE = "shelve"
    SUPPRESS = "suppress"
    REMOVE = "remove"
    SHOW_ACTIVE = "show_active"
    """No longer shelved, suppressed or out of service, and the cause is present."""
    SHOW_LATCHED = "show_latched"
    SHOW_NORMAL = "show_normal"


_S, _E = AlarmState, AlarmEvent
HIDDEN = frozenset((_S.SHELVED, _S.SUPPRESSED, _S.OUT_OF_SERVICE))
SHELVED = _S.SHELVED
_SHOWN = (_S.NORMAL, _S.UNACK_ACTIVE, _S.ACK_ACTIVE, _S.RTN_UNACK, _S.LATCHED)

TRANSITIONS: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (_S.NORMAL, _E.RAISE): _S.UNACK_ACTIVE,
    (_S.UNACK_ACTIVE, _E.ACKNOWLEDGE): _S.ACK_ACTIVE,
    (_S.UNACK_ACTIVE, _E.ACKNOWLEDGE_LATCHED): _S.ACK_ACTIVE,
    (_S.UNACK_ACTIVE, _E.CLEAR): _S.RTN_UNACK,
    (_S.UNACK_ACTIVE, _E.CLEAR_LATCHED): _S.RTN_UNACK,
    (_S.ACK_ACTIVE, _E.CLEAR): _S.NORMAL,
    (_S.ACK_ACTIVE, _E.CLEAR_LATCHED): _S.LATCHED,
    (_S.RTN_UNACK, _E.RAISE): _S.UNACK_ACTIVE,
    (_S.RTN_UNACK, _E.ACKNOWLEDGE): _S.NORMAL,
    (_S.RTN_UNACK, _E.ACKNOWLEDGE_LATCHED): _S.LATCHED,
    (_S.LATCHED, _E.RAISE): _S.UNACK_ACTIVE,
    (_S.LATCHED, _E.RESET): _S.NORMAL,
    **{(state, _E.SHELVE): _S.SHELVED for state in _SHOWN},
    **{(state, _E.SUPPRESS): _S.SUPPRESSED for state in _SHOWN},
    **{(state, _E.REMOVE): _S.OUT_OF_SERVICE for state in (*_SHOWN, _S.SHELVED, _S.SUPPRESSED)},
    **{(state, _E.SHOW_ACTIVE): _S.UNACK_ACTIVE for state in sorted(HIDDEN, key=lambda each: each.value)},
    **{(state, _E.SHOW_LATCHED): _S.LATCHED for state in sorted(HIDDEN, key=lambda each: each.value)},
    **{(state, _E.SHOW_NORMAL): _S.NORMAL for state in sorted(HIDDEN, key=lambda each: each.value)},
}
"""What is not in it changes nothing."""


class Alarm:
    """One alarm: its state, whether its cause is present and whether a trip of it is latched."""

    __slots__ = ("active", "latched", "shelved_until", "state")

    def __init__(self, *, latched: bool = False) -> None:
        """Latched: that a trip of it is remembered from before the start."""
        self.state = AlarmState.LATCHED if latched else AlarmState.NORMAL
        self.active = False
        self.latched = latched
        self.shelved_until = -inf
        """Monotonic."""

    def observe(self, now: float, *, active: bool, latched: bool) -> bool:
        """Take in the condition as it is; return whether the state changed."""
        before = self.state
        was_active, self.active = self.active, active
        was_latched, self.latched = self.latched, latched
        if active and not was_active:
            self._happen(AlarmEvent.RAISE)
        elif was_active and not active:
            self._happen(AlarmEvent.CLEAR_LATCHED if latched else AlarmEvent.CLEAR)
        if was_latched and not latched and not active:
            self._happen(AlarmEvent.RESET)
        if before is SHELVED and not now < self.shelved_until:
            self.show()
        return self.state is not before

    def acknowledge(self) -> bool:
        """Note that somebody has seen it; return whether that changed anything."""
        return self._happen(AlarmEvent.ACKNOWLEDGE_LATCHED if self.latched else AlarmEvent.ACKNOWLEDGE)

    def shelve(self, until: float) -> bool:
        """Hide it until then; return whether that changed anything."""
        self.shelved_until = until
        return self._happen(AlarmEvent.SHELVE)

    def suppress(self) -> bool:
        """Hide it while its cause has an alarm of its own."""
        return self._happen(AlarmEvent.SUPPRESS)

    def remove(self) -> bool:
        """Take it out of service."""
        return self._happen(AlarmEvent.REMOVE)

    def show(self) -> bool:
        """Show it again as its condition is now."""
        if self.active:
            return self._happen(AlarmEvent.SHOW_ACTIVE)
        return self._happen(AlarmEvent.SHOW_LATCHED if self.latched else AlarmEvent.SHOW_NORMAL)

    def _happen(self, event: AlarmEvent) -> bool:
        before = self.state
        self.state = TRANSITIONS.get((before, event), before)
        return self.state is not before
