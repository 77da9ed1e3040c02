"""Severity and wording of each finding of the closed list, and the order in which findings are given.

Source: agency interfaces, section 8.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from gateway.core.errors import ErrorCode, Finding, Severity

MESSAGES: Final[dict[ErrorCode, str]] = {
    ErrorCode.ENCODING_MISMATCH: "the bytes are not in the encoding that the interface requires",
    ErrorCode.CONTROL_CHARACTER: "forbidden control character",
    ErrorCode.DOCTYPE_FORBIDDEN: "a document type declaration is not accepted",
    ErrorCode.NOT_WELL_FORMED: "the file is not well formed or has the wrong root",
    ErrorCode.DUPLICATE_KEY: "the key occurs twice",
    ErrorCode.UNKNOWN_VERSION: "schema version is not known",
    ErrorCode.KIND_NOT_ROUTED: "this record kind has no route to the receiver",
    ErrorCode.PARTY_MISMATCH: "the organ is not of the agency named",
    ErrorCode.REPEATED_FIELD: "the field may occur once",
    ErrorCode.MISSING_FIELD: "a mandatory field is missing",
    ErrorCode.BAD_FORMAT: "the value has none of the accepted forms",
    ErrorCode.CODE_NOT_IN_TABLE: "the value is not in the closed table",
    ErrorCode.BAD_CHECK_DIGIT: "wrong check digit",
    ErrorCode.AMOUNT_WITHOUT_UNIT: "an amount needs its unit",
    ErrorCode.DUPLICATE_PERSON_KEY: "the key is used twice",
    ErrorCode.DUPLICATE_DOCUMENT_KEY: "the document key is used twice",
    ErrorCode.DANGLING_REFERENCE: "the reference names nothing",
    ErrorCode.COUNT_MISMATCH: "the count differs from the list",
    ErrorCode.END_BEFORE_START: "the end is before the start",
    ErrorCode.GAP_OUTSIDE_RECORDING: "the gap lies outside the recording",
    ErrorCode.GAPS_OVERLAP: "the gap overlaps an earlier one",
    ErrorCode.SEALED_IDENTITY_PRESENT: "a sealed identity is present",
    ErrorCode.BIRTH_CONFLICTS_ID: "birth date differs from the citizen id",
    ErrorCode.SUM_MISMATCH: "the total differs from the list",
    ErrorCode.BOM_PRESENT: "byte order mark ignored",
    ErrorCode.UNKNOWN_FIELD: "not in the specification",
    ErrorCode.FIELD_NOT_IN_KIND: "not used in this record kind",
    ErrorCode.CODE_UNKNOWN: "not in the open table; raw value kept",
    ErrorCode.CODE_NAME_CONFLICT: "the name is not the name of the code; the code counts",
    ErrorCode.PLACEHOLDER_VALUE: "a placeholder is not a value",
    ErrorCode.BIRTH_UNKNOWN: "no full birth date",
    ErrorCode.SEX_CONFLICTS_ID: "sex differs from the citizen id",
    ErrorCode.SAME_NAME_PERSONS: "two persons share a name",
    ErrorCode.PLEA_INCONSISTENT: "accepts the penalty without admitting the facts",
    ErrorCode.MEASURE_ORDER: "measures are not in time order",
    ErrorCode.DERIVED_CONFLICT: "the derived text differs from the fields",
    ErrorCode.RECORD_LIMIT_EXCEEDED: "the record is larger, deeper or longer than is accepted",
}
"""One sentence for each code; no value of a record is ever part of it."""

_WARNINGS: Final = frozenset(
    {
        ErrorCode.BOM_PRESENT,
        ErrorCode.UNKNOWN_FIELD,
        ErrorCode.FIELD_NOT_IN_KIND,
        ErrorCode.CODE_UNKNOWN,
        ErrorCode.CODE_NAME_CONFLICT,
        ErrorCode.PLACEHOLDER_VALUE,
        ErrorCode.BIRTH_UNKNOWN,
        ErrorCode.SEX_CONFLICTS_ID,
        ErrorCode.SAME_NAME_PERSONS,
        ErrorCode.PLEA_INCONSISTENT,
        ErrorCode.MEASURE_ORDER,
        ErrorCode.DERIVED_CONFLICT,
    }
)


class Noted(NamedTuple):
    """A finding before it has its place.

    Args:
        code: what is wrong.
        path: the node that it is about.
        is_warning: None for the severity that the code has by itself.
        is_second: it stands at the second node with this path.
    """

    code: ErrorCode
    path: str
    is_warning: bool | None = None
    is_second: bool = False


def to_finding(noted: Noted) -> Finding:
    """The finding as the caller sees it."""
    is_warning = noted.code in _WARNINGS if noted.is_warning is None else noted.is_warning
    severity = Severity.WARNING if is_warning else Severity.ERROR
    return Finding(noted.code, noted.path, MESSAGES[noted.code], severity)


class Places:
    """Where the nodes of a file stand, in document order.

    Args:
        first: position of the first node with a path; the root has 0.
        second: position of the second one, where there is one.
    """

    __slots__ = ("first", "second")

    def __init__(self) -> None:
        self.first: dict[str, int] = {"": 0}
        self.second: dict[str, int] = {}

    def add(self, path: str) -> None:
        """Note the next node."""
        at = len(self.first) + len(self.second)
        if path not in self.first:
            self.first[path] = at
        else:
            self.second.setdefault(path, at)

    def add_second(self, path: str) -> None:
        """Note the place of a key that its object already has; its value may be an array, which is no node."""
        self.second.setdefault(path, len(self.first) + len(self.second))

    def of(self, noted: Noted) -> int:
        """Position of a finding: its node, or the nearest ancestor that exists."""
        if noted.is_second and noted.path in self.second:
            return self.second[noted.path]
        path = noted.path
        while path not in self.first:
            path = path.rpartition("/")[0]
        return self.first[path]


def in_order(noted: list[Noted], places: Places) -> tuple[Finding, ...]:
    """Findings by document order, then path, then code; the same code and path once."""
    unique = {(n.path, n.code): n for n in reversed(noted)}.values()
    ordered = sorted(unique, key=lambda n: (places.of(n), n.path, n.code.name))
    return tuple(map(to_finding, ordered))
