"""What an audit reports: where it stands, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"
    """Worth a look; the ledger or pack may be sound all the same."""
    UNKNOWN = "unknown"
    """A check that could not be made: neither good nor bad."""


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing that is not as it should be; holds no personal data.

    Args:
        check: name of the check, never reused for another one.
        where: table of the ledger or file of the pack.
        place: key of the row, or a place in the file; "" for the whole.
        reason: what is wrong.
        index: index of the ledger entry concerned; None for none.
        severity: how much it weighs.
    """

    check: str
    where: str
    place: str
    reason: str
    index: int | None = None
    severity: Severity = Severity.ERROR

    def to_text(self) -> str:
        """One line for people."""
        place = f" {self.place}" if self.place else ""
        return f"{self.where}{place}: {self.reason} [{self.check}]"


Report = Callable[[AuditFinding], None]
"""Takes a finding."""


class Findings:
    """Collects findings up to a limit, so that a ledger that is wrong everywhere does not fill the memory.

    Args:
        limit: findings kept; the others are counted.
    """

    def __init__(self, limit: int = 1000) -> None:
        self.kept: list[AuditFinding] = []
        self.total = 0
        self._limit = limit

    def __call__(self, finding: AuditFinding) -> None:
        """Take a finding."""
        self.total += 1
        if len(self.kept) < self._limit:
            self.kept.append(finding)
