"""Acts on a handoff over the wire: each wrong one refused with its own code, each repeated one answered alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.core.entry import EntryKind, from_leaf
from gateway.core.errors import ErrorCode
from gateway.v1 import common_pb2
from gateway.v1 import exchange_pb2 as pb
from tests.rpc.conftest import Signers
from tests.support.bundle import bundle_of, new_case_number
from tests.support.wire import Desk, Refused

E = ErrorCode
ID = "handoff_id"


async def _submitted(police: Desk, signers: Signers) -> tuple[UUID, str]:
    case_number = new_case_number()
    manifest, jws, record = bundle_of(case_number, signers.police)
    await police.submit(jws, record)
    return manifest.bundle_id, case_number


async def _claimed(police: Desk, procuratorate: Desk, signers: Signers) -> tuple[UUID, str]:
    handoff, case_number = await _submitted(police, signers)
    await procuratorate.claim(handoff)
    return handoff, case_number


async def _fetched(police: Desk, procuratorate: Desk, signers: Signers) -> tuple[UUID, str]:
    handoff, case_number = await _claimed(police, procuratorate, signers)
    await procuratorate.fetch(handoff)
    return handoff, case_number


async def test_handoff_goes_from_submit_to_acceptance_with_a_receipt_for_each_act(
    police: Desk, procuratorate: Desk, oversight: Desk, signers: Signers
) -> None:
    """The way of a handoff: four acts, four receipts, the case moves, the file changes hands."""
    handoff, case_number = await _submitted(police, signers)
    assert (await oversight.stage(case_number))[:2] == ("H1", "ps:110108")
    claimed = await procuratorate.claim(handoff)
    fetched = await procuratorate.fetch(handoff)
    decided = await procuratorate.decide(handoff)
    assert (await oversight.stage(case_number)) == ("J1", "pr:110108", 4)
    answers = [await desk.receipts(handoff) for desk in (police, procuratorate)]
    assert answers[0] == answers[1]
    assert answers[0].state == common_pb2.HANDOFF_STATE_ACCEPTED
    kinds = [from_leaf(receipt.leaf).kind for receipt in answers[0].receipts]
    assert kinds == [EntryKind.SUBMITTED, EntryKind.CLAIMED, EntryKind.FETCHED, EntryKind.ACCEPTED]
    assert list(answers[0].receipts[1:]) == [claimed.receipt, fetched.receipt, decided.receipt]


async def test_fetch_gives_the_signed_original_untouched(police: Desk, procuratorate: Desk, signers: Signers) -> None:
    """The receiver gets the sender's bytes, manifest and record, exactly as they were sent."""
    case_number = new_case_number()
    manifest, jws, record = bundle_of(case_number, signers.police)
    await police.submit(jws, record)
    await procuratorate.claim(manifest.bundle_id)
    fetched = await procuratorate.fetch(manifest.bundle_id)
    assert (fetched.manifest_jws, fetched.record) == (jws, record)
    assert json.loads(fetched.rendition.data)["AJBH"] == case_number
    assert {line.action for line in fetched.report} <= {
        "carried", "normalised", "defaulted", "unmapped", "dropped", "withheld",
    }  # fmt: skip


@pytest.mark.parametrize("act", ["claim", "fetch", "decide", "withdraw", "receipts"])
async def test_third_party_may_do_nothing_with_a_handoff(
    act: str, police: Desk, procuratorate: Desk, court: Desk, refused: Refused, signers: Signers
) -> None:
    """Only the two parties touch a handoff; an attempt of a third is on the record and changes nothing."""
    handoff, case_number = await _fetched(police, procuratorate, signers)
    await refused(court, getattr(court, act)(handoff), (E.NOT_A_PARTY, ID), case_number=case_number)
    assert (await procuratorate.receipts(handoff)).state == common_pb2.HANDOFF_STATE_FETCHED


@pytest.mark.parametrize("act", ["claim", "fetch", "decide"])
async def test_sender_may_not_act_as_the_receiver(
    act: str, police: Desk, procuratorate: Desk, refused: Refused, signers: Signers
) -> None:
    """Nobody accepts what it has sent itself."""
    handoff, case_number = await _fetched(police, procuratorate, signers)
    await refused(police, getattr(police, act)(handoff), (E.NOT_A_PARTY, ID), case_number=case_number)


async def test_receiver_may_not_withdraw(police: Desk, procuratorate: Desk, refused: Refused, signers: Signers) -> None:
    """Only the sender takes back."""
    handoff, case_number = await _submitted(police, signers)
    await refused(procuratorate, procuratorate.withdraw(handoff), (E.NOT_A_PARTY, ID), case_number=case_number)


