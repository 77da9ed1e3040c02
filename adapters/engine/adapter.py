"""An adapter: one agency's reader and writer, put together from its source and its mapping.

Reading has four stages (bytes, syntax, header, fields); a finding of the first three ends it. Writing looks at the
canonical items that reading left in the trace; nothing of it is done while reading.

Source: agency interfaces, sections 4 and 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from adapters.checks import Checks
from adapters.codes.table import TABLES, declare_tables
from adapters.engine.case_build import to_case
from adapters.engine.finding import Noted, in_order, to_finding
from adapters.engine.fold import BLANK
from adapters.engine.item import Item
from adapters.engine.plan import Compiler
from adapters.engine.report import make_report
from adapters.engine.scan import LimitExceededError, Scan
from adapters.engine.source_json import JsonSource
from adapters.engine.source_xml import NotWellFormedError, XmlSource
from adapters.engine.writer import Writer, write_json, write_xml
from gateway.core.case.record import MaterialReference, Reading, RecordHeader, ReportLine
from gateway.core.errors import ErrorCode, Severity

if TYPE_CHECKING:
    from adapters.engine.format import Format
    from adapters.engine.plan import RowPlan
    from gateway.core.case.case import Case

MOST_BYTES: Final = 1 << 20
"""Size of a record that is accepted unless the caller says otherwise."""

_HEADER: Final = tuple(
    f"{head}.{tail}"
    for head, tail in (
        ("record", "version"),
        ("record", "kind"),
        ("record", "sender"),
        ("record", "receiver"),
        ("record", "message_no"),
        ("case", "police_no"),
    )
)


Source = XmlSource | JsonSource
HeaderStage = Callable[[Source, list[Noted]], tuple[str, str]]
"""Stage 3: from the parsed file to its kind and the role of the receiver; no kind when a finding ends the reading."""


@dataclass(slots=True)
class Outcome:
    """What the stages of reading found.

    Args:
        noted: findings, before they are in order.
        scan: None when the fields were not reached.
        source: the parsed file, None when there is none.
        kind: canonical kind, "" when the header was not reached.
    """

    noted: list[Noted] = field(default_factory=list)
    scan: Scan | None = None
    source: Source | None = None
    kind: str = ""


class Adapter:
    """One agency's reader and writer.

    Args:
        made: what is particular to it.
    """

    def __init__(self, made: Format) -> None:
        self.format = made
        self.name = made.name
        self._is_xml = bool(made.root)
        if made.tables != TABLES:
            declare_tables(made.name, made.tables)
        is_tabular = made.table_reader is not None
        self._compiler = Compiler(
            made.name, made.field_rows, made.factories, is_xml=self._is_xml, is_tabular=is_tabular
        )
        self._plans: dict[str, RowPlan] = {}
        self._kinds: dict[tuple[str, str], frozenset[str]] = {}

    def plan(self, kind: str) -> RowPlan:
        """The plan of a record kind, made when it is first asked for."""
        plan = self._plans.get(kind)
        if plan is None:
            plan = self._plans[kind] = self._compiler.compile(kind)
        return plan

    def read(self, data: bytes, receiver: Format, *, most_bytes: int = MOST_BYTES) -> Reading:
        """Read a file.

        Args:
            data: the file.
            receiver: schema of the agency that it is for.
            most_bytes: larger files are refused unread.

        Returns:
            the reading, whatever the bytes are.
        """
        return self._read(data, partial(self._routed, receiver), most_bytes)

    def read_unrouted(self, data: bytes, kind: str, *, most_bytes: int = MOST_BYTES) -> Reading:
        """Read a file of a known kind whatever its route, so that what was written here can be read back.

        Args:
            data: the file.
            kind: canonical record kind.
            most_bytes: larger files are refused unread.

        Returns:
            the reading, whatever the bytes are.
        """
        return self._read(data, lambda source, noted: (kind, ""), most_bytes)

    def _routed(self, receiver: Format, source: Source, noted: list[Noted]) -> tuple[str, str]:
        key = (receiver.name, receiver.schema_version)
        kinds = self._kinds.get(key)
        if kinds is None:
            kinds = self._kinds[key] = self.format.kinds_to(receiver)
        return self._header(source, kinds, noted), receiver.role

    def _read(self, data: bytes, header: HeaderStage, most_bytes: int) -> Reading:
        outcome = Outcome()
        try:
            self._stages(data, header, most_bytes, outcome)
        except LimitExceededError:
            outcome = Outcome([Noted(ErrorCode.RECORD_LIMIT_EXCEEDED, "")])
        except NotWellFormedError:
            outcome.noted.append(Noted(ErrorCode.NOT_WELL_FORMED, ""))
            outcome.scan = None
        noted = outcome.noted
        if len(noted) > 1 and outcome.source is not None:
            plan = self.plan(outcome.kind or "ASSESSMENT_REQUEST")
            findings = in_order(noted, outcome.source.places(plan))
        else:
            findings = tuple(map(to_finding, noted))
        scan = outcome.scan
        if scan is None:
            return Reading(self.name, None, None, findings, ())
        has_error = any(finding.severity is Severity.ERROR for finding in findings)
        case: Callable[[], Case] | None = None if has_error else partial(to_case, scan.root)
        return Reading(self.name, _header(scan.root), case, findings, _digests(scan), scan)

    def _stages(self, data: bytes, header: HeaderStage, most_bytes: int, outcome: Outcome) -> None:
        noted = outcome.noted
        if len(data) > most_bytes:
            noted.append(Noted(ErrorCode.RECORD_LIMIT_EXCEEDED, ""))
            return
        decoded = self.format.decode(data)
        if decoded.has_bom:
            noted.append(Noted(ErrorCode.BOM_PRESENT, ""))
        if decoded.error is not None:
            noted.append(Noted(decoded.error, ""))
            return
        source: Source = XmlSource(decoded.text, self.format.root) if self._is_xml else JsonSource(decoded.text)
        outcome.source = source
        found = source.syntax_findings()
        if found:
            noted.extend(found)
            return
        kind, receiver_role = header(source, noted)
        if not kind:
            return
        outcome.kind = kind
        outcome.scan = self._fields(source, kind, receiver_role, noted)

    def _header(self, source: Source, kinds: frozenset[str], noted: list[Noted]) -> str:
        """Version, kind and route; "" when one of them ends the reading."""
        plan = self.plan("ASSESSMENT_REQUEST")
        version = plan.suffixes["record.version"]
        text = source.raw(version)
        if text.__class__ is not str or text.strip(BLANK) != self.format.schema_version:
            noted.append(Noted(ErrorCode.UNKNOWN_VERSION, version))
            return ""
        scan, item = Scan(is_xml=self._is_xml), Item("record")
        kind_field = plan.by_name["record.kind"]
        for leaf in kind_field.leaves:
            raw = source.raw(leaf.suffix)
            if raw is not None:
                scan.leaf(item, leaf, raw, raw.strip(BLANK) if isinstance(raw, str) else raw)
        if item.raw:
            kind_field.read(scan, item)
        kind = item.fields.get("record.kind")
        if kind is None:
            noted.extend(scan.noted)
            if not item.bad:
                noted.append(Noted(ErrorCode.MISSING_FIELD, kind_field.leaves[0].suffix))
            return ""
        if kind not in kinds:
            at = item.sources["record.kind"]
            noted.append(Noted(ErrorCode.KIND_NOT_ROUTED, scan.path_of(at if isinstance(at, int) else at[0])))
            return ""
        return str(kind)

    def _fields(self, source: Source, kind: str, receiver_role: str, noted: list[Noted]) -> Scan:
        plan = self.plan(kind)
        scan = Scan(is_xml=self._is_xml)
        tables = self.format.table_reader() if self.format.table_reader is not None else None
        choose = tables.prepare(scan, source.root, plan) if tables is not None else None
        scan.root.plan = plan
        source.scan(scan, plan, choose)
        scan.finish(scan.root, plan)
        if tables is not None:
            tables.join(scan, kind)
        Checks(scan, plan).run(kind, self.format.role if receiver_role else "", receiver_role)
        self.format.check(scan)
        noted.extend(scan.noted)
        return scan

    def write(self, root: Item, kind: str, sender: str) -> tuple[bytes, Writer]:
        """Write a case.

        Args:
            root: its canonical items.
            kind: canonical record kind.
            sender: adapter name of the agency that it comes from.

        Returns:
            the bytes of the file, and the writer with its target leaves.
        """
        made = self.format
        writer = Writer(sender, kind, root, made.rows)
        if made.prepare is not None:
            made.prepare(writer)
        plan = self.plan(kind)
        if self._is_xml:
            text = write_xml(writer, plan, f'<?xml version="1.0" encoding="{made.encoding}"?>')
        else:
            text = write_json(writer, plan)
        return made.encode(text), writer

    def report(self, scan: Scan, writer: Writer) -> tuple[ReportLine, ...]:
        """The mapping report of what was written here.

        Args:
            scan: the reading of the source.
            writer: what ``write`` gave for it.

        Returns:
            its lines in order.
        """
        return make_report(scan, writer.targets, is_withheld=self.format.is_withholding)


def _header(root: Item) -> RecordHeader | None:
    values = [root.fields.get(name) for name in _HEADER]
    return None if None in values else RecordHeader(*map(str, values))


def _digests(scan: Scan) -> tuple[MaterialReference, ...]:
    found: list[MaterialReference] = []
    for name, code, key in (("document", "document.code", "document.key"), ("recording", "", "recording.transcript")):
        digest = f"{name}.sha256"
        for item in scan.root.items(name):
            sha256, source = item.fields.get(digest), item.sources.get(digest)
            if sha256 is not None and isinstance(source, int):
                values = item.fields
                path = scan.path_of(source)
                found.append(MaterialReference(sha256, path, values.get(code, ""), values.get(key, "")))
    return tuple(found)
