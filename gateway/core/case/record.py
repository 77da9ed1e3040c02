"""What reading a record and writing it for a receiver give: header, findings, digests, rendition, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.core.errors import Finding, Severity

if TYPE_CHECKING:
    from gateway.core.case.case import Case


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """Who sends what to whom about which case, as the record itself says it.

    Args:
        version: version of the sender's schema.
        kind: canonical record kind, e.g. ``TRANSFER``.
        sender: canonical organ, e.g. ``ps:110108``.
        receiver: canonical organ.
        message_no: the sender's own number of this message.
        police_no: police case number, the key of the case.
    """

    version: str
    kind: str
    sender: str
    receiver: str
    message_no: str
    police_no: str


class MaterialReference(NamedTuple):
    """A document or recording of the record and the digest by which it names its material.

    Args:
        sha256: 64 lower-case hexadecimal digits.
        path: the leaf that holds the digest, in the sender's notation.
        document_code: code of the document, e.g. ``D13``; "" for a recording.
        document_key: key of the document; for a recording that of its transcript, "" if it names none.
    """

    sha256: str
    path: str
    document_code: str
    document_key: str


class ReportLine(NamedTuple):
    """What became of one source leaf, or where one target leaf comes from.

    Args:
        action: carried, normalised, unmapped, dropped, withheld or defaulted.
        source: path in the sender's notation, "" when the receiver's rules made the leaf.
        target: path in the receiver's notation, "" when nothing was written.
        note: a few words for people.
    """

    action: str
    source: str
    target: str
    note: str


class Reading:
    """The outcome of reading one record; never changed after it was made.

    Args:
        agency: name of the adapter that read it.
        header: None while one of its fields has no value.
        case: the case, None when there is an error, or a function that makes it when it is first asked for.
        findings: in document order.
        digests: one for each document and recording with a readable SHA-256.
        trace: what the writer needs to say where each value came from; belongs to the adapters.
    """

    __slots__ = ("_case", "agency", "digests", "findings", "header", "trace")

    def __init__(  # noqa: PLR0917 - a record of values
        self,
        agency: str,
        header: RecordHeader | None,
        case: Case | Callable[[], Case] | None,
        findings: tuple[Finding, ...],
        digests: tuple[MaterialReference, ...],
        trace: Any = None,
    ) -> None:
        self.agency = agency
        self.header = header
        self._case = case
        self.findings = findings
        self.digests = digests
        self.trace = trace

    @property
    def case(self) -> Case | None:
        """The canonical case, None when there is an error; a mapping does not need the typed objects, so they wait."""
        if callable(self._case):
            self._case = self._case()
        return self._case

    @property
    def has_errors(self) -> bool:
        """Whether a finding refuses the record."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Rendition:
    """A record in the receiver's schema, with the account of every leaf.

    Args:
        data: the exact bytes, None when the source has an error.
        media_type: of the receiver's format.
        encoding: of the receiver's format.
        mapping_version: version of the rules that made it.
        schema_version: version of the receiver's schema.
        lineage: makes the report when it is asked for; None when there is none.
    """

    data: bytes | None
    media_type: str
    encoding: str
    mapping_version: str
    schema_version: str
    lineage: Callable[[], tuple[ReportLine, ...]] | None = field(default=None, repr=False, compare=False)

    @property
    def report(self) -> tuple[ReportLine, ...]:
        """The mapping report: empty when there is no rendition."""
        return self.lineage() if self.lineage is not None else ()
