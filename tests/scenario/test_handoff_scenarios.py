"""Scenarios of handing over: what is missing, what comes twice, what was returned too often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import uuid4

from gateway.core.entry import EntryKind, HandoffState
from gateway.core.errors import ErrorCode
from gateway.rpc.client_answer import Decision
from tests.scenario.case_file import not_prosecuted, retransfer, returned, transfer
from tests.scenario.paper import bound, contents, papers
from tests.scenario.world import CONSUMER, Cast, refused
from tests.support.wire import is_of_procedure


async def test_scenario_11_file_without_the_filing_decision_is_supplemented_and_sent_again(cast: Cast) -> None:
    """A file that lacks a document is asked for it and sent again; a bundle that lacks a material never arrives."""
    complete = papers(transfer())
    short = papers(transfer(), without=["D04"])
    # The manifest lists three items, two arrive: refused whole, with the item that is missing.
    three = papers(transfer(number=2))
    manifest, jws, record = await cast.police.bundle(three, upload=False)
    await cast.police.upload(data for at, (_, data) in enumerate(contents(three)) if at != 2)
    found = await refused(cast.police.client.submit(jws, record, bundle_id=manifest.bundle_id))
    assert found.pop("MATERIAL_MISSING") == "/materials/2/sha256"
    assert all(is_of_procedure(ErrorCode[name]) for name in found)
    assert await cast.oversight.stage(three) == ("P4", "")

    first = await cast.police.submit(short)
    assert "DOCUMENT_MISSING" in first.warnings
    await cast.pr.ask_supplement(first, D04="补送立案决定书")
    assert (1, "K22") not in await cast.world.clocks(short), "no limit of the procuratorate runs"
    assert await cast.oversight.stage(short) == ("J0s", "ps:110108")
    told = await cast.police.status(first)
    assert [(item.document_code, item.text) for item in told.deficiencies] == [("D04", "补送立案决定书")]

    again = await cast.police.submit(complete, in_reply_to=first)
    assert "DOCUMENT_MISSING" not in again.warnings
    await cast.pr.accept(again)
    assert (1, "K22") in await cast.world.clocks(complete)
    assert await cast.oversight.stage(complete) == ("J1", "pr:110108")
    sent = await cast.oversight.entries(complete, EntryKind.SUBMITTED)
    assert len({entry.bundle_sha256 for entry in sent}) == len(sent) == 2, "the new content has a new digest"


async def test_document_sent_again_with_its_number_is_a_new_version_beside_the_old(cast: Cast) -> None:
    """A corrected document keeps its number: both versions stay readable; who was not asked does not answer."""
    case = papers(transfer())
    first = await cast.police.submit(case)
    old = next(item for item in bound(case).documents if item.code == "D04")
    documents = [replace(item, title="立案决定书更正") if item.code == "D04" else item for item in case.documents]
    corrected = replace(case, documents=tuple(documents))
    refusal = await cast.police.refused(corrected, in_reply_to=first)
    assert refusal["REPLY_NOT_ASKED"] == "/in_reply_to"

    await cast.pr.ask_supplement(first, D04="更正")
    again = await cast.police.submit(corrected, in_reply_to=first)
    await cast.pr.accept(again)
    new = next(item for item in bound(corrected).documents if item.code == "D04")
    assert (old.no, old.sha256 == new.sha256) == (new.no, False)
    assert await cast.pr.download(old.sha256) != await cast.pr.download(new.sha256)
    sent = await cast.oversight.entries(case, EntryKind.SUBMITTED)
    assert len({entry.bundle_sha256 for entry in sent}) == len(sent) == 2, "the new content has a new digest"
    late = await cast.police.refused(corrected, in_reply_to=again)
    assert late["REPLY_NOT_ASKED"] == "/in_reply_to"


async def test_scenario_13_third_return_is_refused(cast: Cast) -> None:
    """A case is returned for supplementary investigation twice and no more; then it is indicted or ended."""
    case = papers(transfer())
    await cast.pr.accept(await cast.police.submit(case))
    for number, (back, again) in enumerate([("2026-02-10", "2026-02-26"), ("2026-03-04", "2026-03-20")], 1):
        sent_back = papers(returned(case, number=number, on=back))
        await cast.police.accept(await cast.pr.submit(sent_back))
        assert (await cast.oversight.stage(case))[0] == "J3"
        case = papers(retransfer(sent_back, sent=f"{again}T10:00"))
        await cast.pr.accept(await cast.police.submit(case))
    third = papers(returned(case, number=3, on="2026-03-24"))
    assert "TRANSITION_NOT_ALLOWED" in await cast.pr.refused(third)
    assert (await cast.oversight.stage(case))[0] == "J1"
    # Another procuratorate takes the case over: the two returns go with it.
    await cast.pr.act("jurisdiction_changed", case, to_agency="pr:110105")
    other = await cast.world.organ("pr:110105")
    await other.act("jurisdiction_received", case)
    assert (await cast.oversight.stage(case))[1] == "pr:110105"
    assert "TRANSITION_NOT_ALLOWED" in await other.refused(replace(third, sender="pr:110105", message_no="PR2-1"))
    # What is left is to end the case, or to indict.
    ended = replace(papers(not_prosecuted(case, on="2026-03-26", ground="175(4)")), sender="pr:110105")
    await other.submit(ended)
    assert (await cast.oversight.stage(case))[0] == "J4"


async def test_scenario_23_what_comes_twice_happens_once(cast: Cast) -> None:
    """Replays, a crash and a lost reply leave one handoff and one acceptance, and the chain holds."""
    case = papers(transfer())
    manifest, jws, record = await cast.police.bundle(case)
    submit = cast.police.client.submit
    answers = await asyncio.gather(*(submit(jws, record, bundle_id=manifest.bundle_id) for _ in range(4)))
    assert len({answer.receipt.jws for answer in answers}) == 1
    assert sorted(answer.is_replay for answer in answers) == [False, True, True, True]

    # Out of order: who decides before he has claimed and fetched is refused, and nothing has moved.
    decide = cast.pr.client.decide
    assert "NOT_CLAIMED" in await refused(decide(manifest.bundle_id, CONSUMER, Decision.ACCEPT))
    await cast.pr.client.claim(manifest.bundle_id, CONSUMER)
    assert "NOT_FETCHED" in await refused(decide(manifest.bundle_id, CONSUMER, Decision.ACCEPT))
    await cast.pr.client.fetch(manifest.bundle_id, CONSUMER)

    # The gateway commits the acceptance, and goes down before anybody has its answer.
    act = uuid4()
    lost = asyncio.create_task(decide(manifest.bundle_id, CONSUMER, Decision.ACCEPT, act_id=act))
    while not await cast.oversight.entries(case, EntryKind.ACCEPTED):
        await asyncio.sleep(0)
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)
    await cast.world.stop()
    await cast.world.start()

    receipt = await decide(manifest.bundle_id, CONSUMER, Decision.ACCEPT, act_id=act)
    again = await decide(manifest.bundle_id, CONSUMER, Decision.ACCEPT, act_id=act)
    assert receipt.jws == again.jws
    assert "ALREADY_DECIDED" in await refused(decide(manifest.bundle_id, CONSUMER, Decision.ACCEPT))
    late = await submit(jws, record, bundle_id=manifest.bundle_id)
    assert (late.is_replay, late.receipt.jws) == (True, answers[0].receipt.jws)

    status = await cast.pr.client.get_receipt(manifest.bundle_id)
    assert status.state is HandoffState.ACCEPTED
    kinds = [entry.kind for entry in await cast.oversight.entries(case)]
    assert kinds.count(EntryKind.SUBMITTED) == kinds.count(EntryKind.ACCEPTED) == 1
    timeline = await cast.oversight.timeline(case)
    chain = [item.entry for item in timeline.entries]
    assert [entry.case_sequence for entry in chain] == list(range(1, len(chain) + 1))
    assert [entry.case_previous for entry in chain[1:]] == [item.leaf_hash.hex() for item in timeline.entries[:-1]]
    await cast.oversight.client.prove_inclusion(receipt.entry_index, leaf_hash=receipt.leaf_hash)
