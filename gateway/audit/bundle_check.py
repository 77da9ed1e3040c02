"""What lies beside the entries: bundles, texts of decisions, and who may read which material."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from gateway.audit.finding import AuditFinding, Report
from gateway.audit.jws_check import JwsError, decode_segment, parse_header, split
from gateway.audit.leaf_form import FIELDS, Fields, parse_fields
from gateway.core.digest import sm3_hex
from gateway.core.errors import GatewayError
from gateway.core.fsck_port import FsckSource, Row
from gateway.core.identity import Role, parse_agency
from gateway.core.key_history import KeyHistory, Standing
from gateway.core.pseudonym import Pseudonyms

_AT: Final = {name: FIELDS.index(name) for name in FIELDS}
_HEX_DIGITS: Final = 64


@dataclass(slots=True)
class BundleCheck:
    """Checks bundles against their entries.

    Args:
        source: the ledger.
        report: takes the findings.
        pseudonyms: to check case numbers; None leaves them unchecked.
        keys: signer keys that the ledger knows.
        checked: bundles seen.
    """

    source: FsckSource
    report: Report
    pseudonyms: Pseudonyms | None = None
    keys: KeyHistory = field(default_factory=KeyHistory)
    checked: int = 0
    _last: int = -1
    _grants: dict[tuple[str, bytes, int], None] = field(default_factory=dict)

    async def run(self, start: int, stop: int | None) -> None:
        """Check the bundles of the submits in a range.

        Args:
            start: first index.
            stop: index after the last; None for the end.
        """
        async for page in self.source.bundles(start, stop):
            for row in page:
                self._add(row)
            await report_missing_grants(self.source, list(self._grants), "a bundle", self.report)
            self._grants.clear()
            self.checked += len(page)

    def _finding(self, check: str, seq: int, column: str, reason: str) -> None:
        self.report(AuditFinding(check, "bundle", f"seq={seq} column={column}", reason, seq))

    def _add(self, row: Row) -> None:
        seq, leaf, handoff_id, bundle_seq, sender, key, case_number, jws, record = row
        if seq == self._last:
            self._finding("bundle-repeated", seq, "handoff_id", "the bundle stands more than once")
        self._last = seq
        fields = parse_fields(leaf)
        if handoff_id is None:
            self._finding("bundle-missing", seq, "handoff_id", "the bundle of this submit is missing")
            return
        if fields is None:
            # The replay reports the leaf itself.
            return
        if handoff_id != fields[_AT["handoff"]]:
            self._finding("bundle-column", seq, "handoff_id", "not the handoff of its entry")
        if bundle_seq != seq:
            self._finding("bundle-column", seq, "seq", "not the index of its entry")
        signed = jws.encode("utf-8", "surrogateescape")
        if sha256(signed).hexdigest() != fields[_AT["bundle_sha256"]] or sm3_hex(signed) != fields[_AT["bundle_sm3"]]:
            self._finding("bundle-digest", seq, "manifest_jws", "not the manifest whose digest is in the entry")
            return
        try:
            header, payload_text, _ = split(jws)
            payload = decode_segment(payload_text)
            manifest: dict[str, Any] = dict(json.loads(payload))
            key_id = parse_header(header).key_id
        except (JwsError, ValueError, TypeError, RecursionError):
            self._finding("bundle-form", seq, "manifest_jws", "not a signed manifest")
            return
        said = {
            "content_sha256": sha256(payload).hexdigest(),
            "signer_key": key_id,
            "handoff": manifest.get("bundle_id"),
            "sender": manifest.get("sender"),
            "receiver": manifest.get("receiver"),
            "handoff_kind": manifest.get("kind"),
        }
        for name, value in said.items():
            if fields[_AT[name]] != value:
                self._finding("bundle-entry", seq, "manifest_jws", f"the entry does not name its {name}")
        standing = self.keys.judge(key_id, seq)
        if standing in (Standing.REVOKED, Standing.NOT_REGISTERED):
            self._finding("bundle-key", seq, "manifest_jws", f"the signer's key was {standing} at that time")
        self._compare_columns(seq, manifest, (sender, key, case_number))
        if (
            self.pseudonyms is not None
            and self.pseudonyms.case(str(manifest.get("case_number"))) != fields[_AT["case"]]
        ):
            self._finding("bundle-pseudonym", seq, "case_number", "the entry belongs to another case")
        self._record(seq, manifest, record)
        self._grant(seq, fields, manifest, is_record_material=not record)

    def _compare_columns(self, seq: int, manifest: dict[str, Any], row: tuple[str, str, str]) -> None:
        for column, found in zip(("sender", "idempotency_key", "case_number"), row, strict=True):
            if found != manifest.get(column):
                self._finding("bundle-column", seq, column, "not what the signed manifest says")

    def _record(self, seq: int, manifest: dict[str, Any], record: bytes) -> None:
        said = manifest.get("native_record")
        if not isinstance(said, dict):
            self._finding("bundle-form", seq, "manifest_jws", "the manifest names no record")
        elif record and (len(record), sha256(record).hexdigest(), sm3_hex(record)) != (
            said.get("size"), said.get("sha256"), said.get("sm3"),
        ):  # fmt: skip
            self._finding("bundle-record", seq, "record", "not the record whose digest is signed")

    def _grant(self, seq: int, fields: Fields, manifest: dict[str, Any], *, is_record_material: bool) -> None:
        """A record that is not in the row travels as a material, so both parties must have been granted it."""
        materials = manifest.get("materials") or []
        digests = [item.get("sha256") for item in materials if isinstance(item, dict)] + list(
            manifest.get("unchanged") or []
        )
        if is_record_material and isinstance(manifest.get("native_record"), dict):
            digests.append(manifest["native_record"].get("sha256"))
        for digest in digests:
            if not isinstance(digest, str) or len(digest) != _HEX_DIGITS:
                continue
            for agency in (fields[_AT["sender"]], fields[_AT["receiver"]]):
                self._grants[agency or "", bytes.fromhex(digest), seq] = None


async def report_missing_grants(
    source: FsckSource, wanted: Sequence[tuple[str, bytes, int]], giver: str, report: Report
) -> None:
    """Report grants that entries gave and that are not there.

    Args:
        source: the ledger.
        wanted: agency, SHA-256 (32 bytes) and index of the entry that gave it.
        giver: what gave them, for the reason.
        report: takes the findings.
    """
    for at in await source.missing_grants(wanted):
        agency, digest, seq = wanted[at]
        place, reason = f"agency={agency} sha256={digest.hex()}", f"{giver} gives this grant, and it is not there"
        report(AuditFinding("grant-missing", "material_grant", place, reason, seq))


async def check_details(source: FsckSource, start: int, stop: int | None, report: Report) -> None:
    """Check the texts of decisions against the digests in their entries.

    Args:
        source: the ledger.
        start: first index.
        stop: index after the last; None for the end.
        report: takes the findings.
    """
    async for page in source.details(start, stop):
        for seq, leaf, body in page:
            if body is None and b'"detail_sha256":' not in leaf:
                # Most entries; a quotation mark inside of a value would be escaped, so this is the field or nothing.
                continue
            fields = parse_fields(leaf)
            if fields is None:
                continue
            wanted = fields[_AT["detail_sha256"]]
            place = f"seq={seq} column=body"
            if body is None and wanted is not None:
                report(AuditFinding("detail-missing", "detail", place, "the text of the decision is missing", seq))
            elif body is not None and wanted is None:
                report(AuditFinding("detail-stray", "detail", place, "the entry has no text", seq))
            elif body is not None and sha256(body).hexdigest() != wanted:
                report(AuditFinding("detail-digest", "detail", place, "not the text whose digest is in the entry", seq))


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
            place = f"seq={seq} column=body"
            if body is None and wanted is not None:
                report(AuditFinding("fact-missing", "fact", place, "the facts of the entry are missing", seq))
            elif body is not None and wanted is None:
                report(AuditFinding("fact-stray", "fact", place, "the entry has no facts", seq))
            elif body is not None and sha256(body).hexdigest() != wanted:
                report(AuditFinding("fact-digest", "fact", place, "not the facts whose digest is in the entry", seq))
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
            is_good = parse_agency(agency).role is not Role.OVERSIGHT and len(digest) == _HEX_DIGITS // 2
        except GatewayError:
            is_good = False
        if not is_good:
            place = f"sha256={digest.hex()} column=agency"
            findings.append(AuditFinding("grant-malformed", "material_grant", place, "no agency has this grant"))
    return findings
