"""The payloads of contract section 4: UTF-8 JSON, joined from fragments where it has to be fast. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from drivers.values import DataType, Quality, Sample
from gateway.control.reply import Reply, Result, finding_plain
from gateway.northbound.json_text import FloatText, flaw_of, float32_text, string_text, time_text, value_text
from gateway.northbound.reports import ConstraintReport, DeviceReport, EventReport
from gateway.tags.tag import Tag, TagSettings
from gateway.tags.texts import by_value, text_of

MOST_LEARNED = 4096
"""Bytes of what a driver found out that a birth takes up at most."""


class TagText:
    """One tag's part of payloads; what never changes is made once."""

    __slots__ = ("_key", "_texts", "float_text")

    def __init__(self, tag: Tag) -> None:
        self._key = f"{string_text(tag.name)}:"
        self._texts = {value: f',"text":{string_text(text)}' for value, text in by_value(tag.settings.texts).items()}
        """Ready to be put behind the value that they stand for."""
        self.float_text: FloatText = repr

    def learn(self, data_type: DataType | None, settings: TagSettings) -> None:
        """Take in the type of the value: a float32 is written short, unless scaling made it a double."""
        scaled = settings.scale != 1.0 or settings.offset != 0.0
        self.float_text = float32_text if data_type is DataType.FLOAT32 and not scaled else repr

    def sample(self, sample: Sample, time: str) -> str:
        """Return the payload of `tag/{device}/{tag}`; `time` as `time_text` writes it."""
        value, quality, reason, _ = sample
        if type(value) is float and isfinite(value):
            text = self.float_text(value)
        elif type(value) is int:
            text = repr(value)
        else:
            text = value_text(value, self.float_text)
            flaw = flaw_of(value)
            if flaw:
                quality, reason = Quality.BAD, flaw
        if self._texts:
            text += text_of(value, self._texts)
        if quality is Quality.GOOD:
            return f'{{"value":{text},"quality":"good","time":"{time}"}}'
        return f'{{"value":{text},"quality":"{quality.word}","reason":{string_text(reason)},"time":"{time}"}}'

    def member(self, sample: Sample, time: str) -> str:
        """Return the tag's member of a batch."""
        return self._key + self.sample(sample, time)


def batch_payload(time: str, members: Iterable[str]) -> bytes:
    """Return what changed in a device in one scan; the members as `TagText.member` writes them."""
    return encode(f'{{"time":"{time}","tags":{{{",".join(members)}}}}}')


def status_payload(state: str, time: float, expires: float | None, version: str, reasons: Sequence[str]) -> bytes:
    """Return the status; `expires` is None for offline, which holds until another status comes."""
    return _dump(
        {
            "state": state,
            "time": time_text(time),
            "expires": None if expires is None else time_text(expires),
            "version": version,
            "reasons": list(reasons),
        }
    )


def device_payload(report: DeviceReport, tags: Iterable[Tag], time: float) -> bytes:
    """Return a device's birth: its connection and what a client has to know of its tags."""
    return _dump(
        {
            "state": report.state,
            **({"reason": report.reason} if report.reason else {}),
            "since": time_text(report.since),
            "time": time_text(time),
            "tags": {tag.name: _metadata(tag.settings, report.types.get(tag.name)) for tag in tags},
            **({"learned": _learned(report.learned)} if report.learned else {}),
        }
    )


def event_payload(report: EventReport) -> bytes:
    """Return something that happened: what, when, and its details."""
    return _dump({"kind": report.what, "time": time_text(report.time), **report.details})


def constraint_payload(report: ConstraintReport, time: float) -> bytes:
    """Return a constraint's verdict, the value that was judged and its limits."""
    return _dump(
        {
            "verdict": report.verdict.value,
            "level": report.level.value,
            "value": _finite(report.value),
            "min": _finite(report.min),
            "max": _finite(report.max),
            "reason": report.reason,
            "since": time_text(report.since),
            "time": time_text(time),
            "alarm": report.alarm.value,
            "latched": report.latched,
            "first_out": report.first_out,
            **({"safe_state": report.safe_state} if report.safe_state else {}),
            **({"bypassed_until": time_text(report.bypassed_until)} if report.bypassed_until is not None else {}),
        }
    )


def reply_payload(reply: Reply, float_text: Callable[[str], FloatText] = lambda _: repr) -> bytes:
    """Return the answer to a command. Float text: how the floats of a tag, named `device.tag`, are written."""
    violations = ",".join(value_text(finding_plain(finding)) for finding in reply.violations)
    results = ",".join(
        f"{string_text(tag)}:{{{_result(result, float_text(tag))}}}" for tag, result in reply.results.items()
    )
    repeated = ',"repeated":true' if reply.repeated else ""
    return encode(
        f'{{"id":{string_text(reply.id)},"outcome":"{reply.outcome}","code":{string_text(reply.code)},'
        f'"message":{string_text(reply.message)},"violations":[{violations}],"results":{{{results}}},'
        f'"provenance_hash":"{reply.provenance_hash}","time":"{time_text(reply.wall)}"{repeated}}}'
    )


def _result(result: Result, float_text: FloatText) -> str:
    message = f',"message":{string_text(result.message)}' if result.message else ""
    return (
        f'"requested":{value_text(result.requested)},"read_back":{value_text(result.read_back, float_text)},'
        f'"outcome":"{result.outcome}","code":{string_text(result.code)}{message}'
    )


def encode(text: str) -> bytes:
    """Return the payload as UTF-8; what UTF-8 cannot hold (a lone surrogate) becomes a question mark."""
    return text.encode("utf-8", "replace")


def _metadata(settings: TagSettings, data_type: DataType | None) -> Mapping[str, Any]:
    if settings.bit is not None:
        data_type = DataType.BOOL
    return {
        "unit": settings.unit,
        "range": None if settings.range is None else [_finite(bound) for bound in settings.range],
        "type": None if data_type is None else data_type.value,
        "writable": settings.writable,
        "description": settings.description,
        **({"texts": dict(settings.texts)} if settings.texts else {}),
    }


def _learned(learned: Mapping[str, Any]) -> object:
    """Return what a driver found out, as JSON can hold it; a birth stays small."""
    text = json.dumps(learned, default=str)
    if len(text) > MOST_LEARNED:
        return {"omitted": f"{len(learned)} entries of {len(text)} bytes"}
    return json.loads(text, parse_constant=str)


def _finite(number: float | None) -> float | None:
    return number if number is not None and isfinite(number) else None


def _dump(members: Mapping[str, Any]) -> bytes:
    return encode(json.dumps(members, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
