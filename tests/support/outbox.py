"""A folder of a police agency with one transfer to hand over."""

from __future__ import annotations

import secrets
from pathlib import Path

from gateway.core.digest import sha256_hex
from tests.support.bundle import PDF, new_case_number, transfer_record


class Outbox:
    """A record and the one document that it names, both unlike those of any other test.

    Args:
        folder: to write to.
    """

    def __init__(self, folder: Path) -> None:
        self.case_number = new_case_number()
        self.message_no = f"PS-{secrets.token_hex(6).upper()}"
        self.document = PDF + self.message_no.encode()
        self.sha256 = sha256_hex(self.document)
        self.materials = folder / "materials"
        self.materials.mkdir()
        self.page = self.materials / "page.pdf"
        self.page.write_bytes(self.document)
        self.record = folder / "transfer.xml"
        data = transfer_record(self.case_number, material=self.document)
        self.record.write_bytes(data.replace(b"PS-TEST-01", self.message_no.encode()))
