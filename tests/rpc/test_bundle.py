"""Bundles that are signed well and wrong in content, over the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from gateway.core.errors import ErrorCode
from gateway.core.manifest import Manifest, to_payload
from gateway.core.route import RecordKind
from gateway.rpc.client_bundle import make_uuid7
from gateway.v1 import common_pb2
from tests.rpc.conftest import Signers
from tests.support.bundle import (
    PDF,
    bundle_of,
    new_case_number,
    parts_of,
    payload_bytes,
    sign,
    sign_bytes,
    to_material,
    to_native_record,
    transfer_manifest,
    transfer_record,
)
from tests.support.pki import Issued
from tests.support.wire import Desk, Refused, is_of_procedure

E = ErrorCode
RECORD = "/native_record"
LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
XXE = '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


def _signed(record: bytes, case_number: str, signer: Issued, **changes: Any) -> str:
    return sign(transfer_manifest(record, case_number, **changes), signer)


def _after_declaration(record: bytes, inserted: str) -> bytes:
    head, tail = record.split(b"?>\n", 1)
    return head + b"?>\n" + inserted.encode() + tail


# Each makes a whole record out of a right one.
RECORDS: dict[str, tuple[Callable[[bytes], bytes], tuple[ErrorCode, str]]] = {
    "encoding lie: UTF-8 bytes declared as GB18030": (
        lambda record: record.decode("gb18030").encode(),
        (E.ENCODING_MISMATCH, ""),
    ),
    "encoding lie: GB18030 bytes declared as UTF-8": (
        lambda record: record.replace(b'"GB18030"', b'"UTF-8"'),
        (E.ENCODING_MISMATCH, ""),
    ),
    "DOCTYPE with an external entity": (
        lambda record: _after_declaration(record, XXE).replace("测试事实。".encode("gb18030"), b"&x;"),
        (E.DOCTYPE_FORBIDDEN, ""),
    ),
    "billion laughs": (
        lambda record: _after_declaration(record, LAUGHS + "]>").replace("测试事实。".encode("gb18030"), b"&i;"),
        (E.DOCTYPE_FORBIDDEN, ""),
    ),
    "deep nesting": (
        lambda record: record.replace(b"</AJXX>", b"<X>" * 20_000 + b"</X>" * 20_000 + b"</AJXX>"),
        (E.RECORD_LIMIT_EXCEEDED, ""),
    ),
    "cut off": (lambda record: record[: len(record) // 2 - len(record) // 2 % 2], (E.NOT_WELL_FORMED, "")),
    "control character": (
        lambda record: record.replace(b"20240610163000", b"2024061016300\x01"),
        (E.CONTROL_CHARACTER, ""),
    ),
    "version of its own": (lambda record: record.replace(b'"3.2"', b'"9.9"'), (E.UNKNOWN_VERSION, "/YSQS/@version")),
    "receiver of another system": (
        lambda record: record.replace(b"110108JC0000", b"110108FY0000"),
        (E.PARTY_MISMATCH, "/YSQS/TXX/JSDW"),
    ),
    "material that the manifest does not list": (
        lambda record: record,
        (E.MATERIAL_NOT_LISTED, "/YSQS/WSLB/WS[1]/@ZY"),
    ),
}


@pytest.mark.parametrize("name", RECORDS)
async def test_record_that_the_schema_refuses_is_refused_whole(
    name: str, police: Desk, refused: Refused, signers: Signers
) -> None:
    """A record that lies about its bytes, or does not read, never becomes a handoff, however well it is signed."""
    make, found = RECORDS[name]
    case_number = new_case_number()
    record = make(transfer_record(case_number))
    # The last case is about what the record names and the manifest does not.
    changes = {"materials": ()} if found[0] is E.MATERIAL_NOT_LISTED else {}
    jws = _signed(record, case_number, signers.police, **changes)
    await refused(police, police.submit(jws, record), found, case_number=case_number)


JSON_RECORDS: dict[str, tuple[str, tuple[ErrorCode, str]]] = {
    "deep nesting": ('{"BBH": "2.0", "X": ' + "[" * 50_000 + "]" * 50_000 + "}", (E.RECORD_LIMIT_EXCEEDED, "")),
    "duplicate keys": ('{"BBH": "2.0", "BBH": "2.0"}', (E.DUPLICATE_KEY, "/BBH")),
    "not an object": ("[]", (E.NOT_WELL_FORMED, "")),
    "NaN": ('{"BBH": NaN}', (E.NOT_WELL_FORMED, "")),
}


@pytest.mark.parametrize("name", JSON_RECORDS)
async def test_json_record_that_parsers_disagree_about_is_refused(
    name: str, procuratorate: Desk, refused: Refused, signers: Signers
) -> None:
    """A JSON record is read in one way only, and at bounded cost."""
    text, found = JSON_RECORDS[name]
    case_number, record = new_case_number(), text.encode()
    jws = _signed(
        record,
        case_number,
        signers.procuratorate,
        sender="pr:110108",
        receiver="ct:110108",
        kind=RecordKind.INDICTMENT,
        materials=(),
        native_record=to_native_record(record, "procuratorate", "2.0"),
    )
    await refused(procuratorate, procuratorate.submit(jws, record), found, case_number=case_number)


# Each changes a right manifest; what is found is found beside nothing else.
MANIFESTS: dict[str, tuple[Callable[[Manifest], Manifest], tuple[ErrorCode, str]]] = {
    "digest mismatch": (
        lambda m: replace(m, native_record=replace(m.native_record, sha256="0" * 64)),
        (E.RECORD_DIGEST_MISMATCH, RECORD),
    ),
    "SM3 mismatch": (
        lambda m: replace(m, native_record=replace(m.native_record, sm3="0" * 64)),
        (E.RECORD_DIGEST_MISMATCH, RECORD),
    ),
    "missing material": (
        lambda m: replace(m, materials=(*m.materials, to_material(b"never uploaded", number=2))),
        (E.MATERIAL_MISSING, "/materials/1/sha256"),
    ),
    "material of another size": (
        lambda m: replace(m, materials=(to_material(PDF)._replace(size=1),)),
        (E.MATERIAL_DIGEST_MISMATCH, "/materials/0"),
    ),
    "unchanged material that never came": (
        lambda m: replace(m, unchanged=("1" * 64,)),
        (E.MATERIAL_MISSING, "/unchanged/0"),
    ),
    "unknown schema version": (
        lambda m: replace(m, native_record=replace(m.native_record, version="9.9")),
        (E.SCHEMA_VERSION_UNKNOWN, f"{RECORD}/version"),
    ),
    "encoding of another schema": (
        lambda m: replace(m, native_record=replace(m.native_record, encoding="UTF-8")),
        (E.ENCODING_NOT_OF_SCHEMA, f"{RECORD}/encoding"),
    ),
    "schema of another system": (
        lambda m: replace(m, native_record=replace(m.native_record, schema="court")),
        (E.MANIFEST_RECORD_MISMATCH, f"{RECORD}/schema"),
    ),
    "wrong receiver": (
        lambda m: replace(m, receiver=replace(m.receiver, division="110105")),
        (E.MANIFEST_RECORD_MISMATCH, "/receiver"),
    ),
    "wrong case": (
        lambda m: replace(m, case_number=new_case_number()),
        (E.MANIFEST_RECORD_MISMATCH, "/case_number"),
    ),
    "kind without a route": (lambda m: replace(m, kind=RecordKind.JUDGMENT), (E.ROUTE_NOT_ALLOWED, "/kind")),
    "from the future": (
        lambda m: replace(m, created_at=datetime.now(UTC) + timedelta(hours=1)),
        (E.MANIFEST_FROM_FUTURE, "/created_at"),
    ),
    "answer to nothing": (lambda m: replace(m, in_reply_to=make_uuid7()), (E.REPLY_UNKNOWN, "/in_reply_to")),
}


@pytest.mark.parametrize("name", MANIFESTS)
async def test_manifest_that_does_not_fit_is_refused_whole(
    name: str, police: Desk, refused: Refused, signers: Signers
) -> None:
    """What a manifest promises is checked against record, materials, schema, routes and time."""
    change, found = MANIFESTS[name]
    case_number = new_case_number()
    record = transfer_record(case_number)
    jws = sign(change(transfer_manifest(record, case_number)), signers.police)
    await refused(police, police.submit(jws, record), found, case_number=case_number)


def _payload(**changes: Any) -> dict[str, Any]:
    case_number = new_case_number()
    return {**to_payload(transfer_manifest(transfer_record(case_number), case_number)), **changes}


PAYLOADS: dict[str, tuple[Callable[[], bytes], list[tuple[ErrorCode, str]]]] = {
    "duplicate keys": (
        lambda: json.dumps(_payload()).encode().replace(b'{"bundle_id"', b'{"sender": "ps:110108", "bundle_id"'),
        [(E.MANIFEST_DUPLICATE_KEY, "")],
    ),
    "deep nesting": (
        lambda: b'{"x":' * 10_000 + b"1" + b"}" * 10_000,
        [(E.MANIFEST_TOO_DEEP, "")],
    ),
    "not JSON": (lambda: b"\xff\xfe", [(E.MANIFEST_MALFORMED, "")]),
    "too large": (lambda: b'{"x":"' + b"x" * (512 * 1024) + b'"}', [(E.MANIFEST_TOO_LARGE, "")]),
    "five faults at once": (
        lambda: json.dumps(
            {k: v for k, v in _payload(kind="GIFT", case_number="7", bundle_id="1", extra=1).items() if k != "sender"}
        ).encode(),
        [
            (E.MANIFEST_FIELD_MISSING, "/sender"),
            (E.MANIFEST_FIELD_UNKNOWN, "/extra"),
            (E.MANIFEST_FIELD_INVALID, "/bundle_id"),
            (E.MANIFEST_FIELD_INVALID, "/kind"),
            (E.MANIFEST_FIELD_INVALID, "/case_number"),
        ],
    ),
}


@pytest.mark.parametrize("name", PAYLOADS)
async def test_payload_that_is_no_manifest_is_refused_with_all_its_faults(
    name: str, police: Desk, refused: Refused, signers: Signers
) -> None:
    """A manifest is read strictly; everything wrong with its fields comes at once."""
    make, found = PAYLOADS[name]
    await refused(police, police.submit(sign_bytes(make(), signers.police), b"x"), *found)


async def test_record_over_one_mebibyte_is_refused_in_the_call_and_taken_as_a_material(
    police: Desk, procuratorate: Desk, refused: Refused, signers: Signers
) -> None:
    """Large records have their own way in, and come out of it like any other."""
    case_number = new_case_number()
    record = transfer_record(case_number, facts="长" * (600 * 1024))
    assert len(record) > 1024 * 1024
    manifest = transfer_manifest(record, case_number)
    jws = sign(manifest, signers.police)
    await refused(police, police.submit(jws, record), (E.RECORD_TOO_LARGE, "record"), case_number=case_number)
    missing = (E.RECORD_MISSING, f"{RECORD}/sha256")
    await refused(police, police.submit(jws, b""), missing, case_number=case_number)
    await police.upload(record)
    await police.submit(jws, b"")
    await procuratorate.claim(manifest.bundle_id)
    fetched = await procuratorate.fetch(manifest.bundle_id)
    assert fetched.record == b""
    assert json.loads(fetched.rendition.data)["AJBH"] == case_number


async def test_small_record_left_out_of_the_call_is_missing(police: Desk, refused: Refused, signers: Signers) -> None:
    """A record up to 1 MiB travels in the call."""
    case_number = new_case_number()
    _, jws, _ = bundle_of(case_number, signers.police)
    await refused(police, police.submit(jws, b""), (E.RECORD_MISSING, "record"), case_number=case_number)


async def test_message_beyond_four_mebibytes_is_refused_by_the_transport(police: Desk) -> None:
    """A message that no honest client sends is not even read."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await police.submit("x", bytes(5 * 1024 * 1024))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def _found(findings: Any) -> list[tuple[str, str]]:
    """All but what the procedure says of the least record."""
    return [(finding.name, finding.path) for finding in findings if not is_of_procedure(E(finding.code))]


