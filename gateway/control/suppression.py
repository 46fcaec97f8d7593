"""Which alarms of constraints are hidden, because their only cause is a lost device with an alarm of its own. Pure.

Presentation only: a constraint whose alarm is hidden denies all the same.
"""

from collections.abc import Callable

from gateway.safety.alarm import AlarmState
from gateway.safety.live import LiveConstraint
from gateway.safety.verdict import Verdict


def follow_lost_devices(
    live: LiveConstraint, now: float, is_lost: Callable[[str], bool], is_good: Callable[[str], bool]
) -> None:
    """Suppress the alarm of a constraint, or show it again.

    Is_lost: tells of a device whether it is lost and shown to be. Is_good: tells of a tag whether it can be believed.
    """
    alarm = live.alarm
    if is_only_lost(live, is_lost, is_good):
        alarm.suppress()
    elif alarm.state is AlarmState.SUPPRESSED:
        alarm.show()
        if now < alarm.shelved_until:
            alarm.shelve(alarm.shelved_until)


def is_only_lost(live: LiveConstraint, is_lost: Callable[[str], bool], is_good: Callable[[str], bool]) -> bool:
    """Return whether nothing is wrong with a constraint but that devices of its tags are lost.

    A trip that is latched is a cause of its own, and so is a doubtful tag of a device that answers.
    """
    if live.judgement.verdict is not Verdict.UNKNOWN or live.latch.is_latched:
        return False
    watched = live.constraint.watched
    lost = [tag for tag in watched if is_lost(tag.partition(".")[0])]
    return bool(lost) and all(is_good(tag) for tag in watched if tag not in lost)
