"""Reading: pages without gap or repetition, every filter, handoffs with their receipts, proofs of any size."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from gateway.core.entry import Entry, EntryKind, HandoffState, from_leaf, leaf_hash
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.log.merkle import EMPTY_ROOT, Frontier, verify_consistency, verify_inclusion
from gateway.core.log.merkle_tile import TileEdge
from gateway.core.port.ledger import EntryFilter, LedgerReader
from gateway.core.port.material import MaterialGrants
from gateway.ledger.batcher import Batcher
from gateway.ledger.entry_query import MAX_INDEX, to_statement
from gateway.ledger.grant import Grants
from gateway.ledger.node import Nodes
from gateway.ledger.pool import open_pool
from gateway.ledger.reader import Reader
from gateway.ledger.statement import load_statements
from tests.integration.ledger.act import (
    CT,
    JA,
    PR,
    PS,
    append_all,
    as_role,
    batcher_on,
    make_act,
    make_sealer,
    make_submit,
    new_case,
)

START = datetime(2026, 5, 4, 9, tzinfo=UTC)


class Steps:
    """A clock that goes on by a second each time it is read."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> datetime:
        self.seconds += 1
        return START + timedelta(seconds=self.seconds)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool[Any]]:
    """A pool of the gateway's role."""
    pool = await open_pool(as_role(database_url, "fasttrack_gateway"))
    yield pool
    await pool.close()


@pytest.fixture
async def reader(pool: asyncpg.Pool[Any]) -> LedgerReader:
    """A reader as the flows see it."""
    return Reader(pool, make_sealer())


@pytest.fixture
async def batcher(database_url: str) -> AsyncIterator[Batcher]:
    """A running batcher whose clock steps."""
    async with batcher_on(database_url, clock=Steps()) as batcher:
        yield batcher


async def page_through(reader: LedgerReader, condition: EntryFilter, limit: int) -> list[int]:
    """Indices of all entries that match, page by page."""
    found: list[int] = []
    while page := await reader.entries(condition, after_index=found[-1] if found else -1, limit=limit):
        assert len(page) <= limit
        found += [entry.index for entry in page]
    return found


async def test_empty_ledger_answers_everything(reader: LedgerReader) -> None:
    """Before the first entry there is an empty tree, and nothing else."""
    head = await reader.head()
    assert (head.size, head.root) == (0, EMPTY_ROOT)
    assert await reader.inbox(PR, [], after_index=-1, limit=10) == []
    assert await reader.pair(PS, PR, after_number=0, limit=10) == ([], 0)
    assert await reader.entries(EntryFilter(), after_index=-1, limit=10) == []
    assert await reader.handoff(make_submit().act_id) is None
    assert await reader.consistency(0, 0) == ([], EMPTY_ROOT, EMPTY_ROOT)