async def test_bundle_with_five_faults_lists_them_all_in_validate_and_submit(
    police: Desk, refused: Refused, signers: Signers
) -> None:
    """A sender repairs a bundle once, not five times; Validate and Submit say the same."""
    case_number = new_case_number()
    record = (
        transfer_record(case_number)
        .replace(b"<SARQ>20240602</SARQ>", b"<SARQ>20240231</SARQ>")
        .replace(b"<LARQ>20240602</LARQ>", b"")
        .replace(b'DM="040101"', b'DM="777777"')
    )
    manifest = transfer_manifest(
        record,
        case_number,
        created_at=datetime.now(UTC) + timedelta(minutes=4),
        materials=(to_material(PDF)._replace(size=1), to_material(b"never uploaded", number=2)),
        in_reply_to=make_uuid7(),
    )
    jws = sign(manifest, signers.police)
    expected = [
        (E.MATERIAL_DIGEST_MISMATCH, "/materials/0"),
        (E.MATERIAL_MISSING, "/materials/1/sha256"),
        (E.REPLY_UNKNOWN, "/in_reply_to"),
        # What is missing stands at its parent, so it comes before what stands in it.
        (E.MISSING_FIELD, "/YSQS/AJXX/LARQ"),
        (E.BAD_FORMAT, "/YSQS/AJXX/SARQ"),
        (E.CODE_UNKNOWN, "/YSQS/XYRLB/XYR[1]/ZMLB/ZM[1]/@DM"),
    ]
    answer = await police.validate(jws, record)
    assert not answer.acceptable
    assert sorted(_found(answer.findings)) == sorted((code.name, path) for code, path in expected)
    severities = {finding.name: finding.severity for finding in answer.findings}
    assert severities["CODE_UNKNOWN"] == common_pb2.SEVERITY_WARNING
    assert severities["MISSING_FIELD"] == common_pb2.SEVERITY_ERROR
    await refused(police, police.submit(jws, record), *expected, case_number=case_number)


