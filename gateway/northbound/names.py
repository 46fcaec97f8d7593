"""The topics of one gateway: `agent/{id}/...`. Pure."""

from gateway.northbound.packets import topic_head


class Topic:
    """A topic that is published to, as text and as a PUBLISH carries it."""

    __slots__ = ("head", "kind", "text")

    def __init__(self, text: str, kind: str) -> None:
        """`kind` is its level below the gateway's id."""
        self.text = text
        self.kind = kind
        self.head = topic_head(text)


class Names:
    """Every topic of the gateway, below its root and id."""

    __slots__ = ("_prefix",)

    def __init__(self, root: str, gateway_id: str) -> None:
        self._prefix = f"{root}/{gateway_id}"

    @property
    def status(self) -> Topic:
        """Whether the gateway lives; everything else that is retained counts only while it does."""
        return self._topic("status")

    def device(self, device: str) -> Topic:
        """Return the topic of a device's connection state and the metadata of its tags."""
        return self._topic("device", device)

    def tag(self, device: str, tag: str) -> Topic:
        """Return the topic of a tag's newest sample."""
        return self._topic("tag", device, tag)

    def batch(self, device: str) -> Topic:
        """Return the topic of what changed in a device in one scan."""
        return self._topic("batch", device)

    def constraint(self, name: str) -> Topic:
        """Return the topic of a constraint's verdict."""
        return self._topic("constraint", name)

    def event(self, kind: str) -> Topic:
        """Return the topic of the events of one kind."""
        return self._topic("event", kind)

    def reply(self, command_id: str) -> Topic:
        """Return the topic of the reply to a command; `_` where the command's id could not be used."""
        return self._topic("reply", command_id)

    @property
    def audit(self) -> Topic:
        """Each audit record as it is chained."""
        return self._topic("audit")

    @property
    def command(self) -> str:
        """What the topics of commands begin with; the only ones that the gateway listens to."""
        return f"{self._prefix}/command"

    def _topic(self, kind: str, *levels: str) -> Topic:
        return Topic("/".join((self._prefix, kind, *levels)), kind)
