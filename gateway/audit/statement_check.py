"""Statements beside their entries: each is the one whose digests are in the entry, and its columns repeat it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from gateway.audit.bundle_check import report_missing_grants, report_unread
from gateway.audit.finding import AuditFinding, Report
from gateway.audit.jws_check import JwsError, decode_segment, parse_header, split
from gateway.audit.leaf_form import FIELDS, Fields, parse_fields
from gateway.core.access.enquiry import STATEMENT_TYPE as PROGRESS_TYPE
from gateway.core.access.enquiry import to_progress
from gateway.core.access.material_request import MATERIAL_REQUEST
from gateway.core.digest import sm3_hex
from gateway.core.log.key_history import KeyHistory, Standing
from gateway.core.port.fsck import FsckSource, Row
from gateway.core.pseudonym import Pseudonyms

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_AT: Final = {name: FIELDS.index(name) for name in FIELDS}


@dataclass(slots=True)
class StatementCheck:
    """Checks statements against their entries.

    Args:
        source: the ledger.
        report: takes the findings.
        pseudonyms: to check case numbers; None leaves them unchecked.
        keys: signer keys that the ledger knows.
        destroyed: cases that an entry says were destroyed.
    """

    source: FsckSource
    report: Report
    pseudonyms: Pseudonyms | None = None
    keys: KeyHistory = field(default_factory=KeyHistory)
    destroyed: Mapping[str, int] = field(default_factory=dict)
    _last: int = -1
    _grants: list[tuple[str, bytes, int]] = field(default_factory=list)
    _told: dict[int, tuple[Any, ...] | None] = field(default_factory=dict)

    async def run(self, start: int, stop: int | None) -> None:
        """Check the statements of a range.

        Args:
            start: first index.
            stop: index after the last; None for the end.
        """
        async for page in self.source.statements(start, stop):
            for row in page:
                self._add(row)
            self._compare_progress(await self.source.progress([row[0] for row in page]))
            await report_missing_grants(self.source, self._grants, "a request", self.report)
            self._grants.clear()

    def _finding(self, check: str, seq: int, column: str, reason: str) -> None:
        self.report(AuditFinding(check, "statement", f"seq={seq} column={column}", reason, seq))

    def _add(self, row: Row) -> None:
        seq, leaf, row_seq, statement_id, issuer, type_name, case, case_number, signed, why = row
        if seq == self._last:
            self._finding("statement-repeated", seq, "seq", "the statement stands more than once")
        self._last = seq
        if row_seq is None:
            self._finding("statement-missing", seq, "seq", "the statement of this entry is missing")
            return
        fields = parse_fields(leaf)
        if fields is None:
            # The replay reports the leaf itself.
            return
        for column, found, name in (
            ("statement_id", statement_id, "act_id"),
            ("issuer", issuer, "actor"),
            ("statement_type", type_name, "statement_type"),
            ("case_id", case, "case"),
        ):
            if found != fields[_AT[name]]:
                self._finding("statement-column", seq, column, "not what the entry says")
        if (case is None) != (case_number is None):
            self._finding("statement-column", seq, "case_number", "there is one without the other")
        if why:
            report_unread(self.report, "statement", seq, fields[_AT["case"]] or "", why, self.destroyed)
            return
        digests = (fields[_AT["statement_sha256"]], fields[_AT["statement_sm3"]])
        if (sha256(signed).hexdigest(), sm3_hex(signed)) != digests:
            reason = "not the statement whose digest is in the entry"
            self._finding("statement-digest", seq, "statement_jws", reason)
            return
        try:
            header, payload_text, _ = split(signed.decode("latin-1"))
            payload = decode_segment(payload_text)
            statement: dict[str, Any] = dict(json.loads(payload))
            key_id = parse_header(header).key_id
        except (JwsError, ValueError, TypeError, RecursionError):
            self._finding("statement-form", seq, "statement_jws", "not a signed statement")
            return
        self._compare(seq, fields, statement, key_id, sha256(payload).hexdigest())
        self._case_number(seq, fields, statement, case_number)
        self._grant(seq, issuer, statement)
        self._tell(seq, fields, statement)

    def _compare(self, seq: int, fields: Fields, statement: dict[str, Any], key_id: str, payload_sha256: str) -> None:
        said = {
            "content_sha256": payload_sha256,
            "signer_key": key_id,
            "act_id": statement.get("statement_id"),
            "actor": statement.get("issuer"),
            "statement_type": statement.get("type"),
        }
        for name, value in said.items():
            if fields[_AT[name]] != value:
                self._finding("statement-entry", seq, "statement_jws", f"the entry does not name its {name}")
        standing = self.keys.judge(key_id, seq)
        if standing in (Standing.REVOKED, Standing.NOT_REGISTERED):
            self._finding("statement-key", seq, "statement_jws", f"the signer's key was {standing} at that time")

    def _grant(self, seq: int, issuer: str, statement: dict[str, Any]) -> None:
        """A request that was taken grants its issuer the material that it asks for."""
        body = statement.get("body")
        digest = body.get("sha256") if isinstance(body, dict) else None
        if statement.get("type") == MATERIAL_REQUEST.name and isinstance(digest, str) and _DIGEST.fullmatch(digest):
            self._grants.append((issuer, bytes.fromhex(digest), seq))

    def _tell(self, seq: int, fields: Fields, statement: dict[str, Any]) -> None:
        """What a party may be told by a statement; None for what is no progress."""
        self._told[seq] = None
        if statement.get("type") != PROGRESS_TYPE:
            return
        try:
            body = statement["body"]
            told = to_progress(body)
            token = self.pseudonyms.enquiry(body["subject_token"]) if self.pseudonyms is not None else None
        except (KeyError, TypeError, AttributeError):
            self._finding("statement-form", seq, "statement_jws", "not a statement of progress")
            return
        case = fields[_AT["case"]]
        self._told[seq] = (token, case, told.stage, told.since, told.next_remedy, told.remedy_until)

    def _compare_progress(self, rows: Sequence[Row]) -> None:
        """The rows of a page against its statements; without the key of pseudonyms a token is not compared."""
        seen: set[int] = set()
        for seq, token, *said in rows:
            place = f"seq={seq}"
            wanted = self._told.get(seq)
            if seq in seen:
                self.report(AuditFinding("progress-repeated", "progress", place, "it stands more than once", seq))
            elif seq in self._told and (
                wanted is None or (*said,) != wanted[1:] or (wanted[0] is not None and wanted[0] != token)
            ):
                self.report(AuditFinding("progress", "progress", place, "not what the statement lets be told", seq))
            seen.add(seq)
        for seq, wanted in self._told.items():
            if wanted is not None and wanted[0] is not None and seq not in seen:
                reason = "what the statement lets be told is missing"
                self.report(AuditFinding("progress-missing", "progress", f"seq={seq}", reason, seq))
        self._told.clear()

    def _case_number(self, seq: int, fields: Fields, statement: dict[str, Any], case_number: bytes | None) -> None:
        signed = statement.get("case_number")
        if (None if case_number is None else case_number.decode("latin-1")) != signed:
            self._finding("statement-column", seq, "case_number", "not what the signed statement says")
        if signed is None:
            if fields[_AT["case"]] is not None:
                self._finding("statement-entry", seq, "statement_jws", "the entry names a case, and the statement none")
        elif self.pseudonyms is not None and self.pseudonyms.case(str(signed)) != fields[_AT["case"]]:
            self._finding("statement-pseudonym", seq, "case_number", "the entry belongs to another case")
