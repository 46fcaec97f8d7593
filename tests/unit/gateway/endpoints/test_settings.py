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


@pytest.mark.parametrize("times", [0, 101])
def test_a_number_of_misses_that_demotes_nobody_or_everybody_is_refused(times: int) -> None:
    with pytest.raises(ValueError, match="demote_after"):
        DeviceSettings(demote_after=times)


@pytest.mark.parametrize("interval", [0.5, float("nan"), 3601.0])
def test_a_longest_interval_of_probes_without_sense_is_refused(interval: float) -> None:
    with pytest.raises(ValueError, match="probe_max"):
        DeviceSettings(probe_max=Seconds(interval))
