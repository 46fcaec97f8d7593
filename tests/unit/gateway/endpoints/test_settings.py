"""What a device may be told about its scans and reconnects."""

import pytest

from drivers.values import Seconds
from gateway.endpoints.settings import DeviceSettings


@pytest.mark.parametrize("pause", [0.0, 0.09, float("nan"), 3601.0])
def test_a_longest_pause_that_would_let_attempts_follow_without_one_is_refused(pause: float) -> None:
    with pytest.raises(ValueError, match="reconnect_max"):
        DeviceSettings(reconnect_max=Seconds(pause))


def test_the_shortest_and_the_longest_pause_are_taken() -> None:
    assert DeviceSettings(reconnect_max=Seconds(0.1)).reconnect_max == 0.1
    assert DeviceSettings(reconnect_max=Seconds(3600.0)).reconnect_max == 3600.0
