"""What a police file is: nested XML, root YSQS, GB18030 by the edition of 2022.

Source: police interface, schema 3.2, sections 1 and 2.
"""

from __future__ import annotations

from typing import Final

from adapters.engine.format import Format
from adapters.engine.source_bytes import decode_xml_gb18030, encode_gb18030
from adapters.police.mapping import FACTORIES
from gateway.core.identity import Role

FORMAT: Final = Format(
    name="police",
    role=Role.POLICE,
    schema_version="3.2",
    media_type="application/xml",
    encoding="GB18030",
    root="YSQS",
    decode=decode_xml_gb18030,
    encode=encode_gb18030,
    factories=FACTORIES,
)
