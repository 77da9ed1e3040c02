"""The batcher: gap-free, one winner each, replays, refusals, one bad item alone."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from gateway.core.command import Command
from gateway.core.entry import EntryKind, from_leaf, leaf_hash
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.log.batch_receipt import parse_receipt, verify_place
from gateway.ledger.batcher import Batcher
from tests.integration.ledger.act import (
    CT,
    JA,
    ORIGIN,
    PR,
    PS,
    append_all,
    batcher_on,
    codes,
    committed,
    make_act,
    make_submit,
    new_case,
    read_ledger,
    sign,
)

CALLERS = 64


async def test_append_64_callers_many_cases_leaves_no_gap(database_url: str) -> None:
    """Each of 64 callers gets its own entry; indices, pair numbers and case chains have no gap."""
    async with batcher_on(database_url) as batcher:

        async def call() -> list[int]:
            return [(await batcher.append(make_submit())).index for _ in range(8)]

        indices = [index for found in await asyncio.gather(*(call() for _ in range(CALLERS))) for index in found]
    assert sorted(indices) == list(range(CALLERS * 8))
    assert len(await read_ledger(database_url)) == CALLERS * 8


async def test_append_64_callers_same_case_has_one_winner(database_url: str) -> None:
    """Of 64 transfers of one case one is offered; the others are refused by the state that it left."""
    case = new_case()
    async with batcher_on(database_url) as batcher:
        results = await append_all(batcher, [make_submit(case) for _ in range(CALLERS)])
    assert len(committed(results)) == 1
    assert codes(results) == [ErrorCode.TRANSITION_NOT_ALLOWED] * (CALLERS - 1)
    assert len(await read_ledger(database_url)) == 1


async def test_append_same_case_allowed_acts_all_get_numbers(database_url: str) -> None:
    """Acts of one case that are all allowed stand one after the other in its chain."""
    case = new_case()
    async with batcher_on(database_url) as batcher:
        results = await append_all(batcher, [make_submit(case, receiver=JA) for _ in range(CALLERS)])
    entries = [from_leaf(entry.leaf) for entry in committed(results)]
    assert sorted(entry.case_sequence for entry in entries) == list(range(1, CALLERS + 1))
    await read_ledger(database_url)


async def test_claim_raced_by_consumers_has_one_winner(database_url: str) -> None:
    """Of eight consumers one gets the lease, the others hear that it is held."""
    async with batcher_on(database_url) as batcher:
        submit = make_submit()
        await batcher.append(submit)
        results = await append_all(
            batcher, [make_act(EntryKind.CLAIMED, submit.act_id, consumer=str(i) * 32) for i in range(8)]
        )
    assert len(committed(results)) == 1
    assert codes(results) == [ErrorCode.LEASE_HELD] * 7


async def test_handoff_from_submit_to_decision_chains_through_batches(database_url: str) -> None:
    """Acts sent without waiting for each other, in order, are decided in that order."""
    async with batcher_on(database_url) as batcher:
        submits = [make_submit() for _ in range(30)]
        acts: list[Command] = list(submits)
        for kind in (EntryKind.CLAIMED, EntryKind.FETCHED, EntryKind.ACCEPTED):
            acts += [make_act(kind, submit.act_id) for submit in submits]
        results = await append_all(batcher, acts)
        assert codes(results) == []
        late = await append_all(batcher, [make_act(EntryKind.REFUSED, submit.act_id) for submit in submits])
    assert codes(late) == [ErrorCode.ALREADY_DECIDED] * 30
    assert len(await read_ledger(database_url)) == 120


async def test_append_two_batchers_one_database_leaves_no_gap(database_url: str) -> None:
    """Two batchers on one database take turns: no gap, no entry twice, one winner for what both try."""
    shared = [make_submit() for _ in range(40)]
    case = new_case()
    async with batcher_on(database_url) as one, batcher_on(database_url) as other:
        both = await asyncio.gather(
            append_all(one, [*(make_submit() for _ in range(100)), *shared, make_submit(case)]),
            append_all(other, [*(make_submit() for _ in range(100)), *shared, make_submit(case)]),
        )
    first, second = ([found.index for found in committed(results)[100:140]] for results in both)
    assert first == second
    assert sum(len(codes(results)) for results in both) == 1
    assert len(await read_ledger(database_url)) == 241


async def test_append_same_act_again_gives_the_first_receipt(database_url: str) -> None:
    """A replay, at once, later or after a restart, gives the receipt of the first time and writes nothing."""
    submit = make_submit()
    async with batcher_on(database_url) as batcher:
        at_once = await append_all(batcher, [submit, submit, submit])
        later = await batcher.append(submit)
    async with batcher_on(database_url) as batcher:
        restarted = await batcher.append(submit)
    found = [*committed(at_once), later, restarted]
    first, again = found[0], found[1:]
    assert not first.is_replay and first.receipt_jws and leaf_hash(first.leaf) == first.leaf_hash
    assert again == [replace(first, is_replay=True)] * 4
    assert len(await read_ledger(database_url)) == 1


async def test_append_same_id_other_content_is_refused(database_url: str) -> None:
    """An id stands for one content: bundle id, act id and idempotency key, at once and later, for any sender."""
    submit = make_submit()
    other = replace(submit, content_sha256="d" * 64)
    stranger = replace(other, actor=CT, sender=CT, receiver=JA)
    claim = make_act(EntryKind.CLAIMED, submit.act_id)
    same_key = make_submit(idempotency_key=str(submit.act_id))
    async with batcher_on(database_url) as batcher:
        results = await append_all(batcher, [submit, other, stranger, same_key])
        assert codes(results) == [
            ErrorCode.BUNDLE_ID_REUSED,
            ErrorCode.BUNDLE_ID_REUSED,
            ErrorCode.IDEMPOTENCY_KEY_REUSED,
        ]
        later = await append_all(
            batcher,
            [other, stranger, same_key, claim, replace(claim, content_sha256="e" * 64)],
        )
    assert codes(later) == [*codes(results), ErrorCode.ACT_ID_REUSED]
    assert len(await read_ledger(database_url)) == 2


async def test_append_bad_items_fail_alone(database_url: str) -> None:
    """Acts refused, too large, with a digest that is none or refused by the database harm no neighbour."""
    good = [make_submit() for _ in range(20)]
    bad = [
        make_act(EntryKind.CLAIMED, new_uuid()),
        make_submit(rule_set="x" * 5000),
        make_submit(materials=["no digest"]),
        make_submit(idempotency_key="nul\x00"),
    ]
    async with batcher_on(database_url) as batcher:
        results = await append_all(batcher, [*good[:10], *bad, *good[10:]])
    assert len(committed(results)) == 20
    assert codes(results) == [ErrorCode.HANDOFF_UNKNOWN, *[ErrorCode.INTERNAL] * 3]
    assert len(await read_ledger(database_url)) == 20


def new_uuid() -> UUID:
    """An id that stands for nothing."""
    return make_submit().act_id


async def test_append_refused_calls_are_entries_without_receipt(database_url: str) -> None:
    """A refused call is an entry, with and without handoff, and moves nothing."""
    async with batcher_on(database_url) as batcher:
        submit = make_submit()
        await batcher.append(submit)
        await batcher.append(make_act(EntryKind.CLAIMED, submit.act_id))
        known = make_act(
            EntryKind.CALL_REFUSED, submit.act_id, CT, method="S/Fetch", refusal_codes=(1004,), consumer=""
        )
        unknown = replace(known, act_id=make_submit().act_id, handoff=None)
        for command in (known, unknown):
            appended = await batcher.append(command)
            assert appended.receipt_jws == ""
        held = await append_all(batcher, [make_act(EntryKind.CLAIMED, submit.act_id, consumer="2" * 32)])
        assert codes(held) == [ErrorCode.LEASE_HELD]
        await batcher.append(make_act(EntryKind.FETCHED, submit.act_id))
    entries = await read_ledger(database_url)
    assert [entry.kind.value for entry in entries][2:4] == ["call_refused", "call_refused"]
    assert entries[2].handoff_state is not None and entries[3].case == ""


async def test_receipt_says_what_is_in_the_tree(database_url: str) -> None:
    """The claims of a receipt are those of the entry and of the tree that its batch left."""
    async with batcher_on(database_url) as batcher:
        appended = await batcher.append(make_submit())
    connection = await asyncpg.connect(database_url)
    root = await connection.fetchval("SELECT root FROM ledger.state WHERE size = 1")
    await connection.close()
    jws, path = parse_receipt(appended.receipt_jws)
    assert (dict(part.split("=", 1) for part in jws.split(";")), path) == (
        {
            "origin": ORIGIN,
            "first_index": "0",
            "tree_size": "1",
            "batch_root": appended.leaf_hash.hex(),
            "root_hash": root.hex(),
            "recorded_at": appended.recorded_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        },
        [],
    )


async def test_receipts_of_a_batch_share_one_signature_and_lead_each_to_its_own_entry(database_url: str) -> None:
    """Whatever else is in the batch, each receipt proves its entry; one read again later is the same text."""
    signed: list[dict[str, str | int]] = []

    def count(claims: dict[str, str | int]) -> str:
        signed.append(claims)
        return sign(claims)

    submits = [make_submit() for _ in range(21)]
    refused = make_act(EntryKind.CALL_REFUSED, make_submit().act_id, CT, method="S/Fetch", refusal_codes=(1004,))
    refused = replace(refused, handoff=None, consumer="")
    async with batcher_on(database_url, sign=count, is_ahead=False) as batcher:
        results = committed(await append_all(batcher, [*submits[:9], refused, *submits[9:]]))
        again = committed(await append_all(batcher, submits))
    assert len(signed) < len(submits) / 4
    for first, replay in zip([result for result in results if result.receipt_jws], again, strict=True):
        jws, path = parse_receipt(first.receipt_jws)
        claims = next(item for item in signed if sign(item) == jws)
        verify_place(
            first.leaf_hash, first.index, path,
            first_index=int(claims["first_index"]), tree_size=int(claims["tree_size"]),
            batch_root=bytes.fromhex(str(claims["batch_root"])),
        )  # fmt: skip
        assert (replay.receipt_jws, replay.is_replay) == (first.receipt_jws, True)


async def test_time_never_goes_back(database_url: str) -> None:
    """When the clock is set back, entries get the time of the one before."""
    now = datetime(2026, 1, 1, 12, 0, 0, 123456, UTC)
    times = iter([now, now - timedelta(hours=1), now + timedelta(milliseconds=1)])
    async with batcher_on(database_url, clock=lambda: next(times)) as batcher:
        got = [(await batcher.append(make_submit())).recorded_at for _ in range(3)]
    now = now.replace(microsecond=123000)
    assert got == [now, now, now + timedelta(milliseconds=1)]


async def test_append_full_queue_is_refused_with_retry(database_url: str) -> None:
    """A queue has an end; who finds it full hears when to come again, and the others get their answer."""
    async with batcher_on(database_url, max_queue=8) as batcher:
        results = await append_all(batcher, [make_submit() for _ in range(20)])
        assert codes(results) == [ErrorCode.QUEUE_FULL] * 12
        assert all(r.retry_after_seconds for r in results if isinstance(r, GatewayError))
        await batcher.append(make_submit())
    assert len(await read_ledger(database_url)) == 9


async def test_stop_answers_everything_accepted_then_refuses(database_url: str) -> None:
    """Stopping commits what was accepted; what comes later is refused as shutting down."""
    async with batcher_on(database_url) as batcher:
        pending = [asyncio.create_task(batcher.append(make_submit())) for _ in range(100)]
        await asyncio.sleep(0)
        await batcher.stop()
        assert sorted(appended.index for appended in await asyncio.gather(*pending)) == list(range(100))
        with pytest.raises(GatewayError) as refused:
            await batcher.append(make_submit())
    assert refused.value.code is ErrorCode.SHUTTING_DOWN


async def test_caller_that_gives_up_does_not_stop_its_act(database_url: str) -> None:
    """A cancelled caller breaks neither its own act nor the batch."""
    async with batcher_on(database_url) as batcher:
        submit = make_submit()
        given_up = asyncio.create_task(batcher.append(submit))
        others = [asyncio.create_task(batcher.append(make_submit())) for _ in range(40)]
        await asyncio.sleep(0)
        given_up.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await given_up
        assert len(await asyncio.gather(*others)) == 40
        assert (await batcher.append(submit)).is_replay


async def test_submit_grants_materials_to_both_parties(database_url: str) -> None:
    """The materials of a bundle become readable to sender and receiver, and to nobody else."""
    async with batcher_on(database_url) as batcher:
        await batcher.append(make_submit(materials=["1" * 64, "2" * 64]))
        await batcher.append(make_submit(materials=["2" * 64]))
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT agency, sha256 FROM ledger.material_grant")
    await connection.close()
    assert {(row["agency"], row["sha256"].hex()[0]) for row in rows} == {
        (str(agency), digit) for agency in (PS, PR) for digit in "12"
    }


async def test_batcher_before_start_refuses(database_url: str) -> None:
    """A batcher that was never started takes nothing it would not answer."""
    pool = await asyncpg.create_pool(database_url, min_size=0)
    try:
        batcher = Batcher(pool, origin=ORIGIN, clock=lambda: datetime.now(UTC), sign=str)
        assert codes(await append_all(batcher, [make_submit()])) == [ErrorCode.SHUTTING_DOWN]
    finally:
        await pool.close()
