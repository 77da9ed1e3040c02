"""What a procuratorate file is: JSON with pinyin names, UTF-8.

Source: procuratorate interface, schema 2.0, sections 1 and 2.
"""

from __future__ import annotations

from typing import Final

from adapters.engine.format import Format
from adapters.engine.source_bytes import decode_json_utf8
from adapters.procuratorate.derived import check_derived
from adapters.procuratorate.mapping import FACTORIES, mark_moved, other_documents
from gateway.core.identity import Role

FORMAT: Final = Format(
    name="procuratorate",
    role=Role.PROCURATORATE,
    schema_version="2.0",
    media_type="application/json",
    encoding="UTF-8",
    root="",
    decode=decode_json_utf8,
    encode=str.encode,
    factories=FACTORIES,
    check=check_derived,
    rows=other_documents,
    prepare=mark_moved,
)
