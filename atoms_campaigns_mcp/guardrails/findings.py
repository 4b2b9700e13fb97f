"""Findings: what is wrong with a plan, how grave it is, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["block", "warn", "unknown"]
"""block: refused. warn: shown and asked about. unknown: could not be read, so it is not clean."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection. `rule` names it for programs; the texts hold no contact's number."""

    severity: Severity
    rule: str
    reason: str
    next_step: str

    def __str__(self) -> str:
        """Return severity and reason, as a list of findings shows them."""
        return f"{self.severity}: {self.reason}"


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by severity, those that block first."""
    order: dict[Severity, int] = {"block": 0, "warn": 1, "unknown": 2}
    return tuple(sorted(findings, key=lambda finding: order[finding.severity]))


def blocks(findings: Iterable[Finding]) -> list[Finding]:
    """Return those that forbid it."""
    return [finding for finding in findings if finding.severity == "block"]
