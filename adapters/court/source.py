"""What a court file is: flat XML, root CASE, UTF-8; rows of tables joined by ids.

Source: court interface, schema 1.1, sections 1 and 2.
"""

from __future__ import annotations

from typing import Final

from adapters.court.mapping import FACTORIES
from adapters.court.tables import CourtTables, table_rows
from adapters.engine.format import Format
from adapters.engine.source_bytes import decode_xml_utf8
from gateway.core.identity import Role

FORMAT: Final = Format(
    name="court",
    role=Role.COURT,
    schema_version="1.1",
    media_type="application/xml",
    encoding="UTF-8",
    root="CASE",
    decode=decode_xml_utf8,
    encode=str.encode,
    factories=FACTORIES,
    table_reader=CourtTables,
    rows=table_rows,
)
