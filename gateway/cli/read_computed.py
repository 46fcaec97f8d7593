"""Computed tags in `plantgate read`: made once from what was read, as the gateway would make them. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from drivers.values import Sample, bad
from gateway.cli.read_once import Answer, Wanted
from gateway.settings.computed import COMPUTED, inputs_by_tag
from gateway.settings.model import Settings
from gateway.tags.computed.order import inputs_of, levels
from gateway.tags.computed.rules import COVERAGE, rule_of, type_of
from gateway.tags.conditioning import condition


def is_computed(wanted: Wanted) -> bool:
    """Return whether a tag is made from others."""
    return wanted.device.driver == COMPUTED


def looks_back(wanted: Wanted) -> bool:
    """Return whether a tag is made from a window of time, of which a single reading knows nothing."""
    return is_computed(wanted) and rule_of(wanted.tag.point) is None


def needed(wanted: Iterable[Wanted], settings: Settings) -> list[Wanted]:
    """Return the tags that have to be read: those wanted that are no computed ones, and what computed ones need."""
    named = {each.path for each in wanted}
    paths = named | inputs_of(named, inputs_by_tag(settings.devices))
    everything = (Wanted(device, tag) for device in settings.devices.values() for tag in device.tags)
    return [each for each in everything if each.path in paths and not is_computed(each)]


def compute(
    wanted: Sequence[Wanted], settings: Settings, answers: Mapping[str, Answer], wall: float
) -> dict[str, Answer]:
    """Return the answers of the computed tags that are wanted, made from the answers of the tags that were read.

    `wall` is the time of the computation, seconds since 1970 UTC.
    """
    inputs = inputs_by_tag(settings.devices)
    paths = {each.path for each in wanted}
    paths |= inputs_of(paths, inputs)
    level = levels({path: inputs[path] for path in inputs if path in paths})
    everything = (Wanted(device, tag) for device in settings.devices.values() for tag in device.tags)
    tags = {each.path: each for each in everything}
    made: dict[str, Answer] = {}
    for path in sorted(level, key=lambda each: level[each]):
        point, tag_settings = tags[path].tag.point, tags[path].tag.settings
        sample = _sample(tags[path], [(made.get(each) or answers[each]).sample for each in inputs[path]])
        made[path] = Answer(condition(sample, tag_settings, wall), type_of(point), wall)
    return {each.path: made[each.path] for each in wanted if is_computed(each)}


def _sample(wanted: Wanted, samples: Sequence[Sample]) -> Sample:
    rule = rule_of(wanted.tag.point)
    return bad(COVERAGE) if rule is None else rule(samples)
