"""What the Modbus rows of the fault matrix share: the meters of one gateway, and what a row sees of one of them."""

import asyncio
from itertools import cycle

from tests.integration.fake_plc import Asked, Behaviour, FakePlc, exception, good
from tests.scenarios.deadlines import BACK, LOST, SEEN, START
from tests.scenarios.matrix_site import MatrixSite, Stopwatch
from tests.scenarios.truthful_meter import Meter


def busy_every_other_time() -> Behaviour:
    """Answer every second request with exception 6."""
    turns = cycle((exception(6), good))

    async def answer(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
        await next(turns)(plc, asked, writer)

    return answer


class Rows:
    """All the meters, and the gateway that reads them."""

    def __init__(self, site: MatrixSite, meters: dict[str, Meter]) -> None:
        self.site = site
        self.meters = meters

    async def suffers(self, name: str, behaviour: Behaviour, kind: str) -> None:
        """See one meter answer wrongly for a while: what that costs, what it is called, and how it is over."""
        meter, watch = self.meters[name], Stopwatch(name)
        await self.site.client.all_good(name, 2, START)
        watch.restart()
        meter.breaks(behaviour)
        await self.is_lost_and_found(meter, kind, watch)
        assert await self.site.counts(name, kind) >= 1

    async def is_lost_and_found(self, meter: Meter, kind: str, watch: Stopwatch) -> None:
        """See its tags turn bad for this reason; then let it recover, and see the value that it has by then."""
        client = self.site.client
        await client.all_bad(meter.name, 2, LOST, kind)
        watch.lap(f"bad ({kind})")
        await self.site.shows_loss(meter.name, 2)
        meter.says_something_new()
        watch.restart()
        meter.recovers()
        await self.shows_the_truth(meter, BACK)
        watch.lap("good")
        self.site.believed_only(meter.name, meter.said)

    async def is_not_harmed(self, name: str, behaviour: Behaviour) -> None:
        """See every value of a meter that answers so, on one connection."""
        meter, client = self.meters[name], self.site.client
        await client.all_good(name, 2, START)
        since = client.seen[-1].at
        meter.plc.always(behaviour)
        for _ in range(5):
            meter.says_something_new()
            await self.shows_the_truth(meter, SEEN)
        of_it = [seen for seen in client.seen if seen.topic.startswith(f"tag/{name}/") and seen.at > since]
        assert {seen.payload["quality"] for seen in of_it} == {"good"}
        assert meter.plc.connections == 1
        self.site.believed_only(name, meter.said)

    async def shows_the_truth(self, meter: Meter, within: float) -> None:
        for tag in ("reading", "second"):
            await self.site.client.shows(f"tag/{meter.name}/{tag}", within, value=meter.value, quality="good")
