"""The plant as its configuration describes it: what each tag can hold, and what it takes to bring a tag to a value.

A computed tag is brought there through its inputs, which are searched for: its steady value is what it has once its
windows have seen nothing else. Pure.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf

from drivers.values import Quality, Sample, Value
from gateway.safety.constraint import Setting
from gateway.settings.computed import COMPUTED, inputs_by_tag
from gateway.settings.model import Settings
from gateway.tags.computed.order import inputs_of
from gateway.tags.computed.point import ComputedPoint
from gateway.tags.computed.rules import rule_of
from gateway.tags.conditioning import condition
from gateway.tags.tag import TagSettings
from gateway.testing.cell import CannotDrive, Cell, Kind, Span, cells_of

Values = Mapping[str, Setting]
"""Of tags that are not computed, by path."""

HALVINGS = 200
"""Of a stretch of values between two that lie on both sides of what is wanted."""
_MAGNITUDES = tuple(sign * 10.0**power for power in range(6, -4, -1) for sign in (-1, 1))


class PlantModel:
    """Every tag of a configuration."""

    def __init__(self, settings: Settings) -> None:
        """Settings: as they are written, with the drivers that know the types."""
        self.cells = cells_of(settings)
        self._inputs = inputs_by_tag(settings.devices)
        self._points: dict[str, ComputedPoint] = {}
        self._settings: dict[str, TagSettings] = {}
        for device in settings.devices.values():
            for tag in device.tags:
                path = f"{device.name}.{tag.name}"
                self._settings[path] = tag.settings
                if device.driver == COMPUTED:
                    self._points[path] = tag.point

    def is_computed(self, tag: str) -> bool:
        """Return whether a tag is made from others."""
        return tag in self._points

    def bases(self, tag: str) -> tuple[Cell, ...]:
        """Return what a tag is made from in the end: itself, where it is not computed."""
        if tag in self.cells:
            return (self.cells[tag],)
        return tuple(self.cells[each] for each in sorted(inputs_of({tag}, self._inputs)) if each in self.cells)

    def window(self, tag: str) -> float:
        """Return how far back a tag looks through all that it is made from, seconds."""
        point = self._points.get(tag)
        if point is None:
            return 0.0
        return (point.window or 0.0) + max((self.window(each) for each in point.inputs), default=0.0)

    def range(self, tag: str) -> Span:
        """Return the range of a tag as it is configured; everything where none is."""
        limits = self._settings[tag].range
        return Span() if limits is None else Span(*limits)

    def steady(self, tag: str, values: Values) -> Sample:
        """Return a tag as it stands with these values, once they have lasted."""
        settings = self._settings[tag]
        point = self._points.get(tag)
        if point is None:
            return condition(Sample(values[tag]), _unscaled(settings), inf)
        samples = [self.steady(each, values) for each in point.inputs]
        rule = rule_of(point)
        return condition(_lasting(point, samples[0]) if rule is None else rule(samples), settings, inf)

    def number(self, tag: str, span: Span, rest: Values) -> Values:
        """Return what brings a tag's steady value into the span. Raises CannotDrive."""
        if tag in self.cells:
            return {tag: self.cells[tag].number(span)}
        return self._search(tag, span.holds, rest, f"{span.low:g} to {span.high:g}", span)

    def value(self, tag: str, fits: Callable[[Value], bool], candidates: Sequence[Setting], rest: Values) -> Values:
        """Return what gives a tag a value that fits, of a cell one of the candidates. Raises CannotDrive."""
        cell = self.cells.get(tag)
        if cell is None:
            return self._search(tag, fits, rest, "what is needed", None)
        for each in candidates:
            if fits(each) and _suits(cell, each):
                return {tag: each}
        raise CannotDrive(f"{tag} has no value that is needed")

    def _search(self, tag: str, fits: Callable[[Value], bool], rest: Values, wanted: str, span: Span | None) -> Values:
        for group in _groups(self.bases(tag)):
            before: tuple[float, float] | None = None
            for place in _places(group):
                found = self._at(tag, group, place, rest)
                if found is not None and fits(found):
                    return dict.fromkeys((cell.path for cell in group), _as(group[0], place))
                here = None if span is None or not _is_number(found) else (place, _side(found, span))
                if before and here and before[1] != here[1]:
                    between = self._halve(tag, group, before[0], here[0], rest, span)
                    if between is not None:
                        return dict.fromkeys((cell.path for cell in group), _as(group[0], between))
                before = here if here is not None else before
        raise CannotDrive(f"no value of its inputs was found that brings {tag} to {wanted}")

    def _halve(
        self, tag: str, group: Sequence[Cell], one: float, other: float, rest: Values, span: Span | None
    ) -> float | None:
        assert span is not None
        first = self._at(tag, group, one, rest)
        for _ in range(HALVINGS):
            middle = one + (other - one) / 2
            found = self._at(tag, group, middle, rest)
            if not _is_number(found) or not _is_number(first):
                return None
            if span.holds(found):
                return middle
            if _side(found, span) == _side(first, span):
                one = middle
            else:
                other = middle
        return None

    def _at(self, tag: str, group: Sequence[Cell], place: float, rest: Values) -> Value:
        values = dict(rest) | {cell.path: _as(cell, place) for cell in group}
        sample = self.steady(tag, values)
        return None if sample.quality is Quality.BAD else sample.value


def _unscaled(settings: TagSettings) -> TagSettings:
    return TagSettings(range=settings.range)


def _lasting(point: ComputedPoint, sample: Sample) -> Sample:
    """Return what a window shows that has seen nothing but this."""
    if not _is_number(sample.value) and not isinstance(sample.value, bool):
        return sample
    assert point.window is not None
    value = float(sample.value)  # type: ignore[arg-type]
    return sample._replace(value=value * point.window / (point.per or 1.0) if point.form == "total" else value)


def _groups(cells: Sequence[Cell]) -> Iterator[tuple[Cell, ...]]:
    """Yield what is moved together: one input, then all of a kind, as a median or a vote needs it."""
    for cell in cells:
        if cell.kind in {Kind.BOOL, Kind.WHOLE, Kind.REAL}:
            yield (cell,)
    for kinds in ({Kind.WHOLE, Kind.REAL}, {Kind.BOOL}):
        together = tuple(cell for cell in cells if cell.kind in kinds)
        if len(together) > 1:
            yield together


def _places(group: Sequence[Cell]) -> Sequence[float]:
    """Return the values at which a group is looked at, in ascending order."""
    if group[0].kind is Kind.BOOL:
        return (0.0, 1.0)
    span = Span()
    for cell in group:
        span = span.within(cell.reach).within(cell.range)
    if span.is_empty:
        return ()
    if span.low > -1e7 and span.high < 1e7:
        return [span.low + (span.high - span.low) * step / 64 for step in range(65)]
    return sorted({max(min(each, span.high), span.low) for each in (*_MAGNITUDES, 0.0)})


def _as(cell: Cell, place: float) -> Setting:
    if cell.kind is Kind.BOOL:
        return bool(place)
    return round(place) if cell.kind is Kind.WHOLE else float(place)


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _side(value: Value, span: Span) -> int:
    assert isinstance(value, (int, float))
    return -1 if value < span.low else 1


def _suits(cell: Cell, value: Setting) -> bool:
    if isinstance(value, bool):
        return cell.kind is Kind.BOOL
    if isinstance(value, str):
        return cell.kind is Kind.TEXT
    if cell.kind is Kind.WHOLE and value != int(value):
        return False
    return cell.kind in {Kind.WHOLE, Kind.REAL} and cell.reach.low <= value <= cell.reach.high
