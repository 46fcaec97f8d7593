"""What the cases of one constraint are made from: the plant at rest, writes to ask it about, and times. Pure."""

from collections.abc import Iterator, Sequence
from math import inf

from gateway.safety.constraint import Constraint, SafeWrite, Setting, is_same, safe_value
from gateway.safety.kinds.compliance import Compliance
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.kinds.vote import Vote
from gateway.safety.verdict import SafetyLevel
from gateway.settings.model import Settings
from gateway.testing.case import Doubt, Drive, Ramp, Step
from gateway.testing.cell import CannotDrive, Cell, Kind, Span
from gateway.testing.plant_model import PlantModel, Values
from gateway.testing.rest import rest_values
from gateway.testing.stand_in import start_values
from gateway.testing.writes import Writes

LONGEST_WAIT = 7200.0
"""Seconds for which a case waits for what is not its own matter."""
MARGIN = 0.25
"""Seconds for whatever takes no time on a clock that jumps, beside scans and evaluations."""


class Bench:
    """One constraint, and everything that its cases need."""

    def __init__(self, settings: Settings, model: PlantModel, constraint: Constraint) -> None:
        """Settings: those of the stand-in, in which scans and ages are as they will be."""
        self.settings = settings
        self.model = model
        self.constraint = constraint
        self.period = settings.safety.period
        self._marks = start_values(settings)
        self.rest = rest_values(model, settings.safety.constraints, constraint, self._marks)
        self.writes = Writes(settings, model, constraint, self.rest)

    @property
    def is_critical(self) -> bool:
        """That it trips."""
        return self.constraint.level is SafetyLevel.CRITICAL

    @property
    def trips_on_doubt(self) -> bool:
        """That a doubt that lasts trips it."""
        return self.is_critical and self.constraint.on_unknown == "trip"

    @property
    def start(self) -> float:
        """Seconds until everything was read for the first time, at most."""
        return 2.0 + 3 * max((each.gateway.scan for each in self.settings.devices.values()), default=0.0) + MARGIN

    def settle(self, *tags: str) -> float:
        """Return within how many seconds what was driven is judged: two scans, what windows look back, and a margin."""
        scans = [self._scan(cell.device) for tag in tags for cell in self.model.bases(tag)]
        computed = [self._scan(tag.partition(".")[0]) for tag in tags if self.model.is_computed(tag)]
        window = max((self.model.window(tag) for tag in tags), default=0.0)
        return 2 * max(scans, default=0.0) + 2 * max(computed, default=0.0) + window + 3 * self.period + MARGIN

    def scan(self, tag: str) -> float:
        """Return how often a tag's slowest input is read, seconds."""
        return max((self._scan(cell.device) for cell in self.model.bases(tag)), default=0.0)

    def stale_after(self, tag: str) -> float:
        """Return the age at which a tag is a doubt to everybody, seconds."""
        return max((self._age(cell.device) for cell in self.model.bases(tag)), default=0.0)

    def patience(self) -> float:
        """Return how long it takes until every window of every other constraint is full, seconds, within reason."""
        windows = [each.window for each in self.settings.safety.constraints if isinstance(each, Compliance)]
        return min(max(windows, default=0.0), LONGEST_WAIT)

    def ends_itself(self, steps: Sequence[Step]) -> bool:
        """Return whether the safe state takes back what these steps drive, and with it the cause of the trip."""
        driven = [step.values for step in steps if isinstance(step, Drive)]
        ramped = [step.tag for step in steps if isinstance(step, Ramp)]
        return self.is_critical and any(
            tag in ramped or any(tag in values and not is_same(values[tag], safe) for values in driven)
            for tag, safe in self.safe_state()
        )

    def safe_state(self) -> tuple[tuple[str, Setting], ...]:
        """Return what a trip writes."""
        return tuple((tag, safe_value(wanted)) for tag, wanted in self.constraint.on_trip.items())

    def safe_state_within(self) -> float:
        """Return how long that may take, seconds."""
        delays = [each.after for each in self.constraint.on_trip.values() if isinstance(each, SafeWrite)]
        scans = [self._scan(tag.partition(".")[0]) for tag in self.constraint.on_trip]
        return max(delays, default=0.0) + max(scans, default=0.0) + 3 * self.period + MARGIN

    def together(self, *parts: Values) -> Values:
        """Return what several ways of driving give together. Raises CannotDrive where they exclude each other."""
        found: dict[str, Setting] = {}
        for part in parts:
            for tag, value in part.items():
                if tag in found and not is_same(found[tag], value):
                    raise CannotDrive(f"{tag} would have to be {found[tag]!r} and {value!r} at once")
                found[tag] = value
        for tag, value in self._marks.items():
            if tag in found and not is_same(value, found[tag]):
                raise CannotDrive(f"{tag} is the fingerprint of its device")
        return found

    def doubts(self, *tags: str) -> Iterator[Doubt]:
        """Yield the doubts that can befall all of the tags, through their inputs where they are computed."""
        cells = [cell for tag in tags for cell in self.model.bases(tag)]
        computed = any(self.model.is_computed(tag) for tag in tags)
        for doubt in Doubt if cells else ():
            if doubt in {Doubt.NAN, Doubt.INFINITE} and not all(cell.kind is Kind.REAL for cell in cells):
                continue
            if doubt is Doubt.OUT_OF_RANGE and (computed or not all(map(self._has_outside, cells))):
                continue
            if doubt is Doubt.WRONG_TYPE and computed:
                continue  # an expression may make something of a text
            yield doubt

    def outside(self, cell: Cell) -> Setting:
        """Return a value beyond a tag's range that is no violation by itself. Raises CannotDrive."""
        low, high = self.constraint.bounds if isinstance(self.constraint, (Threshold, Vote)) else (None, None)
        limits = Span(-inf if low is None else low, inf if high is None else high)
        for limit, direction in ((cell.range.low, -1), (cell.range.high, 1)):
            try:
                found = cell.beyond(limit, direction)
            except (CannotDrive, OverflowError, ValueError):
                continue
            if limits.holds(found):
                return found
        raise CannotDrive(f"{cell.path} cannot be outside its range without passing a limit")

    def _has_outside(self, cell: Cell) -> bool:
        try:
            self.outside(cell)
        except CannotDrive:
            return False
        return True

    def _scan(self, device: str) -> float:
        found = self.settings.devices.get(device)
        return 0.0 if found is None else found.gateway.scan

    def _age(self, device: str) -> float:
        found = self.settings.devices.get(device)
        return 0.0 if found is None else found.gateway.stale_after
