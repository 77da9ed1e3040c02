"""Makes the evidence pack of one case: everything an auditor needs to judge it years later, without the gateway.

README.md            what this is, and openssl commands for every signature
case.json            index of the pack
leaves/N.json        the ledger entries, byte for byte          receipts/N.jws   what the gateway promised for each
signers/N/           entries that register or revoke the keys that signed, with proof and certificate
proofs/N.json        the way from each to the root              details/N.json   texts of decisions
facts/N.json         what happened, by which clocks run         tracks/N.json      what it did to the persons
head/                checkpoint with cosignatures, time stamp
statements/N/        statement.jws, the issuer's certificates, what was signed and the signature
bundles/ID/          manifest.jws, record.bin, the sender's certificates, what was signed and the signature
renditions/N/        what the receiver was given, and the mapping report
materials/           documents, when they were asked for
keys/                the CA of signing certificates, the witness policy, the CA of time stamps
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import IO, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.audit.bag import BagWriter
from gateway.audit.jws_check import Header, decode_segment, parse_header, split
from gateway.audit.pack_readme import Signed, write_readme
from gateway.core.entry import Entry, EntryKind, from_leaf, leaf_hash
from gateway.core.log.batch_receipt import SEPARATOR
from gateway.core.log.note import NoteError, parse_note, parse_signature_line
from gateway.core.port.evidence import CaseBundle, CaseEntry, CaseStatement, EvidenceHead, EvidenceSource, PackKeys
from gateway.core.schema_register import Schema

FORMAT: Final = "fasttrack-evidence/1"


class CaseUnknownError(LookupError):
    """The ledger has no entry of the case."""


@dataclass(slots=True)
class Packed:
    """What is in a pack.

    Args:
        entries: number of entries.
        bundles: number of bundles.
        statements: number of statements.
        materials: materials listed.
        included: materials that are in the pack.
        renditions: renditions that could be made again, byte for byte.
        missing: what could not be put in, in words.
    """

    entries: int = 0
    bundles: int = 0
    statements: int = 0
    materials: int = 0
    included: int = 0
    renditions: int = 0
    missing: list[str] = field(default_factory=list)


async def write_pack(
    source: EvidenceSource, case: str, keys: PackKeys, file: IO[bytes], *, made_on: date, with_materials: bool
) -> Packed:
    """Write the pack of a case.

    Args:
        source: the ledger with what lies beside it.
        case: pseudonym of the case.
        keys: what the pack is to be verified with.
        file: the zip.
        made_on: today.
        with_materials: whether to include the documents themselves.

    Returns:
        what is in it.

    Raises:
        CaseUnknownError: there is no such case.
    """
    entries = await source.entries(case)
    if not entries:
        raise CaseUnknownError("the ledger has no entry of this case")
    packer = _Packer(source, BagWriter(file, f"evidence-{case}"), with_materials=with_materials)
    await packer.add_all(case, entries, await source.bundles(case), await source.statements(case), keys)
    packer.bag.finish(
        {"Source-Organization": packer.origin, "External-Identifier": case, "Bag-Software-Agent": "fasttrack evidence"},
        made_on,
    )
    return packer.packed


class _Packer:
    def __init__(self, source: EvidenceSource, bag: BagWriter, *, with_materials: bool) -> None:
        self.bag = bag
        self.packed = Packed()
        self.origin = ""
        self._source = source
        self._with_materials = with_materials
        self._signed: list[Signed] = []
        self._records: dict[str, tuple[bytes, Schema]] = {}

    async def add_all(
        self,
        case: str,
        entries: list[CaseEntry],
        bundles: list[CaseBundle],
        statements: list[CaseStatement],
        keys: PackKeys,
    ) -> None:
        parsed = {entry.index: from_leaf(entry.leaf) for entry in entries}
        self.origin = parsed[entries[0].index].origin
        head = await self._source.head(entries[-1].index + 1)
        for entry in entries:
            await self._entry(entry, head)
        self._head(head)
        signers = await self._signers({entry.signer_key for entry in parsed.values() if entry.signer_key}, head)
        for statement in statements:
            if not statement.statement_jws:
                self.packed.missing.append(f"the statement of entry {statement.index} was destroyed with the case")
                continue
            folder = f"statements/{statement.index}"
            self.bag.add(f"{folder}/statement.jws", statement.statement_jws.encode())
            self._signature(folder, statement.statement_jws, parsed[statement.index])
            self.packed.statements += 1
        materials: dict[str, dict[str, Any]] = {}
        for bundle in bundles:
            self._bundle(bundle, parsed[bundle.index], materials)
        renditions = [self._rendition(entry) for entry in parsed.values() if entry.rendition_sha256]
        self._materials(materials)
        self.bag.add("keys/signing-ca.pem", keys.signing_ca)
        if keys.policy:
            self.bag.add("keys/policy.toml", keys.policy.encode())
        if keys.tsa_ca:
            self.bag.add("keys/tsa-ca.pem", keys.tsa_ca)
        index = {
            "format": FORMAT,
            "origin": self.origin,
            "case": case,
            "head": {"size": head.size, "root": head.root.hex(), "is_signed": bool(head.note)},
            "entries": [
                {
                    "index": number,
                    "kind": entry.kind.value,
                    "handoff": entry.handoff,
                    "case_sequence": entry.case_sequence,
                }
                for number, entry in parsed.items()
            ],
            "signers": signers,
            "bundles": [bundle.handoff for bundle in bundles],
            "renditions": renditions,
            "materials": list(materials.values()),
        }
        self.bag.add("case.json", _to_json(index))
        digest = sha256(head.note).hexdigest() if head.token else ""
        self.bag.add("README.md", write_readme(self.origin, case, self._signed, digest).encode())

    async def _entry(self, entry: CaseEntry, head: EvidenceHead) -> None:
        number = entry.index
        self.bag.add(f"leaves/{number}.json", entry.leaf)
        await self._proof(f"proofs/{number}.json", number, entry.leaf, head)
        if entry.receipt:
            self.bag.add(f"receipts/{number}.jws", entry.receipt.encode())
            self._signature(f"receipts/{number}", entry.receipt.partition(SEPARATOR)[0], from_leaf(entry.leaf))
        if entry.detail:
            self.bag.add(f"details/{number}.json", entry.detail)
        if entry.tracks:
            self.bag.add(f"tracks/{number}.json", entry.tracks)
        if entry.facts:
            self.bag.add(f"facts/{number}.json", entry.facts)
        self.packed.entries += 1

    async def _proof(self, name: str, number: int, leaf: bytes, head: EvidenceHead) -> None:
        proof = {
            "index": number,
            "leaf_hash": leaf_hash(leaf).hex(),
            "tree_size": head.size,
            "root_hash": head.root.hex(),
            "hashes": [item.hex() for item in await self._source.proof(number, head.size)],
        }
        self.bag.add(name, _to_json(proof))

    async def _signers(self, used: set[str], head: EvidenceHead) -> list[int]:
        """Add what the log says of the keys that signed, up to the head: registrations, and revocations of the key."""
        rows = [(row, from_leaf(row.leaf)) for row in await self._source.keys() if row.index < head.size]
        public = {
            entry.public_key_sha256
            for _, entry in rows
            if entry.kind is EntryKind.KEY_REGISTERED and entry.signer_key in used
        }
        wanted = [
            row
            for row, entry in rows
            if entry.signer_key in used or (entry.kind is EntryKind.KEY_REVOKED and entry.public_key_sha256 in public)
        ]
        for row in wanted:
            folder = f"signers/{row.index}"
            self.bag.add(f"{folder}/leaf.json", row.leaf)
            self.bag.add(f"{folder}/certificate.der", row.certificate)
            await self._proof(f"{folder}/proof.json", row.index, row.leaf, head)
        return [row.index for row in wanted]

    def _head(self, head: EvidenceHead) -> None:
        if not head.note:
            self.packed.missing.append("the log has signed no checkpoint of this size yet")
            return
        try:
            note = parse_note(head.note).with_signatures(
                [parse_signature_line(line.removesuffix("\n")) for line in head.cosignatures]
            )
            self.bag.add("head/checkpoint", note.to_bytes())
        except NoteError:
            self.bag.add("head/checkpoint", head.note)
        # What was stamped is the note before witnesses added their lines.
        self.bag.add("head/signed-note", head.note)
        if head.token:
            self.bag.add("head/token.der", head.token)

    def _bundle(self, bundle: CaseBundle, entry: Entry, materials: dict[str, dict[str, Any]]) -> None:
        if not bundle.manifest_jws:
            self.packed.missing.append(f"the bundle of handoff {bundle.handoff} was destroyed with the case")
            return
        folder = f"bundles/{bundle.handoff}"
        self.bag.add(f"{folder}/manifest.jws", bundle.manifest_jws.encode())
        self._signature(folder, bundle.manifest_jws, entry)
        manifest = json.loads(decode_segment(split(bundle.manifest_jws)[1]))
        record, named = bundle.record, manifest["native_record"]
        if not record and (path := self._source.material(named["sha256"])) is not None:
            record = path.read_bytes()
        if record:
            self.bag.add(f"{folder}/record.bin", record)
            self._records[bundle.handoff] = record, Schema(named["schema"], named["version"])
        else:
            self.packed.missing.append(f"the record of handoff {bundle.handoff} is not in the material store")
        for item in manifest.get("materials", []):
            known = materials.setdefault(item["sha256"], {**item, "handoffs": []})
            known["handoffs"].append(bundle.handoff)
        self.packed.bundles += 1

    def _signature(self, folder: str, jws: str, entry: Entry) -> None:
        """Take a JWS apart into files that openssl reads."""
        header_text, payload_text, signature_text = split(jws)
        header = parse_header(header_text)
        chain = [x509.load_der_x509_certificate(der) for der in header.certificates]
        pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)
        self.bag.add(f"{folder}/signed.bin", f"{header_text}.{payload_text}".encode())
        self.bag.add(f"{folder}/signature.bin", to_openssl(header, decode_segment(signature_text)))
        self.bag.add(f"{folder}/signer.pem", pem)
        self._signed.append(Signed(folder, header.algorithm, entry.recorded_at))

    def _rendition(self, entry: Entry) -> dict[str, Any]:
        found = self._records.get(entry.handoff)
        made = None if found is None else self._source.render(*found, entry.receiver)
        is_same = (
            made is not None
            and sha256(made.data).hexdigest() == entry.rendition_sha256
            and sha256(made.report).hexdigest() == entry.report_sha256
        )
        if made is not None and is_same:
            self.bag.add(f"renditions/{entry.index}/rendition.bin", made.data)
            self.bag.add(f"renditions/{entry.index}/report.json", made.report)
            self.packed.renditions += 1
        else:
            reason = f"the rendition of entry {entry.index} was made by {entry.mapping_version}, which is not here"
            if found is None:
                reason = f"the rendition of entry {entry.index} cannot be made again without its record"
            self.packed.missing.append(reason)
        return {"index": entry.index, "mapping_version": entry.mapping_version, "is_included": is_same}

    def _materials(self, materials: dict[str, dict[str, Any]]) -> None:
        for digest, item in materials.items():
            path = self._source.material(digest) if self._with_materials else None
            item["is_included"] = path is not None
            if path is not None:
                self.bag.add(f"materials/{digest}", path)
                self.packed.included += 1
            elif self._with_materials:
                self.packed.missing.append(f"material {digest} is not in the store")
        self.packed.materials = len(materials)


def to_openssl(header: Header, signature: bytes) -> bytes:
    """Write a signature as openssl reads it: Ed25519 as it is, the others as DER."""
    if header.algorithm == "EdDSA":
        return signature
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))


def _to_json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
