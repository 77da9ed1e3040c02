"""Bundles beside the entries, the grants that they give, and why content cannot be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from gateway.audit.finding import AuditFinding, Report
from gateway.audit.jws_check import JwsError, decode_segment, parse_header, split
from gateway.audit.leaf_form import FIELDS, Fields, parse_fields
from gateway.core.digest import sm3_hex
from gateway.core.log.key_history import KeyHistory, Standing
from gateway.core.port.fsck import FsckSource, Row, Unread
from gateway.core.pseudonym import Pseudonyms

_AT: Final = {name: FIELDS.index(name) for name in FIELDS}
_HEX_DIGITS: Final = 64


@dataclass(slots=True)
class BundleCheck:
    """Checks bundles against their entries.

    Args:
        source: the ledger.
        report: takes the findings.
        pseudonyms: to check case numbers and idempotency keys; None leaves them unchecked.
        keys: signer keys that the ledger knows.
        destroyed: cases that an entry says were destroyed.
        checked: bundles seen.
        gone: bundles of these that nobody can read any more.
    """

    source: FsckSource
    report: Report
    pseudonyms: Pseudonyms | None = None
    keys: KeyHistory = field(default_factory=KeyHistory)
    destroyed: Mapping[str, int] = field(default_factory=dict)
    checked: int = 0
    gone: int = 0
    _last: int = -1
    _grants: dict[tuple[str, bytes, int], None] = field(default_factory=dict)
    _materials: dict[tuple[bytes, str], int] = field(default_factory=dict)

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
            named = list(self._materials)
            for at in await self.source.missing_materials(named):
                digest, case = named[at]
                place = f"sha256={digest.hex()} case_id={case}"
                reason = "a bundle of the case names this material, and the table does not"
                self.report(
                    AuditFinding("material-unlisted", "case_material", place, reason, self._materials[named[at]])
                )
            self._materials.clear()
            self.checked += len(page)

    def _finding(self, check: str, seq: int, column: str, reason: str) -> None:
        self.report(AuditFinding(check, "bundle", f"seq={seq} column={column}", reason, seq))

    def _add(self, row: Row) -> None:
        seq, leaf, handoff_id, bundle_seq, sender, key, case_number, signed, record, why = row
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
        if sender != fields[_AT["sender"]]:
            self._finding("bundle-column", seq, "sender", "not the sender of its entry")
        if why:
            self.gone += report_unread(self.report, "bundle", seq, fields[_AT["case"]] or "", why, self.destroyed)
            return
        self._content(seq, fields, sender, key, (case_number, signed, record))

    def _content(self, seq: int, fields: Fields, sender: str, key: str, content: tuple[bytes, bytes, bytes]) -> None:
        """What could be opened, against the entry."""
        case_number, signed, record = content
        if sha256(signed).hexdigest() != fields[_AT["bundle_sha256"]] or sm3_hex(signed) != fields[_AT["bundle_sm3"]]:
            self._finding("bundle-digest", seq, "manifest_jws", "not the manifest whose digest is in the entry")
            return
        try:
            header, payload_text, _ = split(signed.decode("latin-1"))
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
        self._numbers(seq, fields, manifest, sender, key, case_number)
        self._record(seq, manifest, record)
        self._grant(seq, fields, manifest, is_record_material=not record)

    def _numbers(  # noqa: PLR0917 - the columns of one row
        self, seq: int, fields: Fields, manifest: dict[str, Any], sender: str, key: str, case_number: bytes
    ) -> None:
        if case_number != str(manifest.get("case_number")).encode():
            self._finding("bundle-column", seq, "case_number", "not what the signed manifest says")
        if self.pseudonyms is not None:
            if self.pseudonyms.case(str(manifest.get("case_number"))) != fields[_AT["case"]]:
                self._finding("bundle-pseudonym", seq, "case_number", "the entry belongs to another case")
            if self.pseudonyms.message(sender, str(manifest.get("idempotency_key"))) != key:
                self._finding("bundle-column", seq, "idempotency_key", "not that of what the signed manifest says")

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
            self._materials.setdefault((bytes.fromhex(digest), fields[_AT["case"]] or ""), seq)
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


def report_unread(  # noqa: PLR0917 - bundles and details alike
    report: Report, table: str, seq: int, case: str, why: str, destroyed: Mapping[str, int]
) -> bool:
    """Judge why content cannot be read: of a destroyed case it has to be so.

    Args:
        report: takes the finding, if it is one.
        table: where the content is.
        seq: index of its entry.
        case: pseudonym.
        why: ``Unread``, or the column whose seal is broken.
        destroyed: cases that an entry says were destroyed.

    Returns:
        whether the content was destroyed as the ledger says.
    """
    if why == Unread.NO_VAULT:
        return case in destroyed
    if why == Unread.DESTROYED:
        if case in destroyed:
            return True
        report(AuditFinding("case-key", table, f"seq={seq}", "its key was destroyed, and no entry says so", seq))
    elif why == Unread.KEY_MISSING:
        report(AuditFinding("case-key", table, f"seq={seq}", "the vault has no key that opens it", seq))
    else:
        column = why.rpartition(".")[2]
        report(AuditFinding("seal", table, f"seq={seq} column={column}", "not what was sealed for this row", seq))
    return False


async def check_remaining_keys(source: FsckSource, report: Report) -> None:
    """A case that an entry says was destroyed must have no key: a destruction that stopped half-way, or was undone.

    Args:
        source: the ledger.
        report: takes the findings.
    """
    destroyed = await source.destroyed_cases()
    for case in await source.remaining_keys(list(destroyed)):
        reason = "the case was destroyed, and its key is still there: run `fasttrack case finish`"
        report(AuditFinding("case-key-remains", "entry", f"seq={destroyed[case]}", reason, destroyed[case]))
