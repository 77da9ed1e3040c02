"""Which materials receivers may not simply read: the rows of every submit are those whose digest is in its leaf."""

from __future__ import annotations

from typing import Final

from gateway.audit.finding import AuditFinding, Report
from gateway.audit.leaf_form import field_reader, parse_fields
from gateway.core.access.restriction import restrictions_sha256
from gateway.core.port.fsck import FsckSource

_TABLE: Final = "material_withheld"
_read: Final = field_reader("receiver", "withheld_sha256")


async def check_restrictions(source: FsckSource, start: int, stop: int | None, report: Report) -> None:
    """Check what submits withheld from their receivers against the digests in their entries.

    Args:
        source: the ledger.
        start: first index.
        stop: index after the last; None for the end.
        report: takes the findings.
    """
    async for page in source.restrictions(start, stop):
        for seq, leaf, agencies, digests, views in page:
            fields = parse_fields(leaf)
            if fields is None:
                # The replay reports the leaf itself.
                continue
            receiver, wanted = _read(fields)
            found = restrictions_sha256(zip(digests, views, strict=True))
            if found != (wanted or ""):
                place, reason = f"seq={seq}", "not what the entry says that its receiver may not simply read"
                report(AuditFinding("withheld-digest", _TABLE, place, reason, seq))
            elif {*agencies} - {receiver}:
                place, reason = f"seq={seq} column=agency", "not the receiver of the entry"
                report(AuditFinding("withheld-receiver", _TABLE, place, reason, seq))
