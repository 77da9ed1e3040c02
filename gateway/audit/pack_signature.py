"""Steps 7 and 8 of ``verify``: receipts, bundles and statements are signed by who should have signed them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.audit.evidence import to_openssl
from gateway.audit.finding import AuditFinding, Severity
from gateway.audit.jws_check import JwsError, UncheckedError, decode_segment, parse_header, verify_chain, verify_jws
from gateway.audit.pack import Pack
from gateway.core.digest import sm3_hex
from gateway.core.entry import WITHOUT_RECEIPT, Entry, EntryKind, leaf_hash
from gateway.core.identity import GATEWAY_URI, URI_PREFIX
from gateway.core.log.batch_receipt import parse_receipt, verify_place
from gateway.core.log.merkle import ProofError

RECEIPT_TYPE: Final = "fasttrack-receipt+jws"
BUNDLE_TYPE: Final = "fasttrack-bundle+jws"
STATEMENT_TYPE: Final = "fasttrack-statement+jws"


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """Checks every signature of a pack.

    Args:
        pack: with its leaves and head read.
        cas: trusted CAs of signing certificates.
    """

    pack: Pack
    cas: tuple[x509.Certificate, ...]

    def run(self, index: dict[str, Any]) -> None:
        """Check receipts, bundles and statements.

        Args:
            index: ``case.json``.
        """
        self._check_receipts()
        self._check_bundles(index)
        self._check_statements()

    def _check_receipts(self) -> None:
        for number, entry in self.pack.entries.items():
            name = f"receipts/{number}.jws"
            data = self.pack.take(name)
            if entry.kind in WITHOUT_RECEIPT:
                if data is not None:
                    self.pack.wrong("receipt-stray", name, "an entry of this kind has no receipt", number)
                continue
            if data is None:
                self.pack.wrong("receipt-missing", name, "the receipt is missing", number)
                continue
            try:
                jws, path = parse_receipt(data.decode("latin-1"))
            except ProofError as error:
                self.pack.wrong("receipt", name, str(error), number)
                continue
            claims = self._signature(name, jws, RECEIPT_TYPE, GATEWAY_URI, entry.recorded_at, number)
            self._openssl_files(f"receipts/{number}", jws)
            if claims is None:
                continue
            if claims.get("origin") != entry.origin:
                self.pack.wrong("receipt", name, "is for an entry of another log", number)
            try:
                first, size = int(claims["first_index"]), int(claims["tree_size"])
                verify_place(
                    leaf_hash(self.pack.leaves[number]), number, path,
                    first_index=first, tree_size=size, batch_root=bytes.fromhex(claims["batch_root"]),
                )  # fmt: skip
            except (ProofError, KeyError, TypeError, ValueError):
                self.pack.wrong("receipt", name, "is for another entry", number)
                continue
            if size == self.pack.size and claims.get("root_hash") != self.pack.root.hex():
                self.pack.wrong("receipt", name, "names a tree that does not hold the entry", number)

    def _signature(  # noqa: PLR0917 - one call for receipts, one for bundles
        self, name: str, jws: str, typ: str, uri: str, at: datetime, number: int
    ) -> dict[str, Any] | None:
        """Check signature, type, chain and signer; the payload, unless the signature is wrong."""

        def chain() -> None:
            header = parse_header(jws.partition(".")[0])
            if header.typ != typ:
                raise JwsError("a signature of another type")
            if uri not in verify_chain(header.certificates, self.cas, at):
                raise JwsError("signed by somebody else")

        payload: dict[str, Any] | None = None

        def signature() -> None:
            nonlocal payload
            payload = verify_jws(jws)[1]

        for check, step in (("signature", signature), ("chain", chain)):
            self._try(check, name, step, number)
        return payload

    def _try(self, check: str, name: str, step: Callable[[], None], number: int) -> None:
        try:
            step()
        except UncheckedError as error:
            self.pack.report(AuditFinding(check, name, "", str(error), number, Severity.UNKNOWN))
        except JwsError as error:
            self.pack.wrong(check, name, str(error), number)

    def _openssl_files(self, folder: str, jws: str) -> None:
        """The files for openssl must be the same signature, or a reader of the README would check another one."""
        signed, signature, pem = (
            self.pack.take(f"{folder}/{name}") for name in ("signed.bin", "signature.bin", "signer.pem")
        )
        try:
            header = parse_header(jws.partition(".")[0])
            certificates = tuple(
                item.public_bytes(Encoding.DER) for item in x509.load_pem_x509_certificates(pem or b"")
            )
            expected = to_openssl(header, decode_segment(jws.rpartition(".")[2]))
        except (JwsError, ValueError):
            self.pack.wrong("openssl-files", folder, "cannot be compared with the signature")
            return
        for name, is_same in (
            ("signed.bin", signed == jws.rpartition(".")[0].encode("latin-1")),
            ("signature.bin", signature == expected),
            ("signer.pem", certificates == header.certificates),
        ):
            if not is_same:
                self.pack.wrong("openssl-files", f"{folder}/{name}", "not that of the signature beside it")

    def _check_bundles(self, index: dict[str, Any]) -> None:
        submits = {entry.handoff: entry for entry in self.pack.entries.values() if entry.kind is EntryKind.SUBMITTED}
        if index.get("bundles") != list(submits):
            self.pack.wrong("index-bundles", "case.json", "does not name the bundles of the entries")
        for handoff, entry in submits.items():
            folder = f"bundles/{handoff}"
            name = f"{folder}/manifest.jws"
            data = self.pack.take(name)
            record = self.pack.take(f"{folder}/record.bin")
            if data is None:
                if self.pack.destroyed is None:
                    self.pack.wrong("bundle-missing", name, "the bundle is missing", entry.index)
                continue
            self.pack.bundles += 1
            if (sha256(data).hexdigest(), sm3_hex(data)) != (entry.bundle_sha256, entry.bundle_sm3):
                self.pack.wrong("bundle-digest", name, "not the bundle whose digest is in the ledger", entry.index)
            jws = data.decode("latin-1")
            uri = URI_PREFIX + entry.sender
            manifest = self._signature(name, jws, BUNDLE_TYPE, uri, entry.recorded_at, entry.index)
            self._openssl_files(folder, jws)
            if manifest is None:
                continue
            self._manifest(name, manifest, jws, entry)
            named = manifest.get("native_record")
            if record is None:
                reason = "the record is not in the pack"
                where = f"{folder}/record.bin"
                self.pack.report(AuditFinding("record-missing", where, "", reason, entry.index, Severity.UNKNOWN))
            elif not isinstance(named, dict) or (sha256(record).hexdigest(), sm3_hex(record), len(record)) != (
                named.get("sha256"), named.get("sm3"), named.get("size"),
            ):  # fmt: skip
                self.pack.wrong("record", f"{folder}/record.bin", "not the record that was signed", entry.index)
            materials = manifest.get("materials")
            self.pack.expected |= {
                item["sha256"]
                for item in (materials if isinstance(materials, list) else [])
                if isinstance(item, dict) and isinstance(item.get("sha256"), str)
            }

    def _manifest(self, name: str, manifest: dict[str, Any], jws: str, entry: Entry) -> None:
        said = (manifest.get("bundle_id"), manifest.get("sender"), manifest.get("receiver"), manifest.get("kind"))
        if said != (entry.handoff, entry.sender, entry.receiver, entry.handoff_kind):
            self.pack.wrong("bundle-entry", name, "the entry names other parties or another handoff", entry.index)
        if parse_header(jws.partition(".")[0]).key_id != entry.signer_key:
            self.pack.wrong("bundle-signer", name, "the entry names another signing certificate", entry.index)

    def _check_statements(self) -> None:
        for number, entry in self.pack.entries.items():
            if entry.kind is not EntryKind.STATED:
                continue
            folder = f"statements/{number}"
            name = f"{folder}/statement.jws"
            data = self.pack.take(name)
            if data is None:
                if self.pack.destroyed is None:
                    self.pack.wrong("statement-missing", name, "the statement is missing", number)
                continue
            if (sha256(data).hexdigest(), sm3_hex(data)) != (entry.statement_sha256, entry.statement_sm3):
                self.pack.wrong("statement-digest", name, "not the statement whose digest is in the ledger", number)
            jws = data.decode("latin-1")
            uri = URI_PREFIX + entry.actor
            statement = self._signature(name, jws, STATEMENT_TYPE, uri, entry.recorded_at, number)
            self._openssl_files(folder, jws)
            if statement is None:
                continue
            said = (statement.get("statement_id"), statement.get("issuer"), statement.get("type"))
            if said != (entry.act_id, entry.actor, entry.statement_type):
                self.pack.wrong("statement-entry", name, "the entry names another issuer, type or id", number)
            if parse_header(jws.partition(".")[0]).key_id != entry.signer_key:
                self.pack.wrong("statement-signer", name, "the entry names another signing certificate", number)
