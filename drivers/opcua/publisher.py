"""Keeps publish requests waiting at the server, and hands each answer to its subscription.

The library's own loop is not used: it hides what goes wrong, drops a message that it cannot parse, and
ends without a word when the server has lost the subscription.
"""

import asyncio
from collections.abc import Sequence

from asyncua import ua

from drivers.errors import DeviceFault, LinkLost
from drivers.opcua.binary import BadEncoding
from drivers.opcua.channel import FOR_EVER, Channel
from drivers.opcua.notification import Publication, read_publication
from drivers.opcua.subscription import Subscription

REQUESTS = 3
"""Publish requests that wait at the server, so that it never waits for the way there and back."""

_TOO_MANY = "too_many_publish_requests"
_NONE_LEFT = "subscription_lost"
"""What a request ends with that waits for no subscription any more."""


class Publisher:
    """The publish requests of one connection, for the subscriptions of all its readers."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._subscriptions: dict[int, Subscription] = {}
        self._needed = asyncio.Event()
        self._turn = asyncio.Lock()
        self._acknowledge: list[ua.SubscriptionAcknowledgement] = []
        self._asking = 0

    def add(self, subscription: Subscription) -> None:
        """Hand a subscription what is published for it from now on."""
        self._subscriptions[subscription.id] = subscription
        self._needed.set()

    async def drop(self, subscriptions: Sequence[Subscription]) -> None:
        """Have the server end subscriptions of which nobody wants to hear any more. Raises LinkLost."""
        if not subscriptions:
            return
        request = ua.DeleteSubscriptionsRequest()
        request.Parameters.SubscriptionIds = [ua.IntegerId(each.id) for each in subscriptions]
        for each in subscriptions:
            self._subscriptions.pop(each.id, None)
        try:
            await self._channel.ask(request, ua.DeleteSubscriptionsResponse)
        except LinkLost:
            raise
        except DeviceFault:
            return  # it goes on unheard, until the connection ends

    def overdue(self, now: float) -> Subscription | None:
        """Return a subscription for which nothing was published for too long, None while all is well."""
        return next((found for found in self._subscriptions.values() if found.is_overdue(now)), None)

    async def run(self) -> None:
        """Keep one request waiting, for as long as the server takes it. Raises LinkLost."""
        await self._needed.wait()
        self._asking += 1
        while True:
            request = ua.PublishRequest()
            request.Parameters.SubscriptionAcknowledgements, self._acknowledge = self._acknowledge, []
            try:
                data = await self._channel.ask_bytes(request, FOR_EVER)
            except DeviceFault as fault:
                if fault.kind == _TOO_MANY and self._asking > 1:
                    self._asking -= 1
                    return
                if fault.kind == _NONE_LEFT and not self._subscriptions:
                    self._needed.clear()
                    await self._needed.wait()
                    continue
                raise LinkLost(fault.kind, str(fault)) from None
            async with self._turn:  # first come, first served: in the order in which the answers came
                await self._take(data)

    async def _take(self, data: bytes) -> None:
        try:
            publication = read_publication(data)
            subscription = self._subscriptions.get(publication.subscription)
            if subscription is not None:  # else one that was just created, with nothing to tell yet
                await subscription.take(data, publication)
        except BadEncoding as error:
            raise LinkLost("bad_reply", f"{self._channel.address}: Publish: {error}") from None
        self._note(publication)

    def _note(self, publication: Publication) -> None:
        if publication.parts:
            self._acknowledge.append(
                ua.SubscriptionAcknowledgement(
                    SubscriptionId=ua.IntegerId(publication.subscription),
                    SequenceNumber=ua.Counter(publication.sequence),
                )
            )
