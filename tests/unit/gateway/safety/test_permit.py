"""A permit is good for one frame, once, now."""

import pytest

from gateway.safety.permit import Permit, PermitRefused

NOW = 1000.0


class Clock:
    def __init__(self) -> None:
        self.epoch, self.now = 3, NOW

    def __call__(self) -> tuple[int, float]:
        return self.epoch, self.now


def permit(clock: Clock) -> Permit:
    return Permit("boiler", "setpoint", (0x43E1, 0), generation=2, epoch=3, expires=NOW + 0.1, current=clock)


def test_it_is_spent_by_its_own_frame() -> None:
    permit(Clock()).spend("boiler", "setpoint", (0x43E1, 0), 2)


def test_it_is_spent_once() -> None:
    one = permit(Clock())
    one.spend("boiler", "setpoint", (0x43E1, 0), 2)
    with pytest.raises(PermitRefused, match="spent already"):
        one.spend("boiler", "setpoint", (0x43E1, 0), 2)


def test_an_attempt_with_another_frame_uses_it_up() -> None:
    one = permit(Clock())
    with pytest.raises(PermitRefused, match="another frame"):
        one.spend("boiler", "setpoint", (1, 2), 2)
    with pytest.raises(PermitRefused, match="spent already"):
        one.spend("boiler", "setpoint", (0x43E1, 0), 2)


@pytest.mark.parametrize(
    "frame",
    [
        ("turbine", "setpoint", (0x43E1, 0), 2),
        ("boiler", "enable", (0x43E1, 0), 2),
        ("boiler", "setpoint", (0x43E1, 1), 2),
        ("boiler", "setpoint", [0x43E1, 0], 2),
        ("boiler", "setpoint", (0x43E1, 0), 3),
    ],
)
def test_it_is_for_no_other_frame(frame: tuple[str, str, object, int]) -> None:
    with pytest.raises(PermitRefused, match="another frame"):
        permit(Clock()).spend(*frame)


def test_true_is_not_1_on_the_wire() -> None:
    one = Permit("boiler", "enable", raw=True, generation=2, epoch=3, expires=NOW, current=Clock())
    with pytest.raises(PermitRefused, match="another frame"):
        one.spend("boiler", "enable", 1, 2)


def test_what_happened_since_voids_it() -> None:
    clock = Clock()
    one = permit(clock)
    clock.epoch += 1
    with pytest.raises(PermitRefused, match="judged anew"):
        one.spend("boiler", "setpoint", (0x43E1, 0), 2)


@pytest.mark.parametrize("now", [NOW + 0.101, float("nan")])
def test_time_voids_it(now: float) -> None:
    clock = Clock()
    one = permit(clock)
    clock.now = now
    with pytest.raises(PermitRefused, match="too long ago"):
        one.spend("boiler", "setpoint", (0x43E1, 0), 2)
