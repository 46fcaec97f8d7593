"""Why a command is not carried out, on its way to the reply; and what a decision of the gate says to a person. Pure."""

from collections.abc import Sequence

from gateway.errors import GatewayError
from gateway.safety.decision import Decision, Finding


class Refused(GatewayError):
    """A command, or one frame of it, is not let out. Code: as in a reply. The text is for a person."""

    def __init__(self, code: str, message: str, violations: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.violations = tuple(violations)


def refused_by(decision: Decision) -> Refused:
    """Return the refusal of a decision that has one; every finding is told, the first gives the code."""
    text = "; ".join(explain(each) for each in decision.refusals)
    return Refused(decision.code, text, (*decision.refusals, *decision.warnings))


def explain(finding: Finding) -> str:
    """Return a finding in one line: which constraint, what it found, and the figures."""
    parts = [f"{finding.name}: {finding.reason.replace('_', ' ')}" if finding.reason else finding.name]
    if finding.value is not None:
        parts.append(
            f"({finding.value:g})" if finding.limit is None else f"({finding.value:g} against {finding.limit:g})"
        )
    return " ".join(parts)
