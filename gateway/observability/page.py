"""What a page of the HTTP server is: a callable that is asked anew for every request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a content type and a body, ready to be sent."""

    status: int
    content_type: str
    body: bytes


Page: TypeAlias = Callable[[str], Answer]
"""Accept header of the request, perhaps empty -> answer. Called in the server's threads, also at once."""


def line(status: int, text: str) -> Answer:
    """Return an answer of one line of plain text."""
    return Answer(status, PLAIN, f"{text}\n".encode())
