"""A command on its way out: built from options, checked as the gateway checks it, signed where there is a key."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gateway.control.command import Command, NotACommand, Verb, read_command
from gateway.control.keys import Signer
from gateway.control.signing import sign
from gateway.errors import SettingsError
from gateway.northbound.json_text import time_text

SIGNED_FOR = 60.0
"""Seconds that a signature holds where nothing is said: enough for clocks that differ a little."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, and by whom; not yet of which gateway."""

    verb: Verb
    fields: Mapping[str, Any]
    """As the payload has them."""
    principal: str | None = None
    """The last level of the topic, and the id of the key."""
    signer: Signer | None = None
    expires: float | None = None
    """Seconds from when it is sent."""

    def __post_init__(self) -> None:
        self._command(self.fields)

    @property
    def id(self) -> str:
        """The id of its reply."""
        return str(self.fields["id"])

    def payload(self, gateway: str, now_wall: float) -> bytes:
        """Return what is sent to a gateway now. The sequence is the time in milliseconds, so that nothing is kept."""
        fields = dict(self.fields)
        if self.expires is not None:
            fields["expires_at"] = time_text(now_wall + self.expires)
        if self.signer is not None and self.principal is not None:
            not_after = time_text(now_wall + (SIGNED_FOR if self.expires is None else self.expires))
            command = self._command(fields)
            sequence = int(now_wall * 1000)
            fields["signature"] = asdict(sign(command, gateway, self.principal, sequence, not_after, self.signer))
        self._command(fields)
        return json.dumps(fields).encode()

    def _command(self, fields: Mapping[str, Any]) -> Command:
        try:
            return read_command(self.verb, json.dumps(fields).encode())
        except NotACommand as problem:
            raise SettingsError(f"plantgate {self.verb}: {problem}") from None
