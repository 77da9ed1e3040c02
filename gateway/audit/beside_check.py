"""What else lies beside the entries: texts of decisions, facts, notices, and grants that nobody can have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from gateway.audit.bundle_check import report_unread
from gateway.audit.finding import AuditFinding, Report
from gateway.audit.leaf_form import FIELDS, parse_fields
from gateway.core.errors import GatewayError
from gateway.core.identity import Role, parse_agency
from gateway.core.port.fsck import FsckSource, Row

_AT: Final = {name: FIELDS.index(name) for name in FIELDS}
_DIGEST_BYTES: Final = 32


async def check_details(
    source: FsckSource, start: int, stop: int | None, report: Report, destroyed: Mapping[str, int]
) -> None:
    """Check the texts of decisions against the digests in their entries.

    Args:
        source: the ledger.
        start: first index.
        stop: index after the last; None for the end.
        report: takes the findings.
        destroyed: cases that an entry says were destroyed.
    """
    async for page in source.details(start, stop):
        for seq, leaf, body, why in page:
            if body is None and b'"detail_sha256":' not in leaf:
                # Most entries; a quotation mark inside of a value would be escaped, so this is the field or nothing.
                continue
            fields = parse_fields(leaf)
            if fields is None:
                continue
            wanted = fields[_AT["detail_sha256"]]
            if body is not None and wanted is not None and why:
                report_unread(report, "detail", seq, fields[_AT["case"]] or "", why, destroyed)
            elif (finding := _compare("detail", "text", seq, body, wanted)) is not None:
                report(finding)


def _compare(table: str, what: str, seq: int, body: bytes | None, wanted: str | None) -> AuditFinding | None:
    """Compare what lies beside an entry with the digest in it; None when they agree."""
    place = f"seq={seq} column=body"
    if body is None:
        missing = AuditFinding(f"{table}-missing", table, place, f"the entry names {what} that is not there", seq)
        return None if wanted is None else missing
    if wanted is None:
        return AuditFinding(f"{table}-stray", table, place, f"the entry has no {what}", seq)
    if sha256(body).hexdigest() != wanted:
        return AuditFinding(f"{table}-digest", table, place, f"not the {what} whose digest is in the entry", seq)
    return None


async def check_facts(source: FsckSource, start: int, stop: int | None, report: Report) -> None:
    """Check the facts of cases against the digests in their entries.

    Args:
        source: the ledger.
        start: first index.
        stop: index after the last; None for the end.
        report: takes the findings.
    """
    async for page in source.facts(start, stop):
        for seq, leaf, case, body in page:
            if body is None and b'"facts_sha256":' not in leaf:
                continue
            fields = parse_fields(leaf)
            if fields is None:
                continue
            wanted = fields[_AT["facts_sha256"]]
            if (finding := _compare("fact", "facts", seq, body, wanted)) is not None:
                report(finding)
            elif body is not None and case != fields[_AT["case"]]:
                place, reason = f"seq={seq} column=case_id", "the entry is of another case"
                report(AuditFinding("fact-case", "fact", place, reason, seq))


async def check_notices(source: FsckSource, report: Report) -> None:
    """Check whom an entry about a limit is a notice to.

    Args:
        source: the ledger.
        report: takes the findings.
    """
    async for page in source.notices():
        for seq, leaf, agencies in page:
            fields = parse_fields(leaf) if leaf is not None else None
            told = json.loads(fields[_AT["notified"]] or "[]") if fields is not None else []
            if list(agencies) != told:
                place = f"seq={seq}"
                report(AuditFinding("notice", "notice", place, "not the agencies that the entry names", seq))


def find_malformed_grants(page: Sequence[Row]) -> list[AuditFinding]:
    """Grants that no bundle and no upload can have given.

    An upload leaves no entry, so whether a well-formed grant was earned by one cannot be told.

    Args:
        page: agency, sha256.

    Returns:
        a finding for each.
    """

    findings = []
    for agency, digest in page:
        try:
            is_good = parse_agency(agency).role is not Role.OVERSIGHT and len(digest) == _DIGEST_BYTES
        except GatewayError:
            is_good = False
        if not is_good:
            place = f"sha256={digest.hex()} column=agency"
            findings.append(AuditFinding("grant-malformed", "material_grant", place, "no agency has this grant"))
    return findings