async def test_validate_leaves_nothing_behind(police: Desk, oversight: Desk, signers: Signers) -> None:
    """Asking is not doing: a validated bundle is neither an entry nor a handoff."""
    case_number = new_case_number()
    manifest, jws, record = bundle_of(case_number, signers.police)
    answer = await police.validate(jws, record)
    assert (answer.acceptable, _found(answer.findings)) == (True, [])
    assert await oversight.entries(handoff_id=str(manifest.bundle_id)) == []
    assert (await oversight.stage(case_number))[2] == 0


async def test_warnings_come_with_the_receipt_and_refuse_nothing(police: Desk, signers: Signers) -> None:
    """Success with warnings is a success of its own."""
    case_number = new_case_number()
    record = transfer_record(case_number).replace(b'DM="040101"', b'DM="777777"')
    answer = await police.submit(_signed(record, case_number, signers.police), record)
    assert _found(answer.warnings) == [("CODE_UNKNOWN", "/YSQS/XYRLB/XYR[1]/ZMLB/ZM[1]/@DM")]
    assert answer.receipt.jws


async def test_same_bundle_again_gives_the_same_receipt(police: Desk, oversight: Desk, signers: Signers) -> None:
    """A lost reply is asked for again: same bytes, same number, nothing twice, also with a new signature."""
    case_number = new_case_number()
    manifest, jws, record = bundle_of(case_number, signers.police)
    first = await police.submit(jws, record)
    again = await police.submit(jws, record)
    header, payload, _ = parts_of(jws)
    assert payload == to_payload(manifest)
    signed_again = sign_bytes(payload_bytes(jws), signers.police, dict(reversed(header.items())))
    assert signed_again != jws
    other = await police.submit(signed_again, record)
    assert (first.replayed, again.replayed, other.replayed) == (False, True, True)
    assert again.receipt.SerializeToString() == first.receipt.SerializeToString()
    assert other.receipt.SerializeToString() == first.receipt.SerializeToString()
    assert again.pair_number == first.pair_number
    assert len(await oversight.entries(handoff_id=str(manifest.bundle_id))) == 1


