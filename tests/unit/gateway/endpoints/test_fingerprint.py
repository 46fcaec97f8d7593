"""A device is believed only while its fingerprint is right."""

import asyncio

import pytest

from drivers.errors import DeviceFault
from drivers.values import Quality, Sample, Value, bad
from gateway.endpoints.fingerprint import MISMATCH, UNREAD, Mark, find_doubt
from tests.unit.gateway.endpoints.blocks import Scan, play, timeout

RIGHT = {"t0": 7}


@pytest.mark.parametrize(
    ("mark", "value"), [(7, 7), (7, 7.0), (4.7, 4.699999809265137), (True, True), ("A7", "A7"), (0, 0), (0.0, 0)]
)
def test_these_are_alike(mark: Mark, value: Value) -> None:
    assert find_doubt({"t": mark}, {"t": Sample(value)}) is None


@pytest.mark.parametrize(
    ("mark", "value"),
    [(7, 8), (1, True), (True, 1), ("7", 7), (7, "7"), (7.0, float("nan")), (4.7, 4.71), (7, None), ("A7", b"A7")],
)
def test_these_are_not(mark: Mark, value: Value) -> None:
    doubt = find_doubt({"t": mark}, {"t": Sample(value)})
    assert doubt is not None
    assert doubt.reason == MISMATCH
    assert "t reads" in doubt.why


@pytest.mark.parametrize("sample", [bad("timeout"), Sample(7, Quality.UNCERTAIN, "out_of_range")])
def test_a_sample_that_is_not_good_proves_nothing(sample: Sample) -> None:
    doubt = find_doubt({"t": 7}, {"t": sample})
    assert doubt is not None
    assert doubt.reason == UNREAD


def test_a_wrong_tag_says_more_than_one_that_was_not_read() -> None:
    doubt = find_doubt({"a": 7, "b": 1}, {"a": bad("timeout"), "b": Sample(2)})
    assert doubt is not None
    assert doubt.reason == MISMATCH


def test_a_device_with_the_right_fingerprint_is_believed_as_soon_as_that_was_read() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.values[0] = 7.0
        task = asyncio.create_task(scan.poller.scan())
        await asyncio.sleep(0.15)  # the first block was handed over
        assert scan.device.state.connected
        await task
        assert scan.samples() == [Sample(7.0), Sample(1.0)]
        assert scan.device.state.connected

    play(story, [0.01, 0.5], fingerprint=RIGHT)


def test_nothing_of_another_device_is_believed_and_its_state_says_why() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.values[0] = 8.0
        await scan.scans(2)
        assert scan.samples() == [bad(MISMATCH)] * 2
        assert scan.device.state.reason == MISMATCH
        assert not scan.device.state.connected
        assert {sample for _, changes in scan.told for _, sample in changes} <= {bad(UNREAD), bad(MISMATCH)}

    play(story, [0.01, 0.01], fingerprint=RIGHT)


def test_until_the_fingerprint_was_read_nothing_is_believed() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.faults[0] = DeviceFault("exception_2", "no such register")
        await scan.scans(2)
        assert scan.samples() == [bad("exception_2"), bad(UNREAD)]
        assert not scan.device.state.connected

    play(story, [0.01, 0.01], fingerprint=RIGHT)


def test_a_device_that_becomes_another_is_bad_at_once_and_good_when_it_is_itself_again() -> None:
    async def story(scan: Scan) -> None:
        scan.reader.values[0] = 7.0
        await scan.scans(1)
        scan.reader.values[0] = 8.0
        await scan.scans(1)
        assert scan.samples() == [bad(MISMATCH)] * 2
        scan.reader.values[0] = 7.0
        scan.batches.clear()
        await scan.scans(1)
        assert scan.samples() == [Sample(7.0), Sample(1.0)]
        # What did not change meanwhile is told again, since it was BAD.
        assert sorted(scan.told[-1][1]) == [("t0", Sample(7.0)), ("t1", Sample(1.0))]
        assert scan.device.state.connected

    play(story, [0.01, 0.01], fingerprint=RIGHT)


@pytest.mark.parametrize("neighbours", [0, 1])
def test_a_unit_that_was_silent_has_to_show_its_fingerprint_anew(neighbours: int) -> None:
    async def story(scan: Scan) -> None:
        scan.reader.values[0] = 7.0
        await scan.scans(1)
        scan.reader.faults = {0: timeout(), 1: timeout()}
        await scan.scans(2)
        assert scan.samples() == [bad("timeout")] * 2
        scan.reader.faults = {0: timeout()}
        await scan.scans(2)
        assert scan.samples() == [bad("timeout"), bad(UNREAD)]
        assert not scan.device.state.connected
        scan.reader.faults = {}
        await scan.scans(2)
        assert scan.samples() == [Sample(7.0), Sample(1.0)]

    play(story, [0.01, 0.01], fingerprint=RIGHT, neighbours=neighbours)