@pytest.mark.parametrize("act", ["claim", "fetch", "decide", "withdraw", "receipts"])
async def test_act_on_a_handoff_that_does_not_exist_is_refused(act: str, police: Desk, refused: Refused) -> None:
    """An id that stands for nothing is unknown, and it does not get into the ledger."""
    unknown = uuid4()
    refused.secrets.append(str(unknown))
    await refused(police, getattr(police, act)(unknown), (E.HANDOFF_UNKNOWN, ID))


async def test_decide_without_claim_is_refused(
    police: Desk, procuratorate: Desk, refused: Refused, signers: Signers
) -> None:
    """Who decides has claimed before."""
    handoff, case_number = await _submitted(police, signers)
    for call in (procuratorate.decide, procuratorate.fetch):
        await refused(procuratorate, call(handoff), (E.NOT_CLAIMED, ID), case_number=case_number)


async def test_decide_without_fetch_is_refused(
    police: Desk, procuratorate: Desk, refused: Refused, signers: Signers
) -> None:
    """Nobody decides on a file that it has not read."""
    handoff, case_number = await _claimed(police, procuratorate, signers)
    await refused(procuratorate, procuratorate.decide(handoff), (E.NOT_FETCHED, ID), case_number=case_number)


async def test_decide_twice_is_refused(police: Desk, procuratorate: Desk, refused: Refused, signers: Signers) -> None:
    """The first decision stands, and taking back comes too late."""
    handoff, case_number = await _submitted(police, signers)
    await procuratorate.accept(handoff)
    refuse = procuratorate.decide(handoff, decision=pb.DECISION_REFUSE, reasons=[pb.Reason(code="R1", text="管辖不符")])
    refused.secrets.append("管辖不符")
    await refused(procuratorate, refuse, (E.ALREADY_DECIDED, ID), case_number=case_number)
    await refused(procuratorate, procuratorate.claim(handoff), (E.ALREADY_DECIDED, ID), case_number=case_number)
    await refused(police, police.withdraw(handoff), (E.ALREADY_DECIDED, ID), case_number=case_number)


async def test_decide_after_the_lease_has_run_out_is_refused(
    police: Desk, procuratorate: Desk, refused: Refused, signers: Signers
) -> None:
    """A lease is a promise in time; after it the handoff is anybody's, and the next claim gets it."""
    handoff, case_number = await _submitted(police, signers)
    lease = (await procuratorate.claim(handoff, seconds=1)).lease_until.ToDatetime()
    await procuratorate.fetch(handoff)
    recorded = (await procuratorate.receipts(handoff)).receipts[0].recorded_at.ToDatetime()
    await asyncio.sleep(max(0.0, (lease - recorded).total_seconds()) + 0.1)
    await refused(procuratorate, procuratorate.decide(handoff), (E.LEASE_EXPIRED, "consumer"), case_number=case_number)
    await procuratorate.claim(handoff, "c2")
    await refused(
        procuratorate,
        procuratorate.decide(handoff, "c1"),
        (E.LEASE_HELD, "consumer"),
        case_number=case_number,
        is_recorded=False,
    )
    await procuratorate.decide(handoff, "c2")


