"""Requests with forged tokens, ranges that make no sense, and arguments of another form, over the wire."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.core.errors import ErrorCode
from gateway.v1 import exchange_pb2 as pb
from gateway.v1 import ledger_pb2, material_pb2
from tests.rpc.conftest import Signers
from tests.support.bundle import PDF, bundle_of, new_case_number
from tests.support.wire import Desk, Refused

E = ErrorCode


async def _submit_some(police: Desk, signers: Signers, count: int) -> str:
    case_number = ""
    for _ in range(count):
        case_number = new_case_number()
        _, jws, record = bundle_of(case_number, signers.police)
        await police.submit(jws, record)
    return case_number


def _forge(token: str) -> str:
    data = bytearray(base64.urlsafe_b64decode(token))
    # The first eight bytes are the index to go on from: one further, with the tag of another place.
    data[7] ^= 1
    return base64.urlsafe_b64encode(bytes(data)).decode()


Forge = Callable[[str], str]
FORGED: dict[str, Forge] = {
    "another place": _forge,
    "cut": lambda token: token[:-4],
    "no tag": lambda token: base64.urlsafe_b64encode(base64.urlsafe_b64decode(token)[:8]).decode(),
    "not base64": lambda token: "?" * 8,
    "not ASCII": lambda token: "\u9875",
    "very long": lambda token: token * 2000,
}


@pytest.mark.parametrize("name", FORGED)
async def test_forged_page_token_is_refused_everywhere(
    name: str, police: Desk, procuratorate: Desk, oversight: Desk, refused: Refused, signers: Signers
) -> None:
    """A page token is sealed: nobody can point it at another place, or use it for another question."""
    await _submit_some(police, signers, 2)
    inbox = await procuratorate.exchange.ListInbox(pb.ListInboxRequest(page_size=1))
    page = await oversight.ledger.QueryEntries(ledger_pb2.QueryEntriesRequest(page_size=1))
    found = (E.PAGE_TOKEN_INVALID, "page_token")
    forged = pb.ListInboxRequest(page_size=1, page_token=FORGED[name](inbox.next_page_token))
    await refused(procuratorate, procuratorate.call(procuratorate.exchange.ListInbox, forged), found)
    query = ledger_pb2.QueryEntriesRequest(page_size=1, page_token=FORGED[name](page.next_page_token))
    await refused(oversight, oversight.call(oversight.ledger.QueryEntries, query), found)


async def test_page_token_of_another_caller_or_query_is_refused(
    police: Desk, procuratorate: Desk, oversight: Desk, refused: Refused, signers: Signers
) -> None:
    """A token belongs to the one who got it and to what it was asked for."""
    case_number = await _submit_some(police, signers, 2)
    found = (E.PAGE_TOKEN_INVALID, "page_token")
    inbox = await procuratorate.exchange.ListInbox(pb.ListInboxRequest(page_size=1))
    stolen = pb.ListInboxRequest(page_size=1, page_token=inbox.next_page_token)
    await refused(police, police.call(police.exchange.ListInbox, stolen), found)
    page = await oversight.ledger.QueryEntries(ledger_pb2.QueryEntriesRequest(page_size=1))
    bent = ledger_pb2.QueryEntriesRequest(
        filter=ledger_pb2.EntryFilter(actor="ps:110108"), page_token=page.next_page_token
    )
    await refused(oversight, oversight.call(oversight.ledger.QueryEntries, bent), found)
    timeline = ledger_pb2.GetCaseTimelineRequest(case_number=case_number, page_token=page.next_page_token)
    await refused(oversight, oversight.call(oversight.ledger.GetCaseTimeline, timeline), found)


async def _stream(desk: Desk, method: Any, request: Any) -> list[Any]:
    return [answer async for answer in method(request)]


async def test_watch_from_a_negative_cursor_is_refused(procuratorate: Desk, refused: Refused) -> None:
    """A cursor is an index plus one, never negative."""
    call = _stream(procuratorate, procuratorate.exchange.WatchInbox, pb.WatchInboxRequest(after_cursor=-1))
    await refused(procuratorate, call, (E.ARGUMENT_OUT_OF_RANGE, "after_cursor"))


@pytest.mark.parametrize(("offset", "length"), [(-1, 0), (0, -1), (0, len(PDF) + 1), (len(PDF) + 1, 0)])
async def test_download_of_a_range_outside_the_material_is_refused(
    offset: int, length: int, police: Desk, refused: Refused
) -> None:
    """A range is within the material, or it is none."""
    digest = (await police.upload(PDF)).sha256
    request = material_pb2.DownloadRequest(sha256=digest, offset=offset, length=length)
    await refused(police, _stream(police, police.material.Download, request), (E.ARGUMENT_OUT_OF_RANGE, "offset"))


RECONCILE: list[tuple[dict[str, Any], tuple[ErrorCode, str]]] = [
    ({"after_number": -1}, (E.ARGUMENT_OUT_OF_RANGE, "after_number")),
    ({"page_size": -1}, (E.ARGUMENT_OUT_OF_RANGE, "page_size")),
    ({"page_size": 1001}, (E.ARGUMENT_OUT_OF_RANGE, "page_size")),
    ({"peer": "nobody"}, (E.ARGUMENT_INVALID, "peer")),
    ({"direction": pb.DIRECTION_UNSPECIFIED}, (E.ARGUMENT_INVALID, "direction")),
    ({"direction": 7}, (E.ARGUMENT_INVALID, "direction")),
]


@pytest.mark.parametrize(("changes", "found"), RECONCILE)
async def test_reconcile_with_a_wrong_argument_is_refused(
    changes: dict[str, Any], found: tuple[ErrorCode, str], police: Desk, refused: Refused
) -> None:
    """Each fault of a question about numbers has its code."""
    request = pb.ReconcileRequest(**{"peer": "pr:110108", "direction": pb.DIRECTION_SENT, **changes})
    await refused(police, police.call(police.exchange.Reconcile, request), found)


PROOFS: list[tuple[dict[str, Any], tuple[ErrorCode, str]]] = [
    ({"inclusion": ledger_pb2.InclusionQuery(entry_index=-1)}, (E.ARGUMENT_OUT_OF_RANGE, "inclusion.entry_index")),
    ({"inclusion": ledger_pb2.InclusionQuery(tree_size=-1)}, (E.ARGUMENT_OUT_OF_RANGE, "inclusion.entry_index")),
    ({"inclusion": ledger_pb2.InclusionQuery(entry_index=2**62)}, (E.ARGUMENT_OUT_OF_RANGE, "inclusion.entry_index")),
    ({"inclusion": ledger_pb2.InclusionQuery(tree_size=2**62)}, (E.ARGUMENT_OUT_OF_RANGE, "inclusion.tree_size")),
    ({"consistency": ledger_pb2.ConsistencyQuery(first_size=0)}, (E.ARGUMENT_OUT_OF_RANGE, "consistency.first_size")),
    ({"consistency": ledger_pb2.ConsistencyQuery(first_size=-5)}, (E.ARGUMENT_OUT_OF_RANGE, "consistency.first_size")),
    (
        {"consistency": ledger_pb2.ConsistencyQuery(first_size=2, second_size=1)},
        (E.ARGUMENT_OUT_OF_RANGE, "consistency.first_size"),
    ),
    (
        {"consistency": ledger_pb2.ConsistencyQuery(first_size=1, second_size=2**62)},
        (E.ARGUMENT_OUT_OF_RANGE, "consistency.second_size"),
    ),
    ({}, (E.ARGUMENT_INVALID, "proof")),
]


@pytest.mark.parametrize(("which", "found"), PROOFS)
async def test_proof_of_what_does_not_exist_is_refused(
    which: dict[str, Any],
    found: tuple[ErrorCode, str],
    police: Desk,
    oversight: Desk,
    refused: Refused,
    signers: Signers,
) -> None:
    """There is no proof about negative, missing or backward trees."""
    await _submit_some(police, signers, 2)
    await refused(oversight, oversight.call(oversight.ledger.GetProof, ledger_pb2.GetProofRequest(**which)), found)


async def test_query_with_several_wrong_conditions_names_them_all(oversight: Desk, refused: Refused) -> None:
    """All that is wrong with a filter comes at once, each at its field; case numbers are not repeated."""
    condition = ledger_pb2.EntryFilter(
        sender="police",
        receiver="pr:1",
        actor="zz:110108",
        handoff_id="7",
        index_from=-3,
        recorded_from=Timestamp(seconds=10),
        recorded_to=Timestamp(seconds=9),
        case_number=new_case_number(),
    )
    refused.secrets += ["police", condition.case_number]
    request = ledger_pb2.QueryEntriesRequest(filter=condition)
    await refused(
        oversight,
        oversight.call(oversight.ledger.QueryEntries, request),
        (E.ARGUMENT_INVALID, "filter.sender"),
        (E.ARGUMENT_INVALID, "filter.receiver"),
        (E.ARGUMENT_INVALID, "filter.actor"),
        (E.ARGUMENT_INVALID, "filter.handoff_id"),
        (E.ARGUMENT_OUT_OF_RANGE, "filter.index_from"),
        (E.ARGUMENT_OUT_OF_RANGE, "filter.recorded_to"),
    )


QUERIES: list[tuple[dict[str, Any], int, tuple[ErrorCode, str]]] = [
    ({"index_from": 5, "index_to": 4}, 0, (E.ARGUMENT_OUT_OF_RANGE, "filter.index_from")),
    ({"index_to": -1}, 0, (E.ARGUMENT_OUT_OF_RANGE, "filter.index_from")),
    ({"kinds": [0]}, 0, (E.ARGUMENT_INVALID, "filter.kinds")),
    ({"kinds": [77]}, 0, (E.ARGUMENT_INVALID, "filter.kinds")),
    ({"recorded_from": Timestamp(seconds=2**60)}, 0, (E.ARGUMENT_OUT_OF_RANGE, "filter.recorded_from")),
    ({"recorded_to": Timestamp(nanos=2_000_000_000)}, 0, (E.ARGUMENT_OUT_OF_RANGE, "filter.recorded_to")),
    ({}, -1, (E.ARGUMENT_OUT_OF_RANGE, "page_size")),
    ({}, 1001, (E.ARGUMENT_OUT_OF_RANGE, "page_size")),
]


@pytest.mark.parametrize(("condition", "size", "found"), QUERIES)
async def test_query_out_of_range_is_refused(
    condition: dict[str, Any], size: int, found: tuple[ErrorCode, str], oversight: Desk, refused: Refused
) -> None:
    """Ranges run forwards from 0, kinds and times exist, pages are bounded."""
    request = ledger_pb2.QueryEntriesRequest(filter=ledger_pb2.EntryFilter(**condition), page_size=size)
    await refused(oversight, oversight.call(oversight.ledger.QueryEntries, request), found)


@pytest.mark.parametrize("index", [2**63 - 1, 2**62])
async def test_query_from_an_index_far_beyond_the_end_is_empty(index: int, oversight: Desk) -> None:
    """What has not been written yet is no error, only nothing."""
    assert await oversight.entries(index_from=index) == []


INBOX: list[tuple[dict[str, Any], tuple[ErrorCode, str]]] = [
    ({"page_size": -1}, (E.ARGUMENT_OUT_OF_RANGE, "page_size")),
    ({"page_size": 501}, (E.ARGUMENT_OUT_OF_RANGE, "page_size")),
    ({"states": [0]}, (E.ARGUMENT_INVALID, "states")),
    ({"states": [42]}, (E.ARGUMENT_INVALID, "states")),
]


@pytest.mark.parametrize(("changes", "found"), INBOX)
async def test_inbox_with_a_wrong_argument_is_refused(
    changes: dict[str, Any], found: tuple[ErrorCode, str], procuratorate: Desk, refused: Refused
) -> None:
    """Each fault of a question about the inbox has its code."""
    await refused(
        procuratorate, procuratorate.call(procuratorate.exchange.ListInbox, pb.ListInboxRequest(**changes)), found
    )


CLAIMS: list[tuple[dict[str, Any], tuple[ErrorCode, str]]] = [
    ({"handoff_id": "1"}, (E.ARGUMENT_INVALID, "handoff_id")),
    ({"handoff_id": "0195C1D2-7B7E-7A3A-8F00-0000000000FF"}, (E.ARGUMENT_INVALID, "handoff_id")),
    ({"act_id": ""}, (E.ARGUMENT_INVALID, "act_id")),
    ({"consumer": ""}, (E.ARGUMENT_INVALID, "consumer")),
    ({"consumer": "张三"}, (E.ARGUMENT_INVALID, "consumer")),
    ({"lease_seconds": -1}, (E.ARGUMENT_OUT_OF_RANGE, "lease_seconds")),
    ({"lease_seconds": 86_401}, (E.ARGUMENT_OUT_OF_RANGE, "lease_seconds")),
]


@pytest.mark.parametrize(("changes", "found"), CLAIMS)
async def test_claim_with_a_wrong_argument_is_refused(
    changes: dict[str, Any], found: tuple[ErrorCode, str], procuratorate: Desk, refused: Refused
) -> None:
    """Each fault of a claim has its code; what was sent instead is repeated nowhere."""
    refused.secrets.append("张三")
    request = pb.ClaimRequest(
        **{"handoff_id": str(uuid4()), "act_id": str(uuid4()), "consumer": "c1", "lease_seconds": 1, **changes}
    )
    await refused(procuratorate, procuratorate.call(procuratorate.exchange.Claim, request), found)


async def test_withdrawal_without_a_reason_is_refused(police: Desk, refused: Refused) -> None:
    """Who takes back says why, in at most 2,000 characters."""
    for reason in ("", " ", "x" * 2001):
        await refused(police, police.withdraw(uuid4(), reason=reason), (E.ARGUMENT_INVALID, "reason"))


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe"], ids=["no protobuf", "no UTF-8 in a string"])
async def test_request_that_is_no_message_is_refused_and_recorded(data: bytes, police: Desk, refused: Refused) -> None:
    """Bytes that are no message of the method are refused like any other fault, in streams too."""
    found = (E.ARGUMENT_INVALID, "")
    for method in ("ExchangeService/Submit", "ExchangeService/Claim", "MaterialService/FindMissing"):
        call = police.call(police.channel.unary_unary(f"/gateway.v1.{method}"), data)
        await refused(police, call, found)
    watch = police.channel.unary_stream("/gateway.v1.ExchangeService/WatchInbox")
    await refused(police, _stream(police, watch, b"\xff\xff\xff"), found)
    upload = police.channel.stream_unary("/gateway.v1.MaterialService/Upload")
    await refused(police, police.call(upload, iter([data])), found)
