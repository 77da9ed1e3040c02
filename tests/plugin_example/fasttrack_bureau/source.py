"""What a file of the bureau is: JSON, UTF-8; it takes commissions of assessments and gives opinions."""

from __future__ import annotations

from typing import Final

from adapters.engine.format import Format
from adapters.engine.source_bytes import decode_json_utf8
from fasttrack_bureau.mapping import FACTORIES
from gateway.core.identity import Role

FORMAT: Final = Format(
    name="bureau",
    role=Role.JUSTICE,
    schema_version="1.0",
    media_type="application/json",
    encoding="UTF-8",
    root="",
    decode=decode_json_utf8,
    encode=str.encode,
    factories=FACTORIES,
    is_withholding=True,
    package="fasttrack_bureau",
    tables="fasttrack_bureau.codes",
    kinds=frozenset({"ASSESSMENT_REQUEST", "ASSESSMENT_OPINION"}),
    mapping_version="bureau-1.0",
)
