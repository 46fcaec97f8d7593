"""Where commands of strangers come in: read strictly, put down to somebody, and handed to the arbiter.

Every message has one answer, whatever it was.
"""

from typing import get_args

from gateway.control.arbiter import Arbiter
from gateway.control.authority import ANONYMOUS
from gateway.control.command import Command, NotACommand, Verb, read_command
from gateway.control.principal import Authenticated, Principals, SequenceUsed
from gateway.control.refusal import Refused
from gateway.control.reply import Reply

NO_ID = "_"
"""The id of the reply to a message whose own could not be used."""

_VERBS: dict[str, Verb] = {verb: verb for verb in get_args(Verb)}


class Reception:
    """Takes messages from the command topics."""

    def __init__(self, arbiter: Arbiter, principals: Principals) -> None:
        self._arbiter = arbiter
        self._principals = principals

    async def receive(
        self, verb: str, principal: str | None, payload: bytes, *, retained: bool, received: float
    ) -> Reply:
        """Return the answer. Principal: as the topic says, None where it says nothing. Received: monotonic."""
        command_id = NO_ID
        try:
            command = _read(verb, payload)
            command_id = command.id or NO_ID
            who = self._identify(command, principal, retained=retained)
        except NotACommand as error:
            return await self._refuse(Refused(error.code, str(error)), error.id or NO_ID, ANONYMOUS)
        except SequenceUsed as copy:
            return await self._repeat(copy, command)
        except Refused as refused:
            return await self._refuse(refused, command_id, ANONYMOUS)
        return await self._arbiter.submit(command, who.principal, received=received, changes=who.changes)

    def _identify(self, command: Command, principal: str | None, *, retained: bool) -> Authenticated:
        if retained:
            raise Refused("retained", "a command must not be retained: it would come again at each connect")
        return self._principals.identify(command, principal)

    async def _repeat(self, copy: SequenceUsed, command: Command) -> Reply:
        """Answer a copy of a signed command: as before where the same was answered, and as a forgery else."""
        try:
            reply = await self._arbiter.repeat(command, copy.principal)
        except Refused as refused:
            return await self._refuse(refused, command.id or NO_ID, copy.principal)
        return reply or await self._refuse(copy, command.id or NO_ID, copy.principal)

    async def _refuse(self, refused: Refused, command_id: str, principal: str) -> Reply:
        return await self._arbiter.refuse(refused, command_id, principal)


def _read(verb: str, payload: bytes) -> Command:
    known = _VERBS.get(verb)
    if known is None:
        raise Refused("bad_schema", f"there is no command {verb[:64]!r}; there are {', '.join(_VERBS)}")
    return read_command(known, payload)
