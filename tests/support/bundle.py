"""Records, manifests and signatures for tests: right by default, so that a test changes the one thing it is about."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gateway.core.digest import sha256_hex, sm3_hex
from gateway.core.identity import parse_agency
from gateway.core.manifest import Manifest, Material, NativeRecord, to_payload
from gateway.core.route import RecordKind
from gateway.core.statement import Statement
from gateway.core.statement import to_payload as to_statement_payload
from gateway.rpc.client_bundle import make_uuid7
from gateway.trust.jws import sign_statement
from tests.support.pki import Issued

PDF: Final = b"%PDF-1.4\n% a page of a test file\n"
_ORGAN: Final = {"ps": "000000", "pr": "JC0000", "ct": "FY0000", "ja": "SF0000"}
_serials = itertools.count(1)


def new_case_number() -> str:
    """Make a police case number that no other test of this process uses."""
    year, serial = divmod(next(_serials), 10_000)
    return f"A110108000000{2000 + year}06{serial:04d}"


def _organ(agency: str) -> str:
    role, division = agency.split(":")
    return division + _ORGAN[role]


def transfer_record(
    case_number: str,
    *,
    sender: str = "ps:110108",
    receiver: str = "pr:110108",
    material: bytes = PDF,
    facts: str = "测试事实。",
) -> bytes:
    """Write the least police record of kind TRANSFER that has no error.

    Args:
        case_number: police case number.
        sender: police agency.
        receiver: procuratorate.
        material: the document that it names.
        facts: text of the facts, written into the XML as it is.

    Returns:
        GB18030 XML; person and documents are invented, division 999001.
    """
    text = f"""<?xml version="1.0" encoding="GB18030"?>
<YSQS version="3.2">
  <TXX><JLLX>01</JLLX><FSDW>{_organ(sender)}</FSDW><JSDW>{_organ(receiver)}</JSDW>
    <FSSJ>20240610163000</FSSJ><XXBH>PS-TEST-01</XXBH></TXX>
  <AJXX><AJBH>{case_number}</AJBH><AJMC>测试人甲危险驾驶案</AJMC><AJLB>020790</AJLB><ASJFSSJ>20240601233000</ASJFSSJ>
    <SARQ>20240602</SARQ><LARQ>20240602</LARQ><SCBZ>1</SCBZ><YSWH>一公(刑)诉字〔2024〕1012号</YSWH>
    <YSSJ>20240610090000</YSSJ><AQZY>{facts}</AQZY></AJXX>
  <XYRLB><XYR XH="1"><RYBH>R1101080000002024060121</RYBH><XM>测试人甲</XM><XB>1</XB><CSRQ>19900307</CSRQ>
    <ZMLB><ZM JD="1" DM="040101"/></ZMLB></XYR></XYRLB>
  <WSLB><WS XH="1" DM="D01" MC="受案登记表" RQ="20240602" YS="1" ZY="{sha256_hex(material)}"/></WSLB>
</YSQS>
"""
    return text.encode("gb18030")


def to_material(data: bytes, *, number: int = 1, document_code: str = "D01") -> Material:
    """Describe a document as a manifest does."""
    return Material(
        f"m{number}", document_code, "受案登记表", "application/pdf", len(data), sha256_hex(data), sm3_hex(data)
    )


def to_native_record(record: bytes, schema: str = "police", version: str = "3.2", encoding: str = "") -> NativeRecord:
    """Describe a record as a manifest does; "" is the encoding of the schema."""
    encoding = encoding or ("GB18030" if schema == "police" else "UTF-8")
    return NativeRecord(schema, version, encoding, len(record), sha256_hex(record), sm3_hex(record))


def transfer_manifest(record: bytes, case_number: str, **changes: Any) -> Manifest:
    """Write the manifest of a transfer.

    Args:
        record: the native record.
        case_number: police case number.
        changes: fields of ``Manifest`` that are to differ; sender and receiver may be texts.

    Returns:
        the manifest, with a bundle id and an idempotency key of its own.
    """
    bundle_id = make_uuid7()
    manifest = Manifest(
        bundle_id=bundle_id,
        sender=parse_agency("ps:110108"),
        receiver=parse_agency("pr:110108"),
        kind=RecordKind.TRANSFER,
        case_number=case_number,
        idempotency_key=f"key-{bundle_id}",
        created_at=datetime.now(UTC),
        native_record=to_native_record(record),
        materials=(to_material(PDF),),
    )
    for name in ("sender", "receiver"):
        if isinstance(changes.get(name), str):
            changes[name] = parse_agency(changes[name])
    return replace(manifest, **changes)


def load_issued(certificate: Path, key: Path) -> Issued:
    """Read a certificate with its key from PEM files."""
    from cryptography import x509

    from certs.layout import load_key

    return Issued(x509.load_pem_x509_certificate(certificate.read_bytes()), load_key(key))


def sign(manifest: Manifest, signer: Issued) -> str:
    """Sign a manifest as a bundle."""
    return signer.sign(to_payload(manifest))


def make_statement(body: Mapping[str, Any], case_number: str = "", **changes: Any) -> Statement:
    """Write a statement that happened and was signed now; ``issuer`` may be a text.

    Args:
        body: as the form wants it.
        case_number: police case number, "" for none.
        changes: fields of ``Statement`` that are to differ.
    """
    now = datetime.now(UTC)
    statement = Statement(
        statement_id=make_uuid7(), type="procedural-act", version=1, issuer=parse_agency("ps:110108"),
        case_number=case_number, created_at=now, occurred_at=now, body=body,
    )  # fmt: skip
    if isinstance(changes.get("issuer"), str):
        changes["issuer"] = parse_agency(changes["issuer"])
    return replace(statement, **changes)


def sign_stated(statement: Statement | Mapping[str, Any], signer: Issued) -> str:
    """Sign a statement, or any payload as one."""
    payload = to_statement_payload(statement) if isinstance(statement, Statement) else statement
    return sign_statement(payload, private_key=signer.key, certificate_chain=signer.chain)


def segment(data: bytes | Mapping[str, Any] | Sequence[Any]) -> str:
    """Write bytes, or plain values as JSON, as a segment of a JWS."""
    raw = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parts_of(jws: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Take a JWS apart without verifying it: header, payload, signature."""
    header, payload, signature = (base64.urlsafe_b64decode(part + "==") for part in jws.split("."))
    return json.loads(header), json.loads(payload), signature


def payload_bytes(jws: str) -> bytes:
    """The signed bytes of a JWS."""
    return base64.urlsafe_b64decode(jws.split(".")[1] + "==")


def sign_bytes(payload: bytes, signer: Issued, header: Mapping[str, Any] | None = None) -> str:
    """Sign any bytes with any header, as no honest sender would.

    Args:
        payload: what stands in the middle.
        signer: an Ed25519 key; its usual header is taken when none is given.
        header: the whole header.

    Returns:
        the compact JWS with a signature that is right for these bytes.
    """
    usual, _, _ = parts_of(signer.sign({}))
    text = f"{segment(header if header is not None else usual)}.{segment(payload)}"
    return f"{text}.{segment(signer.key.sign(text.encode()))}"  # type: ignore[call-arg]


def bundle_of(case_number: str, signer: Issued, **changes: Any) -> tuple[Manifest, str, bytes]:
    """Make a complete transfer of a case: manifest, its JWS, the record."""
    sender, receiver = str(changes.get("sender", "ps:110108")), str(changes.get("receiver", "pr:110108"))
    record = transfer_record(case_number, sender=sender, receiver=receiver)
    manifest = transfer_manifest(record, case_number, **changes)
    return manifest, sign(manifest, signer), record
