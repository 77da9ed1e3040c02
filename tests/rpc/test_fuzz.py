"""Whatever bytes come, the answer is one of ours: Hypothesis over the wire, and the two parsers round-trip."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta, timezone
from threading import Thread
from typing import Any
from uuid import UUID

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import Agency, Role
from gateway.core.manifest import Manifest, Material, NativeRecord, parse_manifest, to_payload
from gateway.core.route import RecordKind
from tests.rpc.conftest import Signers
from tests.support.bundle import segment, sign, sign_bytes, transfer_manifest, transfer_record
from tests.support.gateway import RunningGateway
from tests.support.wire import Desk, read_refusal

CASE = "A1101080000002024069999"
EXAMPLES = settings(max_examples=60, deadline=None)
OURS = {code.name for code in ErrorCode} - {"INTERNAL", "QUEUE_FULL", "LEDGER_UNAVAILABLE", "SHUTTING_DOWN"}


class Caller:
    """Validates from a loop in a thread of its own, because Hypothesis calls tests that do not await."""

    def __init__(self, gateway: RunningGateway) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._desk = self._run(Desk(gateway).__aenter__())

    def _run(self, work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(60)

    def close(self) -> None:
        """Close the channel and end the thread."""
        self._run(self._desk.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def names(self, manifest_jws: str, record: bytes) -> list[str]:
        """Names of all findings of a bundle, however they come; anything that is not a finding of ours fails."""
        try:
            answer = self._run(self._desk.validate(manifest_jws, record))
        except grpc.aio.AioRpcError as error:
            return [reason for reason, _ in read_refusal(error).found]
        return [finding.name for finding in answer.findings]


@pytest.fixture(scope="module")
def caller(gateway: RunningGateway) -> Iterator[Caller]:
    """One caller for all examples."""
    caller = Caller(gateway)
    yield caller
    caller.close()


TEXT = st.text(st.characters(codec="utf-8"), max_size=300)


@EXAMPLES
@given(jws=st.one_of(TEXT, st.lists(TEXT, min_size=3, max_size=3).map(".".join)), record=st.binary(max_size=300))
def test_any_text_as_a_manifest_is_refused_with_our_findings(caller: Caller, jws: str, record: bytes) -> None:
    """Whatever stands in the place of the manifest, the answer is a documented refusal."""
    names = caller.names(jws, record)
    assert names
    assert set(names) <= OURS


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)


@EXAMPLES
@given(header=JSON, payload=JSON, signature=st.binary(max_size=80))
def test_any_json_in_the_parts_of_a_jws_is_refused_with_our_findings(
    caller: Caller, header: Any, payload: Any, signature: bytes
) -> None:
    """A JWS of the right shape with anything in it is a documented refusal."""
    jws = ".".join([segment(json.dumps(header).encode()), segment(json.dumps(payload).encode()), segment(signature)])
    names = caller.names(jws, b"x")
    assert names
    assert set(names) <= OURS


@EXAMPLES
@given(change=st.dictionaries(st.sampled_from([*to_payload(transfer_manifest(b"", "A")), "extra"]), JSON, min_size=1))
def test_signed_manifest_with_anything_in_its_fields_is_refused_with_our_findings(
    caller: Caller, signers: Signers, change: dict[str, Any]
) -> None:
    """Even a valid signature does not get odd values past the manifest."""
    record = transfer_record(CASE)
    payload = {**to_payload(transfer_manifest(record, CASE)), **change}
    names = caller.names(sign_bytes(json.dumps(payload).encode(), signers.police), record)
    assert set(names) <= OURS


@st.composite
def _broken_records(draw: st.DrawFn) -> bytes:
    """A right record with a few bytes replaced, removed or put in anywhere."""
    record = bytearray(transfer_record(CASE))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(record)))
        record[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return bytes(record)


@settings(max_examples=120, deadline=None)
@given(record=_broken_records())
def test_signed_record_of_any_bytes_is_judged_with_our_findings(
    caller: Caller, signers: Signers, record: bytes
) -> None:
    """Whatever has happened to a record, it is read or refused, never an error of another kind."""
    names = caller.names(sign(transfer_manifest(record, CASE), signers.police), record)
    assert set(names) <= OURS


AGENCY = st.builds(Agency, st.sampled_from(Role), st.integers(0, 999_999).map("{:06d}".format))
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
UUID7 = (
    st.binary(min_size=16, max_size=16)
    .map(lambda data: UUID(bytes=data, version=4))
    .map(lambda value: UUID(str(value)[:14] + "7" + str(value)[15:]))
)
INSTANT = st.datetimes(
    datetime(1970, 1, 1), datetime(2199, 12, 30), timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))])
)
TITLE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=200)
MATERIAL = st.builds(
    Material,
    id=st.uuids().map(str),
    document_code=st.sampled_from(["", "D01", "X999"]),
    title=TITLE,
    media_type=st.sampled_from(["application/pdf", "audio/wav"]),
    size=st.integers(0, 2**30),
    sha256=HEX,
    sm3=HEX,
    person=st.sampled_from(["", "R1101080000002024060121"]),
    pages=st.integers(0, 1_000_000),
    recorded_from=st.none(),
    recorded_to=st.none(),
)
RECORDED = st.tuples(MATERIAL, INSTANT, st.timedeltas(timedelta(0), timedelta(days=30))).map(
    lambda made: made[0]._replace(recorded_from=made[1], recorded_to=made[1] + made[2])
)
MANIFEST = st.builds(
    Manifest,
    bundle_id=UUID7,
    sender=AGENCY,
    receiver=AGENCY,
    kind=st.sampled_from(RecordKind),
    case_number=st.integers(0, 9999).map(lambda serial: f"A110108000000202406{serial:04d}"),
    idempotency_key=st.text("Az09._:-", min_size=1, max_size=100),
    created_at=INSTANT,
    native_record=st.builds(
        NativeRecord,
        schema=st.sampled_from(["police", "procuratorate", "court", "justice"]),
        version=st.just("3.2"),
        encoding=st.just("GB18030"),
        size=st.integers(0, 8 * 1024 * 1024),
        sha256=HEX,
        sm3=HEX,
    ),
    materials=st.lists(st.one_of(MATERIAL, RECORDED), max_size=4, unique_by=lambda m: m.id).map(tuple),
    in_reply_to=st.one_of(st.none(), UUID7),
    unchanged=st.lists(HEX, max_size=3).map(tuple),
).filter(lambda manifest: manifest.sender != manifest.receiver)


@settings(deadline=None)
@given(manifest=MANIFEST)
def test_manifest_that_is_written_is_read_back_the_same(manifest: Manifest) -> None:
    """What one side writes is what the other side reads."""
    assert parse_manifest(json.dumps(to_payload(manifest), ensure_ascii=False).encode()) == manifest


@settings(deadline=None)
@given(
    payload=st.one_of(
        st.binary(max_size=200),
        JSON.map(lambda value: json.dumps(value).encode()),
        st.tuples(MANIFEST, st.dictionaries(st.sampled_from([*to_payload(transfer_manifest(b"", "A"))]), JSON)).map(
            lambda made: json.dumps({**to_payload(made[0]), **made[1]}).encode()
        ),
    )
)
def test_manifest_that_is_accepted_round_trips_and_any_other_is_refused_by_us(payload: bytes) -> None:
    """The parser knows two answers: a manifest that can be written again, or the project's own error."""
    try:
        manifest = parse_manifest(payload)
    except GatewayError as error:
        assert {finding.code.name for finding in error.findings} <= OURS
        return
    assert parse_manifest(json.dumps(to_payload(manifest)).encode()) == manifest
