"""What is particular to one version of one agency's schema: everything that an adapter is made from.

Source: agency interfaces, sections 2, 4 and 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from adapters.codes.table import TABLES
from adapters.engine.schema import Row, read_rows
from adapters.engine.writer import RowSource, Writer, own_items
from gateway.core.identity import SYSTEM_OF_ROLE, Role
from gateway.core.route import ROUTES

if TYPE_CHECKING:
    from adapters.engine.plan import FieldFactory, RowPlan
    from adapters.engine.scan import Scan
    from adapters.engine.source_bytes import Decoder
    from adapters.engine.source_xml import Chooser

PUBLISHED_MAPPING: Final = "1.0"
"""Mapping version of the published agency interfaces."""


def _no_findings(scan: Scan) -> None:
    """An agency whose file holds nothing but its fields has nothing more to check."""


class TableReader(Protocol):
    """How a tabular schema chooses and joins its rows; other schemas need none."""

    def prepare(self, scan: Scan, root: Any, plan: RowPlan) -> Chooser:
        """Look at the parties before their rows are scanned."""

    def join(self, scan: Scan, kind: str) -> None:
        """Bring the scanned rows into the shape of the canonical case."""


@dataclass(frozen=True, slots=True)
class Format:
    """What is particular to one agency.

    Args:
        name: of the adapter.
        role: of its organs in the procedure; says which routes it takes part in.
        schema_version: of its interface.
        media_type: of its files.
        encoding: of its files.
        root: name of the XML root element, "" for JSON.
        decode: stage 1.
        encode: from the text of a file to its bytes.
        factories: what makes the fields of each type.
        table_reader: made for each reading of a tabular schema.
        check: further findings on the canonical items.
        rows: which items of a list are written.
        prepare: looks at the whole case before it is written.
        is_withholding: what has no place here is withheld, not dropped.
        package: folder with ``schema/``; "" for ``adapters.<name>``.
        tables: package of its code tables.
        kinds: canonical record kinds that the schema has; None for all that are routed.
        mapping_version: of the rules by which this version of the schema is read and written.
    """

    name: str
    role: Role
    schema_version: str
    media_type: str
    encoding: str
    root: str
    decode: Decoder
    encode: Callable[[str], bytes]
    factories: dict[str, FieldFactory]
    table_reader: Callable[[], TableReader] | None = None
    check: Callable[[Scan], None] = _no_findings
    rows: RowSource = own_items
    prepare: Callable[[Writer], None] | None = None
    is_withholding: bool = False
    package: str = ""
    tables: str = TABLES
    kinds: frozenset[str] | None = None
    mapping_version: str = PUBLISHED_MAPPING

    @property
    def system(self) -> str:
        """The agency system by whose routes it sends and receives: police, procuratorate, court or justice."""
        return SYSTEM_OF_ROLE[self.role]

    @property
    def folder(self) -> str:
        """Package of its folder."""
        return self.package or f"adapters.{self.name}"

    @property
    def field_rows(self) -> tuple[Row, ...]:
        """Its field table."""
        return read_rows(self.folder)

    def kinds_to(self, receiver: Format) -> frozenset[str]:
        """Record kinds that go from here to a receiver."""
        routed = {kind for kind, *pair in ROUTES if pair == [self.system, receiver.system]}
        return frozenset(routed.intersection(*(kinds for kinds in (self.kinds, receiver.kinds) if kinds is not None)))
