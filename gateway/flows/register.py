"""The officers' register that an agency has stated: its newest statement for each of its units.

Source: domain model, section 3 (officer qualification 执法资格); gateway/core/PROCEDURE.md (statements).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.core.form.register import to_register
from gateway.core.identity import Agency
from gateway.core.port.ledger import LedgerReader
from gateway.core.signed import payload_of

REGISTER: Final = "qualification-register"
PAGE: Final = 8
"""Statements read at once: each may hold thousands of officers."""


class Registers:
    """Registers by agency, remembered up to the newest statement that was seen; only what is newer is read again."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, dict[str, Mapping[str, Mapping[str, Any]]]]] = {}

    async def find(self, reader: LedgerReader, agency: Agency) -> Mapping[str, Mapping[str, Any]]:
        """Find the register of an agency.

        Args:
            reader: of the ledger.
            agency: that stated it.

        Returns:
            rows by officer number; a later statement of a unit replaces the earlier one whole; empty without any.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        issuer = str(agency)
        index, units = self._seen.get(issuer, (-1, {}))
        while True:
            page = await reader.statements(case="", issuer=issuer, type_name=REGISTER, after_index=index, limit=PAGE)
            for stored in page:
                body = payload_of(stored.statement_jws)["body"]
                units = {**units, body["unit_code"]: to_register(body)}
                index = stored.appended.index
            if len(page) < PAGE:
                break
        self._seen[issuer] = index, units
        return {number: row for rows in units.values() for number, row in rows.items()}
