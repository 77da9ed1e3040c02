"""What a judgement says: of each defendant, of the case, of the documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.errors import ErrorCode, Finding, Severity


class Result(StrEnum):
    """Whether a defendant, or a case, may be tried by the fast-track procedure."""

    ELIGIBLE = "ELIGIBLE"
    INELIGIBLE = "INELIGIBLE"
    UNKNOWN = "UNKNOWN"
    """Something that a rule needs is not known; it never reads as ELIGIBLE."""
    NOT_EVALUATED = "NOT_EVALUATED"
    """Nobody judged: the record is not of a point at which the law asks."""


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """What one rule found.

    Args:
        rule: id of the rule.
        code: what is wrong.
        severity: an error refuses the bundle.
        field: what it is about, in canonical terms such as ``person[1].plea.guilty``, counted from 1; of an annex the
            path in it. "" is the whole record.
        message: one sentence without any value of the record.
        basis: act and article.
        cure: what would heal it.
        is_missing: something is not known, rather than not so.
        is_overridable: whether the rule lets an organ take the finding on itself.
        override: code of the reason for which it did; "" when it did not.
    """

    rule: str
    code: ErrorCode
    severity: Severity
    field: str
    message: str
    basis: str
    cure: str = ""
    is_missing: bool = False
    is_overridable: bool = False
    override: str = ""

    def locate(self, locate: Callable[[str], str]) -> str:
        """Where it stands: the path in an annex as it is, of a canonical field that in the caller's own file."""
        return self.field if "#" in self.field else locate(self.field)

    def to_finding(self, locate: Callable[[str], str]) -> Finding:
        """The finding as its caller reads it.

        Args:
            locate: gives the path in the caller's own file for a canonical field.

        Returns:
            the finding, whose message begins with the id of the rule, and ends with the reason of an override.
        """
        told = f"{self.rule}: {self.message}" + (f"; overridden: {self.override}" if self.override else "")
        return Finding(self.code, self.locate(locate), told, self.severity, self.basis)


@dataclass(frozen=True, slots=True)
class PersonOutcome:
    """What the rules say of one defendant.

    Args:
        key: key of the person or organisation.
        result: of this defendant alone.
        findings: why it is not ELIGIBLE; none when it is.
    """

    key: str
    result: Result
    findings: tuple[RuleFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What a rule set says of a bundle.

    Args:
        rule_set: its id and version.
        result: of the case.
        findings: what the sender is told, each once; errors refuse the bundle.
        inputs_sha256: SHA-256 of everything that the judgement looked at, hexadecimal; "" when nobody judged.
        persons: in the order of the record, persons before organisations.
        documents: what was found of documents and acts.
    """

    rule_set: str
    result: Result
    findings: tuple[RuleFinding, ...] = ()
    inputs_sha256: str = ""
    persons: tuple[PersonOutcome, ...] = ()
    documents: tuple[RuleFinding, ...] = ()

    @property
    def is_overridable(self) -> bool:
        """Whether something was found that an override may be stated of."""
        return any(finding.is_overridable for finding in self.documents)


def join_results(results: Iterable[Result]) -> Result:
    """The result of several: one that is INELIGIBLE makes the whole so, then one that is UNKNOWN; none is UNKNOWN."""
    found = set(results)
    for result in (Result.INELIGIBLE, Result.UNKNOWN, Result.ELIGIBLE):
        if result in found:
            return result
    return Result.UNKNOWN