async def test_entries_any_filter_pages_to_what_matches(reader: LedgerReader, batcher: Batcher) -> None:
    """Every filter, alone and combined, gives exactly the entries that meet it, in order, whatever the page size."""
    case = new_case()
    submits = [make_submit(case, receiver=JA)] + [make_submit() for _ in range(5)] + [make_submit(receiver=JA)]
    for submit in submits:
        await batcher.append(submit)
    for submit in submits[1:4]:
        await batcher.append(make_act(EntryKind.CLAIMED, submit.act_id))
        await batcher.append(make_act(EntryKind.FETCHED, submit.act_id))
    await batcher.append(make_act(EntryKind.CALL_REFUSED, submits[2].act_id, CT, refusal_codes=(1004,)))
    await batcher.append(make_act(EntryKind.WITHDRAWN, submits[4].act_id, PS))
    whole = [from_leaf(entry.leaf) for entry in await reader.entries(EntryFilter(), after_index=-1, limit=100)]
    assert [entry.index for entry in whole] == list(range(15))
    middle = whole[5].recorded_at
    filters: dict[EntryFilter, Callable[[Entry], bool]] = {
        EntryFilter(kinds=(EntryKind.CLAIMED, EntryKind.WITHDRAWN)): lambda e: e.kind.value in ("claimed", "withdrawn"),
        EntryFilter(sender=str(PS), kinds=(EntryKind.SUBMITTED,)): lambda e: e.kind is EntryKind.SUBMITTED,
        EntryFilter(receiver=str(JA)): lambda e: e.receiver == str(JA),
        EntryFilter(actor=str(PR)): lambda e: e.actor == str(PR),
        EntryFilter(actor=str(PR), kinds=(EntryKind.FETCHED,)): lambda e: e.kind is EntryKind.FETCHED,
        EntryFilter(case=case): lambda e: e.case == case,
        EntryFilter(handoff=submits[2].act_id): lambda e: e.handoff == str(submits[2].act_id),
        EntryFilter(recorded_from=middle): lambda e: e.recorded_at >= middle,
        EntryFilter(recorded_to=middle): lambda e: e.recorded_at < middle,
        EntryFilter(recorded_from=middle, recorded_to=middle): lambda e: False,
        EntryFilter(index_from=3, index_to=9): lambda e: 3 <= e.index < 9,
        EntryFilter(sender=str(CT)): lambda e: e.sender == str(CT),
    }
    for condition, matches in filters.items():
        expected = [entry.index for entry in whole if matches(entry)]
        for limit in (1, 4, 100):
            assert await page_through(reader, condition, limit) == expected, condition


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        (EntryFilter(), "entry_pkey"),
        (EntryFilter(kinds=(EntryKind.CLAIMED,)), "entry_kind"),
        (EntryFilter(sender=str(CT)), "entry_sender"),
        (EntryFilter(receiver=str(CT), sender=str(CT)), "entry_receiver"),
        (EntryFilter(actor=str(CT), kinds=(EntryKind.VIEWED,)), "entry_actor"),
        (EntryFilter(case="0" * 32, kinds=(EntryKind.VIEWED,)), "entry_case"),
        (EntryFilter(handoff=UUID(int=1)), "entry_handoff"),
        (EntryFilter(handoff=UUID(int=1), actor=str(CT), kinds=(EntryKind.VIEWED,)), "entry_handoff"),
    ],
)
async def test_entries_each_filter_walks_its_index(
    database_url: str, batcher: Batcher, condition: EntryFilter, index: str
) -> None:
    """No filter reads the ledger from end to end, not even for a value that never occurs."""
    await append_all(batcher, [make_submit() for _ in range(300)])
    connection = await asyncpg.connect(database_url)
    await connection.execute("ANALYZE ledger.entry; SET enable_seqscan = off; SET enable_bitmapscan = off")
    statement, arguments = to_statement(condition, start=0, stop=MAX_INDEX, limit=100)
    plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement}", *arguments))
    await connection.close()
    assert f"using {index} on" in plan
    assert plan.count(" using ") == 1 and "Seq Scan" not in plan