async def test_same_payload_signed_again_with_es256_gives_the_same_receipt(refused: Refused, signers: Signers) -> None:
    """ES256 never signs twice alike; what counts for a replay is what was signed, not the signature."""
    case_number = new_case_number()
    record = transfer_record(case_number, sender="ps:110105")
    manifest = transfer_manifest(record, case_number, sender="ps:110105")
    one, two = sign(manifest, signers.other_police), sign(manifest, signers.other_police)
    assert one != two
    async with Desk(refused.gateway, "ps:110105") as desk:
        first = await desk.submit(one, record)
        again = await desk.submit(two, record)
    assert again.replayed
    assert again.receipt.SerializeToString() == first.receipt.SerializeToString()


@pytest.mark.parametrize("is_key_reused", [False, True])
async def test_replay_with_other_content_is_refused(
    is_key_reused: bool, police: Desk, refused: Refused, signers: Signers
) -> None:
    """A bundle id, and a sender's own key, stand for one content for ever."""
    case_number, other_case = new_case_number(), new_case_number()
    manifest, jws, record = bundle_of(case_number, signers.police)
    first = await police.submit(jws, record)
    other_record = transfer_record(other_case)
    changes: dict[str, Any] = (
        {"idempotency_key": manifest.idempotency_key} if is_key_reused else {"bundle_id": manifest.bundle_id}
    )
    other = sign(transfer_manifest(other_record, other_case, **changes), signers.police)
    found = (E.IDEMPOTENCY_KEY_REUSED, "/idempotency_key") if is_key_reused else (E.BUNDLE_ID_REUSED, "/bundle_id")
    refusal = await refused(police, police.submit(other, other_record), found, case_number=other_case)
    assert refusal.status == "ALREADY_EXISTS"
    assert (await police.submit(jws, record)).receipt.SerializeToString() == first.receipt.SerializeToString()


async def test_second_transfer_of_a_case_in_transfer_is_refused(
    police: Desk, refused: Refused, signers: Signers
) -> None:
    """A case moves only where the procedure lets it."""
    case_number = new_case_number()
    _, jws, record = bundle_of(case_number, signers.police)
    await police.submit(jws, record)
    _, jws, record = bundle_of(case_number, signers.police)
    await refused(police, police.submit(jws, record), (E.TRANSITION_NOT_ALLOWED, "/kind"), case_number=case_number)


async def test_transfer_of_a_case_whose_file_another_agency_holds_is_refused(
    police: Desk, procuratorate: Desk, refused: Refused, signers: Signers
) -> None:
    """Only who has custody of the file hands it over."""
    case_number = new_case_number()
    manifest, jws, record = bundle_of(case_number, signers.police)
    await police.submit(jws, record)
    await procuratorate.accept(manifest.bundle_id)
    _, jws, record = bundle_of(case_number, signers.police)
    await refused(police, police.submit(jws, record), (E.FILE_NOT_HELD, "/sender"), case_number=case_number)
