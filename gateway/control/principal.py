"""Who sends a command: by its signature, by a topic that the broker vouches for, or nobody in particular."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from gateway.clock import Clock
from gateway.control.authority import ANONYMOUS
from gateway.control.command import ID, Command, Signature
from gateway.control.keys import PublicKey, SharedSecret, Verifier
from gateway.control.refusal import Refused
from gateway.control.sequences import Sequences
from gateway.control.settings import RESERVED, CommandSettings
from gateway.control.signing import is_signed
from gateway.storage.port import Change


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who it is, as far as it is proved."""

    principal: str
    changes: Callable[[], tuple[Change, ...]] = tuple
    """Returns what belongs into the first commit about the command, be it its intent or its refusal: the sequence
    that it has used up. To be called in the step that commits; see `Sequences.changes`."""


class SequenceUsed(Refused):
    """The signature is right, but its sequence was used before: a copy, sent on purpose or by the network.

    Nothing of it may be carried out. Where the very same command was answered, that answer may be repeated.
    """

    def __init__(self, principal: str, sequence: int) -> None:
        super().__init__(
            "unauthenticated", f"the key {principal!r} has used sequence {sequence} or a later one; sign it anew"
        )
        self.principal = principal


class Principals:
    """Everybody who can prove who they are."""

    def __init__(
        self,
        gateway: str,
        settings: CommandSettings,
        sequences: Sequences,
        clock: Clock,
        *,
        trusts_time: Callable[[], bool],
        trust_topic: bool,
    ) -> None:
        """Gateway: its id, to which signatures are bound. Trust topic: `mqtt.trust_topic_principal`."""
        self._gateway = gateway
        self._require = settings.require_signature
        self._verifiers: Mapping[str, Verifier] = {
            name: SharedSecret(key.hmac.encode()) if key.hmac is not None else PublicKey(key.ed25519 or "")
            for name, key in settings.keys.items()
        }
        self._sequences = sequences
        self._clock = clock
        self._trusts_time = trusts_time
        self._trust_topic = trust_topic

    def identify(self, command: Command, topic_principal: str | None) -> Authenticated:
        """Return who sends it. A signature that is not right is never taken for none at all.

        Topic principal: the last level of the topic, None where it has none.

        Raises:
            Refused: unauthenticated, expired or time_untrusted; SequenceUsed where it is a copy.
        """
        if command.signature is not None:
            return self._by_signature(command, command.signature)
        if self._require:
            raise Refused("unauthenticated", "commands have to be signed here (commands.require_signature)")
        if not self._trust_topic or topic_principal is None:
            return Authenticated(ANONYMOUS)
        return Authenticated(self._by_topic(topic_principal))

    def _by_topic(self, name: str) -> str:
        if not ID.fullmatch(name):
            raise Refused(
                "unauthenticated", "the topic's last level is no name of 1 to 64 letters, digits, '_' and '-'"
            )
        if name in RESERVED:
            raise Refused("unauthenticated", f"nobody can call themselves {name!r}; leave the last level out")
        if name in self._verifiers:
            # Else whoever the broker lets pass could do what the key was meant to prove.
            raise Refused("unauthenticated", f"{name!r} has a key in commands.keys, and so has to sign")
        return name

    def _by_signature(self, command: Command, signature: Signature) -> Authenticated:
        key = signature.key
        verifier = self._verifiers.get(key)
        if verifier is None:
            raise Refused("unauthenticated", f"there is no key {key!r} in commands.keys")
        if not is_signed(command, self._gateway, signature, verifier):
            raise Refused(
                "unauthenticated", f"the signature is not that of {key!r}, of this command, for {self._gateway!r}"
            )
        self._check_time(signature.not_after)
        if self._sequences.is_damaged:
            raise Refused(
                "unauthenticated",
                "the list of used sequences is damaged, so a copy could not be told; see `plantgate audit verify`",
            )
        if not self._sequences.take(key, signature.sequence):
            raise SequenceUsed(key, signature.sequence)
        return Authenticated(key, partial(self._sequences.changes, key))

    def _check_time(self, not_after: str) -> None:
        try:
            end = datetime.fromisoformat(not_after)
        except ValueError:
            end = None
        if end is None or end.tzinfo is None:
            raise Refused("unauthenticated", "signature: not_after is no time as 2026-01-02T03:04:05Z")
        now_wall = self._clock.wall()
        if not now_wall <= end.timestamp():
            here = datetime.fromtimestamp(now_wall, UTC).isoformat(timespec="seconds")
            raise Refused("expired", f"its signature held until {not_after}, and here it is {here}; sign it anew")
        if not self._trusts_time():
            raise Refused(
                "time_untrusted", "the gateway's clock is not synchronised, so no signature can be seen to hold"
            )