async def test_search_for_statements_walks_an_index_of_its_question(database_url: str) -> None:
    """Every submit asks for the register of its sender; what else an agency has ever stated is not read for it."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    arguments = ([""], ["ps:110108"], ["qualification-register"], [-1])
    rows = await connection.fetch(f"EXPLAIN {load_statements('read')['statements_exist']}", *arguments)
    await connection.close()
    plan = "\n".join(row[0] for row in rows)
    for index in ("statement_case", "statement_issuer", "statement_issuer_type"):
        assert f"using {index} on statement" in plan
    assert "Index Cond: ((issuer = asked.issuer) AND (statement_type = asked.type_name) AND (seq > asked." in plan


async def test_inbox_shows_state_and_pages_by_index(reader: LedgerReader, batcher: Batcher) -> None:
    """The inbox shows each handoff to its receiver in the state it has now, and only those."""
    submits = [make_submit() for _ in range(6)]
    for submit in submits:
        await batcher.append(submit)
    await batcher.append(make_submit(receiver=JA))
    claim = await batcher.append(make_act(EntryKind.CLAIMED, submits[0].act_id))
    await batcher.append(make_act(EntryKind.FETCHED, submits[0].act_id))
    await batcher.append(make_act(EntryKind.CALL_REFUSED, submits[0].act_id, CT, refusal_codes=(1004,)))
    await batcher.append(make_act(EntryKind.WITHDRAWN, submits[1].act_id, PS))
    rows = await reader.inbox(PR, [], after_index=-1, limit=10)
    assert [row.handoff for row in rows] == [submit.act_id for submit in submits]
    assert [row.state for row in rows[:3]] == [HandoffState.FETCHED, HandoffState.WITHDRAWN, HandoffState.OFFERED]
    assert rows[0].lease_until == from_leaf(claim.leaf).lease_until
    assert (rows[0].case_number, rows[0].bundle_sha256) == ("A9990010000002026010001", "a" * 64)
    assert [row.pair_number for row in rows] == [1, 2, 3, 4, 5, 6]
    offered = await reader.inbox(PR, [HandoffState.OFFERED], after_index=-1, limit=2)
    assert [row.index for row in offered] == [2, 3]
    rest = await reader.inbox(PR, [HandoffState.OFFERED], after_index=3, limit=10)
    assert [row.index for row in rest] == [4, 5]


async def test_handoff_gives_originals_receipts_and_last_detail(reader: LedgerReader, batcher: Batcher) -> None:
    """A handoff comes with its bundle untouched, all its receipts in order, and the text of the decision."""
    submit = make_submit()
    receipts = [await batcher.append(submit)]
    for kind in (EntryKind.CLAIMED, EntryKind.FETCHED):
        receipts.append(await batcher.append(make_act(kind, submit.act_id)))
    await batcher.append(make_act(EntryKind.CALL_REFUSED, submit.act_id, CT, refusal_codes=(1004,)))
    decision = make_act(EntryKind.REFUSED, submit.act_id, detail=b'{"reasons":[]}', detail_sha256="f" * 64)
    receipts.append(await batcher.append(decision))
    stored = await reader.handoff(submit.act_id)
    assert stored is not None and submit.bundle is not None
    assert (stored.manifest_jws, stored.record) == (submit.bundle.manifest_jws, submit.bundle.record)
    assert list(stored.receipts) == receipts
    assert (stored.detail, stored.detail_kind) == (b'{"reasons":[]}', EntryKind.REFUSED)
    assert stored.row.state is HandoffState.REFUSED


async def test_pair_pages_by_number_and_names_the_last(reader: LedgerReader, batcher: Batcher) -> None:
    """Numbers of a direction come in order, with the last one given out on every page."""
    for _ in range(5):
        await batcher.append(make_submit())
    await batcher.append(make_submit(receiver=JA))
    first, last = await reader.pair(PS, PR, after_number=0, limit=3)
    rest, again = await reader.pair(PS, PR, after_number=3, limit=3)
    assert [row.pair_number for row in first + rest] == [1, 2, 3, 4, 5]
    assert last == again == 5
    assert all(row.state is HandoffState.OFFERED for row in first)
    assert (await reader.pair(PS, JA, after_number=1, limit=3)) == ([], 1)


async def test_proofs_random_sizes_verify_and_tiles_are_right(
    database_url: str, pool: asyncpg.Pool[Any], batcher: Batcher
) -> None:
    """Proofs read from tiles and right edge verify for any index and size; stored tiles equal those computed anew."""
    await append_all(batcher, [make_submit() for _ in range(700)])
    rows = await pool.fetch("SELECT leaf FROM ledger.entry ORDER BY seq")
    hashes = [leaf_hash(row["leaf"]) for row in rows]
    edge, frontier, tiles, roots = TileEdge(), Frontier(), [], [EMPTY_ROOT]
    for digest in hashes:
        tiles += [(full.tile.level, full.tile.place, full.root, full.data) for full in edge.append(digest)]
        frontier.append(digest)
        roots.append(frontier.root())
    stored = await pool.fetch("SELECT level, place, root, data FROM ledger.tile ORDER BY level, place")
    assert [tuple(row) for row in stored] == sorted(tiles)
    for row in await pool.fetch("SELECT size, root FROM ledger.state"):
        assert row["root"] == roots[row["size"]]
    # The same through the oversight role, which has the views only.
    oversight = await open_pool(as_role(database_url, "fasttrack_oversight"))
    reader = Reader(oversight)
    assert (await reader.head()).root == roots[700]
    sizes = [1, 255, 256, 257, 512, 699, 700, *random.sample(range(1, 701), 12)]
    for size in sizes:
        for index in {0, size - 1, random.randrange(size)}:
            proof, root, digest = await reader.inclusion(index, size)
            assert (root, digest) == (roots[size], hashes[index])
            verify_inclusion(digest, index, size, proof, root)
        first = random.randint(0, size)
        proof, old, new = await reader.consistency(first, size)
        assert (old, new) == (roots[first], roots[size])
        verify_consistency(first, size, old, new, proof)
    assert len(await reader.entries(EntryFilter(sender=str(PS)), after_index=-1, limit=5)) == 5
    await oversight.close()


async def test_proof_of_right_edge_above_first_tile_level_verifies(
    database_url: str, pool: asyncpg.Pool[Any], batcher: Batcher
) -> None:
    """A second level of tiles, not full yet, is put together from the roots of the first."""
    for _ in range(3):
        await append_all(batcher, [make_submit() for _ in range(256)])
    proof, root, digest = await Reader(pool).inclusion(0, 768)
    verify_inclusion(digest, 0, 768, proof, root)


@pytest.mark.parametrize(
    ("question", "path"),
    [
        (("inclusion", 2, 2), "inclusion.entry_index"),
        (("inclusion", -1, 2), "inclusion.entry_index"),
        (("inclusion", 0, 3), "inclusion.tree_size"),
        (("inclusion", 0, -3), "inclusion.tree_size"),
        (("consistency", 2, 1), "consistency.first_size"),
        (("consistency", -1, 2), "consistency.first_size"),
        (("consistency", 0, 3), "consistency.second_size"),
    ],
)
async def test_proof_out_of_range_is_refused(
    reader: LedgerReader, batcher: Batcher, question: tuple[str, int, int], path: str
) -> None:
    """A proof that cannot exist is refused with the field that asks too much."""
    for _ in range(2):
        await batcher.append(make_submit())
    name, first, second = question
    with pytest.raises(GatewayError) as refused:
        await getattr(reader, name)(first, second)
    assert refused.value.code is ErrorCode.ARGUMENT_OUT_OF_RANGE
    assert refused.value.findings[0].path == path


async def test_proofs_again_need_no_tile_and_a_smaller_ledger_is_read_anew(
    pool: asyncpg.Pool[Any], batcher: Batcher, database_url: str
) -> None:
    """What is full is read once; of a ledger that was restored nothing is believed that was read before."""
    await append_all(batcher, [make_submit() for _ in range(20)])
    asked: list[str] = []
    reader = Reader(pool)
    fetch = reader._fetch

    async def counted(name: str, *arguments: Any) -> list[Any]:
        asked.append(name)
        return await fetch(name, *arguments)

    reader._nodes = Nodes(counted, most=12)
    for size in (20, 20, 16):
        for index in range(16):
            hashes, root, leaf = await reader.inclusion(index, size)
            verify_inclusion(leaf, index, size, hashes, root)
    assert len(reader._nodes._known) == 12
    reader._nodes = Nodes(counted)
    asked.clear()
    first = await reader.inclusion(3, 20)
    assert (await reader.inclusion(3, 20), asked) == (first, ["tiles"])
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET fasttrack.migration = 'on'; ALTER TABLE ledger.state DISABLE TRIGGER ALL")
        await connection.execute("DELETE FROM ledger.state")
    finally:
        await connection.close()
    assert (await reader.head()).size == 0
    assert not reader._nodes._known
    with pytest.raises(GatewayError):
        await reader.inclusion(3, 20)


async def test_reader_without_database_says_unavailable() -> None:
    """A reader without database refuses with a code and a time to come again."""
    pool = await asyncpg.create_pool("postgresql://nobody@127.0.0.1:1/none", min_size=0)
    with pytest.raises(GatewayError) as refused:
        await Reader(pool).head()
    await pool.close()
    assert refused.value.code is ErrorCode.LEDGER_UNAVAILABLE
    assert refused.value.retry_after_seconds


async def test_grants_remember_what_is_granted_only(pool: asyncpg.Pool[Any], batcher: Batcher) -> None:
    """A grant counts from the moment it is there; an upload grants to the uploader alone; memory has an end."""
    one, two, three = "1" * 64, "2" * 64, "3" * 64
    grants: MaterialGrants = Grants(pool, max_remembered=1)
    assert await grants.granted(PS, [one, two]) == set()
    await grants.grant(PS, one)
    await grants.grant(PS, one)
    await batcher.append(make_submit(materials=[two]))
    assert await grants.granted(PS, [one, two, three, one]) == {one, two}
    assert await grants.granted(PR, [one, two, three]) == {two}
    assert await grants.granted(CT, [one, two]) == set()
    assert await grants.granted(PR, []) == set()
