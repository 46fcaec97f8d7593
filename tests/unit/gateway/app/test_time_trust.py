"""When the wall clock is trusted."""

import asyncio

from gateway.app.time_trust import EVERY, TimeTrust, kernel_says_synchronised
from gateway.settings.model import TimeSettings
from tests.virtual_time import VirtualClock, run_virtual


def test_a_configuration_that_asks_for_no_synchronisation_trusts_any_clock() -> None:
    assert TimeTrust(TimeSettings(require_sync=False), VirtualClock(), lambda: False)()


def test_the_kernel_is_asked_once_a_second_and_believed() -> None:
    async def main() -> None:
        answers = [False, True]
        trust = TimeTrust(TimeSettings(), VirtualClock(), lambda: answers.pop(0))
        assert [trust(), trust()] == [False, False]
        await asyncio.sleep(EVERY)
        assert trust()
        assert not answers

    run_virtual(main())


def test_this_kernel_gives_an_answer() -> None:
    assert kernel_says_synchronised() in {True, False}
