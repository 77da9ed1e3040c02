"""Verifies an evidence pack offline: no database, no network, nothing of the gateway but its core.

1. The container is harmless, and a bag whose files are those that were listed.
2. The index is of this format and names what is there, and nothing else is there.
3. Every leaf is what the gateway writes, for its index, of one log and one case.
4. The case is whole: its first entry, and each following one, decided again by the rules.
5. Every leaf is in the tree of the head.
6. The head is signed by the log, and enough witnesses cosigned it; a time stamp is for this head.
7. Every receipt is signed by the gateway for a batch, and leads from its entry to what was signed.
8. Every bundle and statement is the one in the ledger, signed by its sender or issuer with a certificate that was
   valid when it was recorded.
9. Every record, text of a decision, rendition and material is the one whose digest was recorded.

Everything that is wrong is reported at once; only step 1 can end the verification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.audit.bag import Bag, BagError, open_bag
from gateway.audit.case_replay import CaseReplay
from gateway.audit.evidence import FORMAT, to_openssl
from gateway.audit.finding import AuditFinding, Findings, Severity
from gateway.audit.jws_check import JwsError, UncheckedError, decode_segment, parse_header, verify_chain, verify_jws
from gateway.audit.leaf_form import parse_entry
from gateway.audit.seal_check import TokenError
from gateway.audit.token_check import verify_token
from gateway.core.batch_receipt import parse_receipt, verify_place
from gateway.core.checkpoint import parse_checkpoint
from gateway.core.digest import sm3_hex
from gateway.core.entry import WITHOUT_RECEIPT, Entry, EntryKind, leaf_hash
from gateway.core.identity import GATEWAY_URI, URI_PREFIX
from gateway.core.merkle import ProofError, verify_inclusion
from gateway.core.note import NoteError, parse_note
from gateway.core.witness_policy import PolicyError, WitnessPolicy, parse_policy, verify_cosigned

VERIFIED, INCOMPLETE, WRONG, REFUSED = 0, 1, 4, 5
"""Exit codes: all verified; nothing wrong, but something could not be checked; wrong; the container is refused."""
RECEIPT_TYPE: Final = "fasttrack-receipt+jws"
BUNDLE_TYPE: Final = "fasttrack-bundle+jws"
STATEMENT_TYPE: Final = "fasttrack-statement+jws"
_LEAF: Final = re.compile(r"leaves/(0|[1-9][0-9]{0,17})\.json", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Trust:
    """What the auditor trusts beforehand; what is not given is taken from the pack, with a warning.

    Args:
        signing_cas: CAs of signing certificates.
        policy: key of the log, witnesses and quorum.
        tsa_cas: CAs of time-stamp authorities.
    """

    signing_cas: tuple[x509.Certificate, ...] = ()
    policy: WitnessPolicy | None = None
    tsa_cas: tuple[x509.Certificate, ...] = ()


@dataclass(slots=True)
class Verified:
    """What came of a verification.

    Args:
        findings: all of them.
        entries: leaves read.
        bundles: bundles read.
        size: of the tree of the head.
        code: exit code.
    """

    findings: list[AuditFinding] = field(default_factory=list)
    entries: int = 0
    bundles: int = 0
    size: int = 0
    code: int = VERIFIED


def verify_pack(path: Path, trust: Trust) -> Verified:
    """Verify a pack; see the steps above.

    Args:
        path: the zip.
        trust: what is trusted beforehand.

    Returns:
        everything that was found.

    Raises:
        OSError: the file cannot be read.
    """
    findings = Findings()
    try:
        # 1
        with open_bag(path) as bag:
            for name, reason in bag.problems:
                findings(AuditFinding("bag-file", name, "", reason))
            verifier = _Verifier(bag, trust, findings)
            verifier.run()
    except BagError as error:
        return Verified([AuditFinding("bag-refused", "pack", "", str(error))], code=REFUSED)
    severities = {finding.severity for finding in findings.kept}
    code = WRONG if Severity.ERROR in severities else INCOMPLETE if severities else VERIFIED
    return Verified(findings.kept, len(verifier.entries), verifier.bundles, verifier.size, code)


class _Verifier:
    def __init__(self, bag: Bag, trust: Trust, report: Findings) -> None:
        self._bag = bag
        self._trust = trust
        self._report = report
        self._used: set[str] = {"README.md", "case.json"}
        self.entries: dict[int, Entry] = {}
        self._leaves: dict[int, bytes] = {}
        self._expected: set[str] = set()
        self._root = b""
        self.size = 0
        self.bundles = 0

    def run(self) -> None:
        """Steps 2 to 9."""
        index = self._read_index()
        cas = self._signing_cas()
        self._check_leaves()
        self._check_case(index)
        self._check_head(index)
        self._check_proofs()
        self._check_receipts(cas)
        self._check_bundles(index, cas)
        self._check_statements(cas)
        self._check_texts()
        self._check_renditions()
        self._check_materials(index)
        for name in self._bag.digests:
            if name not in self._used:
                self._wrong("file-stray", name, "belongs to nothing in the pack")

    def _wrong(self, check: str, where: str, reason: str, index: int | None = None) -> None:
        self._report(AuditFinding(check, where, "", reason, index))

    def _take(self, path: str) -> bytes | None:
        self._used.add(path)
        return self._bag.read(path)

    def _json(self, path: str, check: str) -> dict[str, Any]:
        data = self._take(path)
        try:
            value = json.loads(data) if data is not None else None
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            self._wrong(check, path, "is missing or is not a JSON object")
            return {}
        return value

    # 2

    def _read_index(self) -> dict[str, Any]:
        index = self._json("case.json", "index")
        if index and index.get("format") != FORMAT:
            self._wrong("index", "case.json", f"not of the format {FORMAT}")
        return index

    def _signing_cas(self) -> tuple[x509.Certificate, ...]:
        data = self._take("keys/signing-ca.pem")
        if self._trust.signing_cas:
            return self._trust.signing_cas
        self._unsure("trust-signing-ca", "keys/signing-ca.pem", "the CA is the one that the pack brought along")
        try:
            return tuple(x509.load_pem_x509_certificates(data or b""))
        except ValueError:
            self._wrong("trust-signing-ca", "keys/signing-ca.pem", "there is no CA in it")
            return ()

    def _unsure(self, check: str, where: str, reason: str) -> None:
        self._report(AuditFinding(check, where, "", reason, severity=Severity.WARNING))

    # 3

    def _check_leaves(self) -> None:
        for name in self._bag.names("leaves/"):
            match = _LEAF.fullmatch(name)
            leaf = self._take(name)
            if match is None or leaf is None:
                self._wrong("leaf-name", name, "not the name of a leaf")
                continue
            number = int(match[1])
            entry = parse_entry(leaf)
            if entry is None or entry.index != number:
                self._wrong("leaf-form", name, "not a leaf of this index that the gateway writes", number)
                continue
            self.entries[number], self._leaves[number] = entry, leaf

    # 4

    def _check_case(self, index: dict[str, Any]) -> None:
        order = sorted(self.entries)

        def report(finding: AuditFinding) -> None:
            where = f"leaves/{finding.index}.json"
            self._report(AuditFinding(finding.check, where, "", finding.reason, finding.index))

        replay = CaseReplay(report)
        for number in order:
            replay.judge(number, self._leaves[number], leaf_hash(self._leaves[number]))
        listed = index.get("entries")
        named = [
            (item.get("index"), item.get("kind"), item.get("handoff"), item.get("case_sequence"))
            for item in (listed if isinstance(listed, list) else [])
            if isinstance(item, dict)
        ]
        found = [
            (number, str(self.entries[number].kind), self.entries[number].handoff, self.entries[number].case_sequence)
            for number in order
        ]
        if named != found or not found:
            self._wrong("index-entries", "case.json", "does not name exactly the leaves that are there")
        sequences = [self.entries[number].case_sequence for number in order]
        if sequences != list(range(1, len(order) + 1)):
            self._wrong("case-whole", "leaves", "entries of the case are missing")
        said = {"case": {entry.case for entry in self.entries.values()}, "origin": {replay.origin}}
        for name, values in said.items():
            if values != {str(index.get(name))}:
                self._wrong("index-case", "case.json", f"does not name the {name} of the leaves")

    # 5

    def _check_proofs(self) -> None:
        for number, leaf in self._leaves.items():
            name = f"proofs/{number}.json"
            proof = self._json(name, "proof-form")
            if not proof:
                continue
            try:
                hashes = [bytes.fromhex(text) for text in proof["hashes"]]
                said = (proof["index"], proof["tree_size"], proof["leaf_hash"], proof["root_hash"])
                if said != (number, self.size, leaf_hash(leaf).hex(), self._root.hex()):
                    self._wrong("proof", name, "the proof is for another entry or another tree", number)
                verify_inclusion(leaf_hash(leaf), number, self.size, hashes, self._root)
            except ProofError as error:
                self._wrong("proof", name, str(error), number)
            except (KeyError, TypeError, ValueError):
                self._wrong("proof-form", name, "not a proof", number)

    # 6

    def _check_head(self, index: dict[str, Any]) -> None:
        head = index.get("head")
        try:
            size, root = head["size"], bytes.fromhex(head["root"])  # type: ignore[index]
            if type(size) is int and size > 0:
                self.size, self._root = size, root
            else:
                self._wrong("index-head", "case.json", "names no head")
        except (KeyError, TypeError, ValueError):
            self._wrong("index-head", "case.json", "names no head")
        note, signed, token = (self._take(f"head/{name}") for name in ("checkpoint", "signed-note", "token.der"))
        self._used.add("keys/tsa-ca.pem")
        policy = self._policy()
        if note is None:
            self._unsure("head-unsigned", "head/checkpoint", "there is no signed head; the proofs lead to a bare root")
            return
        try:
            checkpoint = parse_checkpoint(parse_note(note).text)
            if (checkpoint.size, checkpoint.root) != (self.size, self._root):
                self._wrong("head", "head/checkpoint", "not the head that the index names")
            if self.entries and checkpoint.origin != next(iter(self.entries.values())).origin:
                self._wrong("head", "head/checkpoint", "of another log")
            if policy is not None:
                verify_cosigned(note, policy)
            if signed is None or parse_note(signed).text != parse_note(note).text:
                self._wrong("head", "head/signed-note", "not the text of the checkpoint")
            elif not set(parse_note(signed).signatures) <= set(parse_note(note).signatures):
                self._wrong("head", "head/signed-note", "not the signature of the checkpoint")
        except NoteError as error:
            self._wrong("head", "head/checkpoint", str(error))
        if token is not None:
            self._check_token(token, signed or b"")

    def _check_token(self, token: bytes, signed: bytes) -> None:
        name = "keys/tsa-ca.pem"
        data, roots = self._take(name), self._trust.tsa_cas
        if not roots:
            self._unsure(
                "trust-tsa-ca", name, "the CA of the time stamp is the one that the pack brought along, if any"
            )
            try:
                roots = tuple(x509.load_pem_x509_certificates(data or b""))
            except ValueError:
                reason = "there is no CA to verify the time stamp with"
                self._report(
                    AuditFinding("timestamp-unchecked", "head/token.der", "", reason, severity=Severity.UNKNOWN)
                )
                return
        try:
            verify_token(token, sha256(signed).digest(), roots)
        except TokenError as error:
            self._wrong("timestamp", "head/token.der", str(error))

    def _policy(self) -> WitnessPolicy | None:
        data = self._take("keys/policy.toml")
        if self._trust.policy is not None:
            return self._trust.policy
        if data is None:
            self._unsure("trust-policy", "keys/policy.toml", "no policy: signatures of the head were not checked")
            return None
        self._unsure("trust-policy", "keys/policy.toml", "the policy is the one that the pack brought along")
        try:
            return parse_policy(data.decode("utf-8"))
        except (PolicyError, UnicodeDecodeError) as error:
            self._wrong("trust-policy", "keys/policy.toml", f"cannot be used: {error}")
            return None

    # 7

    def _check_receipts(self, cas: tuple[x509.Certificate, ...]) -> None:
        for number, entry in self.entries.items():
            name = f"receipts/{number}.jws"
            data = self._take(name)
            if entry.kind in WITHOUT_RECEIPT:
                if data is not None:
                    self._wrong("receipt-stray", name, "an entry of this kind has no receipt", number)
                continue
            if data is None:
                self._wrong("receipt-missing", name, "the receipt is missing", number)
                continue
            try:
                jws, path = parse_receipt(data.decode("latin-1"))
            except ProofError as error:
                self._wrong("receipt", name, str(error), number)
                continue
            claims = self._signature(name, jws, RECEIPT_TYPE, GATEWAY_URI, entry.recorded_at, cas, number)
            self._openssl_files(f"receipts/{number}", jws)
            if claims is None:
                continue
            if claims.get("origin") != entry.origin:
                self._wrong("receipt", name, "is for an entry of another log", number)
            try:
                first, size = int(claims["first_index"]), int(claims["tree_size"])
                verify_place(
                    leaf_hash(self._leaves[number]), number, path,
                    first_index=first, tree_size=size, batch_root=bytes.fromhex(claims["batch_root"]),
                )  # fmt: skip
            except (ProofError, KeyError, TypeError, ValueError):
                self._wrong("receipt", name, "is for another entry", number)
                continue
            if size == self.size and claims.get("root_hash") != self._root.hex():
                self._wrong("receipt", name, "names a tree that does not hold the entry", number)

    def _signature(  # noqa: PLR0917 - one call for receipts, one for bundles
        self, name: str, jws: str, typ: str, uri: str, at: datetime, cas: tuple[x509.Certificate, ...], number: int
    ) -> dict[str, Any] | None:
        """Check signature, type, chain and signer; the payload, unless the signature is wrong."""

        def chain() -> None:
            header = parse_header(jws.partition(".")[0])
            if header.typ != typ:
                raise JwsError("a signature of another type")
            if uri not in verify_chain(header.certificates, cas, at):
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
            self._report(AuditFinding(check, name, "", str(error), number, Severity.UNKNOWN))
        except JwsError as error:
            self._wrong(check, name, str(error), number)

    def _openssl_files(self, folder: str, jws: str) -> None:
        """The files for openssl must be the same signature, or a reader of the README would check another one."""
        signed, signature, pem = (
            self._take(f"{folder}/{name}") for name in ("signed.bin", "signature.bin", "signer.pem")
        )
        try:
            header = parse_header(jws.partition(".")[0])
            certificates = tuple(
                item.public_bytes(Encoding.DER) for item in x509.load_pem_x509_certificates(pem or b"")
            )
            expected = to_openssl(header, decode_segment(jws.rpartition(".")[2]))
        except (JwsError, ValueError):
            self._wrong("openssl-files", folder, "cannot be compared with the signature")
            return
        for name, is_same in (
            ("signed.bin", signed == jws.rpartition(".")[0].encode("latin-1")),
            ("signature.bin", signature == expected),
            ("signer.pem", certificates == header.certificates),
        ):
            if not is_same:
                self._wrong("openssl-files", f"{folder}/{name}", "not that of the signature beside it")

    # 8

    def _check_bundles(self, index: dict[str, Any], cas: tuple[x509.Certificate, ...]) -> None:
        submits = {entry.handoff: entry for entry in self.entries.values() if entry.kind is EntryKind.SUBMITTED}
        if index.get("bundles") != list(submits):
            self._wrong("index-bundles", "case.json", "does not name the bundles of the entries")
        for handoff, entry in submits.items():
            folder = f"bundles/{handoff}"
            name = f"{folder}/manifest.jws"
            data = self._take(name)
            record = self._take(f"{folder}/record.bin")
            if data is None:
                self._wrong("bundle-missing", name, "the bundle is missing", entry.index)
                continue
            self.bundles += 1
            if (sha256(data).hexdigest(), sm3_hex(data)) != (entry.bundle_sha256, entry.bundle_sm3):
                self._wrong("bundle-digest", name, "not the bundle whose digest is in the ledger", entry.index)
            jws = data.decode("latin-1")
            uri = URI_PREFIX + entry.sender
            manifest = self._signature(name, jws, BUNDLE_TYPE, uri, entry.recorded_at, cas, entry.index)
            self._openssl_files(folder, jws)
            if manifest is None:
                continue
            self._manifest(name, manifest, jws, entry)
            named = manifest.get("native_record")
            if record is None:
                reason = "the record is not in the pack"
                where = f"{folder}/record.bin"
                self._report(AuditFinding("record-missing", where, "", reason, entry.index, Severity.UNKNOWN))
            elif not isinstance(named, dict) or (sha256(record).hexdigest(), sm3_hex(record), len(record)) != (
                named.get("sha256"), named.get("sm3"), named.get("size"),
            ):  # fmt: skip
                self._wrong("record", f"{folder}/record.bin", "not the record that was signed", entry.index)
            materials = manifest.get("materials")
            self._expected |= {
                item["sha256"]
                for item in (materials if isinstance(materials, list) else [])
                if isinstance(item, dict) and isinstance(item.get("sha256"), str)
            }

    def _manifest(self, name: str, manifest: dict[str, Any], jws: str, entry: Entry) -> None:
        said = (manifest.get("bundle_id"), manifest.get("sender"), manifest.get("receiver"), manifest.get("kind"))
        if said != (entry.handoff, entry.sender, entry.receiver, entry.handoff_kind):
            self._wrong("bundle-entry", name, "the entry names other parties or another handoff", entry.index)
        if parse_header(jws.partition(".")[0]).key_id != entry.signer_key:
            self._wrong("bundle-signer", name, "the entry names another signing certificate", entry.index)

    def _check_statements(self, cas: tuple[x509.Certificate, ...]) -> None:
        for number, entry in self.entries.items():
            if entry.kind is not EntryKind.STATED:
                continue
            folder = f"statements/{number}"
            name = f"{folder}/statement.jws"
            data = self._take(name)
            if data is None:
                self._wrong("statement-missing", name, "the statement is missing", number)
                continue
            if (sha256(data).hexdigest(), sm3_hex(data)) != (entry.statement_sha256, entry.statement_sm3):
                self._wrong("statement-digest", name, "not the statement whose digest is in the ledger", number)
            jws = data.decode("latin-1")
            uri = URI_PREFIX + entry.actor
            statement = self._signature(name, jws, STATEMENT_TYPE, uri, entry.recorded_at, cas, number)
            self._openssl_files(folder, jws)
            if statement is None:
                continue
            said = (statement.get("statement_id"), statement.get("issuer"), statement.get("type"))
            if said != (entry.act_id, entry.actor, entry.statement_type):
                self._wrong("statement-entry", name, "the entry names another issuer, type or id", number)
            if parse_header(jws.partition(".")[0]).key_id != entry.signer_key:
                self._wrong("statement-signer", name, "the entry names another signing certificate", number)

    # 9

    def _check_texts(self) -> None:
        for number, entry in self.entries.items():
            name = f"details/{number}.json"
            data = self._take(name)
            if (sha256(data).hexdigest() if data is not None else "") != entry.detail_sha256:
                self._wrong("detail", name, "not the text whose digest is in the ledger", number)
            name = f"facts/{number}.json"
            data = self._take(name)
            if (sha256(data).hexdigest() if data is not None else "") != entry.facts_sha256:
                self._wrong("facts", name, "not the facts whose digest is in the ledger", number)

    def _check_renditions(self) -> None:
        for number, entry in self.entries.items():
            folder = f"renditions/{number}"
            data, report = self._take(f"{folder}/rendition.bin"), self._take(f"{folder}/report.json")
            if not entry.rendition_sha256 or (data is None and report is None):
                if data is not None or report is not None:
                    self._wrong("rendition-stray", folder, "nothing was rendered at this entry", number)
                elif entry.rendition_sha256:
                    reason = f"not in the pack; it was made by {entry.mapping_version}"
                    self._report(AuditFinding("rendition-missing", folder, "", reason, number, Severity.UNKNOWN))
                continue
            for name, found, wanted in (
                ("rendition.bin", data, entry.rendition_sha256),
                ("report.json", report, entry.report_sha256),
            ):
                if found is None or sha256(found).hexdigest() != wanted:
                    self._wrong("rendition", f"{folder}/{name}", "not the one whose digest is in the ledger", number)

    def _check_materials(self, index: dict[str, Any]) -> None:
        listed = index.get("materials")
        items = [item for item in (listed if isinstance(listed, list) else []) if isinstance(item, dict)]
        named = {str(item.get("sha256")) for item in items}
        if named != self._expected:
            self._wrong("index-materials", "case.json", "does not name the materials of the manifests")
        included = {str(item.get("sha256")) for item in items if item.get("is_included")}
        for name in self._bag.names("materials/"):
            self._used.add(name)
            digest = name.removeprefix("materials/")
            if digest not in self._expected or self._bag.digests[name] != digest:
                self._wrong("material", name, "not a material of the case with this digest")
            included.discard(digest)
        for digest in sorted(included):
            self._wrong(
                "material-missing", f"materials/{digest}" if _DIGEST.fullmatch(digest) else "case.json", "is missing"
            )