@pytest.mark.parametrize(
    ("decision", "more", "state", "stage"),
    [
        (
            pb.DECISION_ASK_SUPPLEMENT,
            {"deficiencies": [pb.Deficiency(document_code="D04", text="补送立案决定书")]},
            common_pb2.HANDOFF_STATE_SUPPLEMENT_ASKED,
            "J0s",
        ),
        (
            pb.DECISION_REFUSE,
            {"reasons": [pb.Reason(code="R1", text="管辖不符")]},
            common_pb2.HANDOFF_STATE_REFUSED,
            "J0r",
        ),
    ],
)
async def test_decision_text_reaches_the_sender_and_never_the_ledger(
    decision: Any,
    more: dict[str, Any],
    state: Any,
    stage: str,
    police: Desk,
    procuratorate: Desk,
    oversight: Desk,
    signers: Signers,
) -> None:
    """What the receiver writes is for the sender; the ledger keeps its digest, and the file can be sent again."""
    handoff, case_number = await _fetched(police, procuratorate, signers)
    answer = await procuratorate.decide(handoff, decision=decision, **more)
    seen = await police.receipts(handoff)
    assert seen.state == state
    assert list(seen.deficiencies) == more.get("deficiencies", [])
    assert list(seen.reasons) == more.get("reasons", [])
    entry = from_leaf(answer.receipt.leaf)
    assert entry.detail_sha256
    for text in [*(item.text for item in seen.deficiencies), *(item.text for item in seen.reasons)]:
        assert text not in json.loads(answer.receipt.leaf).values()
    assert (await oversight.stage(case_number))[:2] == (stage, "ps:110108")
    again, jws, record = bundle_of(case_number, signers.police)
    await police.submit(jws, record)
    assert again.bundle_id != handoff


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({"decision": pb.DECISION_UNSPECIFIED}, [(E.DECISION_INCOMPLETE, "decision")]),
        ({"decision": 99}, [(E.DECISION_INCOMPLETE, "decision")]),
        ({"decision": pb.DECISION_ASK_SUPPLEMENT}, [(E.DECISION_INCOMPLETE, "deficiencies")]),
        (
            {"decision": pb.DECISION_REFUSE, "reasons": [pb.Reason(code="不", text="")]},
            [(E.ARGUMENT_INVALID, "reasons[0].code"), (E.ARGUMENT_INVALID, "reasons[0].text")],
        ),
        ({"consumer": "li si"}, [(E.ARGUMENT_INVALID, "consumer")]),
        ({"act": "1"}, [(E.ARGUMENT_INVALID, "act_id")]),
    ],
)
async def test_decision_that_is_incomplete_is_refused_with_all_its_faults(
    request_: dict[str, Any],
    found: list[tuple[ErrorCode, str]],
    police: Desk,
    procuratorate: Desk,
    refused: Refused,
    signers: Signers,
) -> None:
    """A decision is complete or it is none."""
    handoff, case_number = await _fetched(police, procuratorate, signers)
    await refused(procuratorate, procuratorate.decide(handoff, **request_), *found, case_number=case_number)


async def test_withdrawal_puts_the_case_back_and_ends_the_handoff(
    police: Desk, procuratorate: Desk, oversight: Desk, refused: Refused, signers: Signers
) -> None:
    """What the sender takes back is as if it had not been sent, except that everybody can see that it was."""
    handoff, case_number = await _claimed(police, procuratorate, signers)
    await police.withdraw(handoff, reason="移送有误")
    assert (await oversight.stage(case_number))[:2] == ("P4", "ps:110108")
    seen = await procuratorate.receipts(handoff)
    assert (seen.state, seen.withdrawal_reason) == (common_pb2.HANDOFF_STATE_WITHDRAWN, "移送有误")
    for call in (procuratorate.claim, procuratorate.fetch, procuratorate.decide):
        await refused(procuratorate, call(handoff), (E.ALREADY_WITHDRAWN, ID), case_number=case_number)
    await refused(police, police.withdraw(handoff), (E.ALREADY_WITHDRAWN, ID), case_number=case_number)


def _acts(police: Desk, procuratorate: Desk) -> dict[str, Callable[[UUID, str], Awaitable[Any]]]:
    return {
        "claim": lambda handoff, act: procuratorate.claim(handoff, act=act),
        "fetch": lambda handoff, act: procuratorate.fetch(handoff, act=act),
        "decide": lambda handoff, act: procuratorate.decide(handoff, act=act),
        "withdraw": lambda handoff, act: police.withdraw(handoff, act=act),
    }


@pytest.mark.parametrize("name", ["claim", "fetch", "decide", "withdraw"])
async def test_act_repeated_with_its_id_gives_the_same_receipt(
    name: str, police: Desk, procuratorate: Desk, oversight: Desk, signers: Signers
) -> None:
    """A retried act is the same act: the same receipt bytes, and one entry."""
    handoff, _ = await _submitted(police, signers)
    if name in ("fetch", "decide"):
        await procuratorate.claim(handoff)
    if name == "decide":
        await procuratorate.fetch(handoff)
    act, call = str(uuid4()), _acts(police, procuratorate)[name]
    first = await call(handoff, act)
    count = len(await oversight.entries(handoff_id=str(handoff)))
    again = await call(handoff, act)
    assert again.receipt.SerializeToString() == first.receipt.SerializeToString()
    assert len(await oversight.entries(handoff_id=str(handoff))) == count


async def test_act_id_used_for_another_act_is_refused(
    police: Desk, procuratorate: Desk, refused: Refused, signers: Signers
) -> None:
    """An id stands for one act for ever; of another agency the same id is another id."""
    handoff, case_number = await _submitted(police, signers)
    act = str(uuid4())
    await procuratorate.claim(handoff, act=act)
    await refused(
        procuratorate, procuratorate.fetch(handoff, act=act), (E.ACT_ID_REUSED, "act_id"), case_number=case_number
    )
    await police.withdraw(handoff, act=act)
