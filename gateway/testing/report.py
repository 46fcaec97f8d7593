"""What a proof says: for people, for programs and for whoever collects test results. Pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from gateway.testing.prover import Result, Status


@dataclass(frozen=True, slots=True)
class Report:
    """The results of one proof, and of what they are true."""

    config: str
    """The file, as it was named."""
    time: str
    """When it was proved, RFC 3339 in UTC."""
    digest: str
    """Of the configuration."""
    version: str
    """Of the gateway."""
    results: tuple[Result, ...]
    constraints: int
    """In the configuration, or 1 where one alone was asked for."""

    def count(self, status: Status) -> int:
        """Return how many cases ended so."""
        return sum(result.status is status for result in self.results)

    @property
    def exit_code(self) -> int:
        """0: all is proved. 1: something failed. 3: nothing failed, and something is not proved."""
        if self.count(Status.FAILED):
            return 1
        return 3 if self.count(Status.NOT_PROVED) or not self.results else 0

    @property
    def summary(self) -> str:
        """One line."""
        counts = ", ".join(f"{self.count(status)} {status.value}" for status in Status)
        cases = f"{len(self.results)} cases of {self.constraints} constraint{'s' * (self.constraints != 1)}"
        return f"{cases}: {counts}"


def text(report: Report) -> Iterator[str]:
    """Yield the lines for a person: a head, a line a case, and a summary."""
    yield f"proof test of {report.config}, {report.time}"
    yield f"plantgate {report.version}, configuration sha256:{report.digest}"
    yield from lines(report)
    yield report.summary


def plain(report: Report) -> dict[str, Any]:
    """Return the report as JSON has it."""
    return {
        "config": report.config,
        "time": report.time,
        "version": report.version,
        "digest": report.digest,
        "constraints": report.constraints,
        **{status.value.replace(" ", "_"): report.count(status) for status in Status},
        "cases": [_plain(result) for result in report.results],
    }


def lines(report: Report) -> Iterator[str]:
    """Yield a line a case."""
    for result in report.results:
        yield f"{result.status.value:<10}  {result.constraint.name}: {result.title}: {_told(result)}"


def junit(report: Report) -> str:
    """Return the report as JUnit XML: a suite a constraint; what is not proved counts as skipped."""
    suites = ET.Element("testsuites", name=f"plantgate proof-test {report.config}")
    for name in dict.fromkeys(result.constraint.name for result in report.results):
        _suite(suites, report, name, [each for each in report.results if each.constraint.name == name])
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _suite(parent: ET.Element, report: Report, name: str, results: Sequence[Result]) -> None:
    suite = ET.SubElement(
        parent,
        "testsuite",
        name=name,
        timestamp=report.time,
        tests=str(len(results)),
        failures=str(sum(each.status is Status.FAILED for each in results)),
        skipped=str(sum(each.status is Status.NOT_PROVED for each in results)),
        errors="0",
    )
    properties = ET.SubElement(suite, "properties")
    for key in ("version", "digest"):
        ET.SubElement(properties, "property", name=key, value=getattr(report, key))
    for result in results:
        case = ET.SubElement(suite, "testcase", classname=name, name=result.title, time=f"{result.lasted:.3f}")
        if result.status is Status.FAILED:
            ET.SubElement(case, "failure", message=_told(result))
        elif result.status is Status.NOT_PROVED:
            ET.SubElement(case, "skipped", message=result.seen)
        else:
            ET.SubElement(case, "system-out").text = _told(result)


def _told(result: Result) -> str:
    """Return what happened in a case, in one line."""
    if result.status is Status.FAILED:
        return f"expected {result.expected}; seen {result.seen}"
    if result.status is Status.NOT_PROVED:
        return result.seen
    parts = [*_replies(result)]
    if result.warnings:
        parts.append("warned" if result.warnings == 1 else f"warned ({result.warnings} times)")
    if result.tripped_after is not None:
        parts.append(f"tripped after {result.tripped_after:g} s")
    parts.append("1 frame" if result.frames == 1 else f"{result.frames} frames")
    return ", ".join(parts)


def _replies(result: Result) -> Iterator[str]:
    """Yield each kind of reply with how often it was given, in the order of the first."""
    words = [" ".join(filter(None, (answer.outcome.value, answer.code))) for answer in result.answers]
    for word in dict.fromkeys(words):
        often = words.count(word)
        yield word if often == 1 else f"{word} ({often} times)"


def _plain(result: Result) -> dict[str, Any]:
    return {
        "constraint": result.constraint.name,
        "kind": result.constraint.kind,
        "level": result.constraint.level.value,
        "case": result.title,
        "status": result.status.value,
        **{key: value for key in ("expected", "seen") if (value := getattr(result, key))},
        "warnings": result.warnings,
        "tripped_after": result.tripped_after,
        "frames": result.frames,
        "seconds": round(result.lasted, 3),
        "replies": [
            {
                "writes": {tag: _value(value) for tag, value in answer.proposal.writes},
                "principal": answer.proposal.principal,
                "outcome": answer.outcome.value,
                "code": answer.code,
                "frames": answer.frames,
            }
            for answer in result.answers
        ],
    }


def _value(value: object) -> object:
    """Return a value as JSON can hold it: NaN and infinities have no number there."""
    return value if not isinstance(value, float) or value - value == 0 else str(value)


def as_json(report: Report) -> str:
    """Return the report as text."""
    return json.dumps(plain(report), indent=2, ensure_ascii=False, allow_nan=False)
