"""What a judicial-administration file is: JSON with English names, UTF-8, as little data as the task needs.

Source: justice interface, schema 1.4, sections 1 and 2.
"""

from __future__ import annotations

from typing import Final

from adapters.engine.format import Format
from adapters.engine.source_bytes import decode_json_utf8
from adapters.justice.mapping import FACTORIES, needed_items
from gateway.core.identity import Role

FORMAT: Final = Format(
    name="justice",
    role=Role.JUSTICE,
    schema_version="1.4",
    media_type="application/json",
    encoding="UTF-8",
    root="",
    decode=decode_json_utf8,
    encode=str.encode,
    factories=FACTORIES,
    rows=needed_items,
    is_withholding=True,
)
