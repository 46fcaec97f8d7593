"""What speaks against whole devices, so that none of their tags are believed. Pure."""

IDENTITY, PULSE = "identity", "pulse"
"""The grounds, the weightier first: that a device is another; that its program stands still."""
_GROUNDS = (IDENTITY, PULSE)


class Bars:
    """By device and by ground, a reason in one word. They outlive connections."""

    def __init__(self) -> None:
        self._reasons: dict[str, dict[str, str]] = {}

    def put(self, device: str, ground: str, reason: str) -> None:
        """Bar a device on one ground."""
        self._reasons.setdefault(device, {})[ground] = reason

    def take(self, device: str, ground: str) -> None:
        """Let this ground speak against the device no longer."""
        self._reasons.get(device, {}).pop(ground, None)

    def reason(self, device: str) -> str:
        """Return why a device is not believed, empty where it is."""
        reasons = self._reasons.get(device)
        return next((reasons[ground] for ground in _GROUNDS if ground in reasons), "") if reasons else ""
