"""What the parts say of themselves, on its way to the publisher."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.app.control import Control
from gateway.app.plant import Plant
from gateway.app.reports import constraint_report, device_event, device_report
from gateway.audit.chain import head_text
from gateway.audit.journal import Heads
from gateway.audit.settings import AuditSettings
from gateway.clock import Clock
from gateway.control.guard import ConstraintState
from gateway.endpoints.device import Change, Device, DeviceState
from gateway.northbound.publisher import Publisher
from gateway.northbound.reports import EventReport
from gateway.safety.verdict import Verdict
from gateway.storage.port import Chained
from gateway.storage.sqlite import SqliteJournal


class Telling:
    """Translates for the publisher, which knows none of the parts."""

    def __init__(self, publisher: Publisher, plant: Plant, clock: Clock) -> None:
        self._publisher = publisher
        self._plant = plant
        self._clock = clock
        self._devices = {device.name: device for device in plant.devices}
        self._verdicts: dict[str, Verdict] = {}

    def wire(self, control: Control, journal: SqliteJournal, audit: AuditSettings) -> None:
        """Listen to everything. The guard listens to the image already: a verdict is there before its sample."""
        self._plant.image.listen(self._publisher.batch)
        control.guard.listen(self._constraint)
        journal.listen(self._audit)
        journal.listen(Heads(audit.head_every, lambda head: self._publisher.head(head_text(head))))
        for device in self._plant.devices:
            self._show(device)
            device.listen(self._device)

    def event(self, kind: str, what: str, details: Mapping[str, Any]) -> None:
        """Publish that something happened."""
        self._publisher.event(EventReport(kind, what, self._clock.wall(), details))

    def _constraint(self, state: ConstraintState) -> None:
        self._publisher.constraint(constraint_report(state))
        before, self._verdicts[state.name] = self._verdicts.get(state.name), state.verdict
        if state.verdict is Verdict.VIOLATED and before is not Verdict.VIOLATED:
            details = {"constraint": state.name, "level": state.level.value, "value": state.value}
            self.event("violation", state.reason or "violated", {**details, "min": state.min, "max": state.max})

    def _audit(self, chained: Sequence[Chained]) -> None:
        for each in chained:
            self._publisher.audit(each.body)

    def _show(self, device: Device) -> None:
        self._publisher.device(device_report(device))

    def _device(self, state: DeviceState, change: Change) -> None:
        self._show(self._devices[state.device])
        if change:
            self._publisher.event(device_event(state, change))
