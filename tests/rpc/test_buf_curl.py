"""A client that was not written here: buf curl, with a client certificate and nothing but server reflection."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

from cryptography import x509
from google.rpc import error_details_pb2

from gateway.core.entry import leaf_hash
from gateway.trust.receipt import verify_receipt
from tests.rpc.conftest import Signers
from tests.support.bundle import bundle_of, new_case_number
from tests.support.gateway import RunningGateway

BUF = Path(sys.executable).with_name("buf")


async def _buf_curl(gateway: RunningGateway, agency: str, method: str, message: dict[str, Any], home: Path) -> Any:
    """Call a method; the answer, or the error, as JSON."""
    files = gateway.pki.agency(agency)
    process = await asyncio.create_subprocess_exec(
        str(BUF), "curl", "--protocol", "grpc", "--reflect-protocol", "grpc-v1alpha",
        "--cacert", str(gateway.pki.tls_ca), "--cert", str(files.tls_certificate), "--key", str(files.tls_key),
        "--data", json.dumps(message), f"https://{gateway.target}/gateway.v1.{method}",
        # Without a home of its own buf would read, and write, the settings of whoever runs the tests.
        env={"HOME": str(home), "PATH": ""},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    answer, error = await process.communicate()
    return json.loads(answer or error)


async def test_buf_curl_validates_submits_and_queries(
    gateway: RunningGateway, signers: Signers, tmp_path: Path
) -> None:
    """Any gRPC client with reflection can hand over a bundle, keep a receipt that verifies, and follow the ledger."""
    case_number = new_case_number()
    manifest, jws, record = bundle_of(case_number, signers.police)
    message = {"manifestJws": jws, "record": base64.b64encode(record).decode()}
    validated = await _buf_curl(gateway, "ps:110108", "ExchangeService/Validate", message, tmp_path)
    assert validated["acceptable"] is True
    assert all(finding["severity"] == "SEVERITY_WARNING" for finding in validated.get("findings", ()))
    submitted = await _buf_curl(gateway, "ps:110108", "ExchangeService/Submit", message, tmp_path)
    receipt = submitted["receipt"]
    leaf = base64.b64decode(receipt["leaf"])
    assert base64.b64decode(receipt["leafHash"]) == leaf_hash(leaf)
    signing_ca = x509.load_pem_x509_certificate(gateway.pki.signing_ca.read_bytes())
    assert verify_receipt(receipt["jws"], leaf=leaf, signing_ca=signing_ca, now=None).entry_index >= 0
    condition = {"filter": {"handoffId": str(manifest.bundle_id)}}
    found = await _buf_curl(gateway, "ov:110000", "LedgerService/QueryEntries", condition, tmp_path)
    (entry,) = found["entries"]
    assert entry["kind"] == "ENTRY_KIND_SUBMITTED"
    assert (entry["leaf"], entry["leafHash"]) == (receipt["leaf"], receipt["leafHash"])


async def test_buf_curl_shows_every_finding_of_a_refusal(
    gateway: RunningGateway, signers: Signers, tmp_path: Path
) -> None:
    """A client that knows nothing of us reads code, reason and findings from google.rpc.Status."""
    _, jws, record = bundle_of(new_case_number(), signers.procuratorate)
    message = {"manifestJws": jws, "record": base64.b64encode(record + b" ").decode()}
    error = await _buf_curl(gateway, "ps:110108", "ExchangeService/Submit", message, tmp_path)
    assert error["code"] == "permission_denied"
    details = {detail["type"]: base64.b64decode(detail["value"] + "==") for detail in error["details"]}
    assert error_details_pb2.ErrorInfo.FromString(details["google.rpc.ErrorInfo"]).reason == "SIGNER_NOT_CALLER"
    found = error_details_pb2.BadRequest.FromString(details["google.rpc.BadRequest"]).field_violations
    assert [violation.reason for violation in found] == ["SIGNER_NOT_CALLER", "RECORD_DIGEST_MISMATCH"]


async def test_buf_curl_of_an_agency_cannot_query_the_ledger(gateway: RunningGateway, tmp_path: Path) -> None:
    """The role decides, whatever the client."""
    error = await _buf_curl(gateway, "ct:110108", "LedgerService/QueryEntries", {}, tmp_path)
    assert error["code"] == "permission_denied"
    assert error["message"].startswith("METHOD_NOT_ALLOWED")
