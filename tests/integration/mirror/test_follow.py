"""What a mirror holds after it followed a real ledger."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from gateway.core.entry import OWN_KINDS, from_leaf, leaf_hash
from gateway.core.identity import Agency
from gateway.core.log.merkle import to_hashes
from gateway.ledger.mirror_source import MirrorReader
from gateway.ledger.pool import open_pool
from gateway.ledger.sealed import Sealer
from tests.integration.mirror.conftest import OV, PARTIES, MirroredLog
from tests.support.audit import merkle_root
from tests.support.vault import DerivedVault
from tests.tamper.story import ORIGIN, PR, PS


async def rows_of(log: MirroredLog, statement: str) -> list[Any]:
    """Rows of the ledger."""
    connection = await asyncpg.connect(log.dsn)
    rows = await connection.fetch(statement)
    await connection.close()
    return list(rows)


@pytest.mark.parametrize("agency", [*PARTIES, OV], ids=str)
@pytest.mark.parametrize("page_size", [0, 7])
async def test_mirror_when_followed_holds_every_hash_and_the_entries_of_its_agency(
    log: MirroredLog, agency: Agency, page_size: int
) -> None:
    """All leaf hashes lead to the signed root, and of the leaves exactly those are there that the agency may see."""
    followed = await log.follow(agency, page_size=page_size)
    ledger = await rows_of(log, "SELECT seq, leaf, leaf_hash FROM ledger.entry ORDER BY seq")
    content = log.content(agency)
    assert followed.size == len(ledger)
    tiles = [data for level, _, _, data in content["tile"] if level == 0]
    hashes = to_hashes(b"".join(tiles) + next(data for level, data in content["edge"] if level == 0))
    assert hashes == [row["leaf_hash"] for row in ledger]
    assert content["head"][-1][1] == merkle_root(hashes)
    entries = [from_leaf(row["leaf"]) for row in ledger]
    given = await statements_given(log, agency)
    seen = [
        entry.index
        for entry in entries
        if agency == OV
        or entry.index in given
        or entry.kind in OWN_KINDS
        or str(agency) in (entry.sender, entry.receiver, entry.actor, *entry.notified)
    ]
    assert [row[0] for row in content["entry"]] == seen
    assert all(leaf_hash(leaf) == hashes[seq] for seq, leaf, _ in content["entry"])
    states = await rows_of(log, "SELECT size FROM ledger.state ORDER BY size")
    assert [row[0] for row in content["batch"]] == [row["size"] for row in states]
    receipts = await rows_of(log, "SELECT seq, jws FROM ledger.receipt ORDER BY seq")
    assert [(first, jws) for _, first, jws in content["batch"] if jws] == [tuple(row) for row in receipts]


@pytest.mark.parametrize("most_bytes", [0, 4_000])
async def test_stretch_when_content_is_large_ends_before_more_is_read(log: MirroredLog, most_bytes: int) -> None:
    """Who asks for a page makes the gateway read a bounded amount, also of what others wrote beside their entries."""
    pool = await open_pool(log.dsn.replace("postgres@", "fasttrack_gateway@", 1), max_connections=1)
    sealer = Sealer(ORIGIN, DerivedVault())
    try:
        whole = (await MirrorReader(pool, sealer).stretch(0, 256)).rows
        found = (await MirrorReader(pool, sealer, most_bytes=most_bytes).stretch(0, 256)).rows
    finally:
        await pool.close()
    assert 0 < len(found) < len(whole) and found == whole[: len(found)]
    *fitting, _ = [sum(map(len, row.beside.values())) for row in found]
    assert sum(fitting) <= most_bytes


READERS = {"procedural-act": ("ps", "pr", "ct"), "case-progress": ("ps",), "material-request": ("ps", "pr", "ct")}
"""Of the types that the story states about a case; written again here, so that a form that changes is noticed."""


async def statements_given(log: MirroredLog, agency: Agency) -> dict[int, str]:
    """Indices of statements of others that an agency may read: by its role, and as a party of the case."""
    parties = {
        (row["case_id"], row["agency"])
        for row in await rows_of(
            log,
            "SELECT case_id, unnest(ARRAY[sender, receiver]) AS agency FROM ledger.entry WHERE kind = 'submitted'",
        )
    }
    stated = await rows_of(log, "SELECT seq, issuer, statement_type, case_id FROM ledger.statement WHERE case_id > ''")
    return {
        row["seq"]: row["statement_type"]
        for row in stated
        if row["issuer"] != str(agency)
        and agency.role.value in READERS[row["statement_type"]]
        and (row["case_id"], str(agency)) in parties
    }


@pytest.mark.parametrize("agency", [*PARTIES, OV], ids=str)
async def test_mirror_holds_the_statements_that_its_agency_may_read(log: MirroredLog, agency: Agency) -> None:
    """Its own with all that they brought, those of others as they were signed and nothing else, and no other."""
    await log.follow(agency)
    given = await statements_given(log, agency)
    own = {row["seq"] for row in await rows_of(log, f"SELECT seq FROM ledger.statement WHERE issuer = '{agency}'")}
    beside: dict[int, set[str]] = {}
    for seq, name, _, _ in log.content(agency)["beside"]:
        beside.setdefault(seq, set()).add(name)
    assert {seq for seq, names in beside.items() if "statement_jws" in names} == own | given.keys()
    assert all(beside[seq] == {"statement_jws"} for seq in given)
    if agency in (PS, PR):
        assert own and given


@pytest.mark.parametrize("is_new", [False, True], ids=["kept before", "made afterwards"])
async def test_mirror_drops_what_can_be_read_of_a_destroyed_case(log: MirroredLog, is_new: bool) -> None:
    """Bundles, texts and statements of the case are gone, those of others too; each leaf is proved as before."""
    row = (await rows_of(log, "SELECT case_id FROM ledger.statement WHERE issuer = 'ps:999001' ORDER BY seq"))[0]
    case = row["case_id"]
    agencies = (PS, PR)
    before = {}
    for agency in agencies:
        if not is_new:
            await log.follow(agency)
            before[agency] = log.content(agency)
            assert of_case(before[agency]["beside"], case) and of_case(before[PS]["bundle"], case)
    await log.story.destroy(log.dsn, case)
    for agency in agencies:
        followed = await log.follow(agency)
        content = log.content(agency)
        assert {row[1] for row in of_case(content["beside"], case)} <= {"facts", "tracks"}
        assert of_case(content["bundle"], case) == []
        assert [row[0] for row in content["destroyed"]] == [case]
        # What is another case's stays, and so does the proof of every entry.
        tiles = [data for level, _, _, data in content["tile"] if level == 0]
        hashes = to_hashes(b"".join(tiles) + next(data for level, data in content["edge"] if level == 0))
        assert (followed.size, content["head"][-1][1]) == (len(hashes), merkle_root(hashes))
        assert all(leaf_hash(leaf) == hashes[seq] for seq, leaf, _ in content["entry"])
        assert of_case(content["entry"], case)
        if not is_new:
            for table in ("beside", "bundle", "entry"):
                assert {row for row in before[agency][table] if case not in row} <= set(content[table])


def of_case(rows: list[Any], case: str) -> list[Any]:
    """Rows of a case."""
    return [row for row in rows if case in row]


async def test_mirror_when_followed_holds_all_seals(log: MirroredLog) -> None:
    """Checkpoints, cosignatures, time stamps and gaps are everybody's."""
    await log.follow(OV)
    expected = {}
    for what in ("checkpoint", "cosignature", "timestamp_token", "timestamp_gap"):
        expected[what] = len(await rows_of(log, f"SELECT FROM ledger.{what}"))
    seals = log.content(OV)["seal"]
    assert {what: sum(row[0] == what for row in seals) for what in expected} == expected
    assert min(expected.values()) > 0


async def test_mirror_holds_the_bundles_that_its_agency_submitted(mirrored: MirroredLog) -> None:
    """What a receiver may read is for Fetch to decide and to record; the copy is no way round it."""
    offered = await rows_of(mirrored, "SELECT handoff_id, sender FROM ledger.entry WHERE kind = 'submitted'")
    for agency in (*PARTIES, OV):
        own = {str(row["handoff_id"]) for row in offered if row["sender"] == str(agency)}
        assert {row[0] for row in mirrored.content(agency)["bundle"]} == own
    assert mirrored.content(PS)["bundle"] and mirrored.content(PR)["bundle"]


async def test_mirror_of_others_holds_nothing_to_read(mirrored: MirroredLog) -> None:
    """A text or a fact beside an entry is for those who may read it."""
    content = mirrored.content(OV)
    assert {row[1] for row in content["beside"]} == {"certificate"}
    assert content["bundle"] == []


async def test_mirror_when_followed_again_adds_and_changes_nothing(log: MirroredLog) -> None:
    """A round without news leaves every byte; a cosignature that came late is taken."""
    await log.follow(PS)
    before = log.content(PS)
    again = await log.follow(PS)
    assert (again.entries, again.bundles, again.seals) == (0, 0, 0)
    assert log.content(PS) == before


async def test_mirror_when_the_log_grows_continues_where_it_was(log: MirroredLog) -> None:
    """What was kept stays byte for byte, and the new entries stand after it."""
    connection = await asyncpg.connect(log.dsn)
    last = await connection.fetch("SELECT * FROM ledger.checkpoint ORDER BY size")
    await connection.close()
    early = log.gateway(PS)
    first = last[0]
    from gateway.flows.cosign import Offer

    early.offer = Offer(first["size"], first["note"].encode())
    followed = await log.follow(PS, early)
    assert followed.size == first["size"]
    before = log.content(PS)
    later = await log.follow(PS)
    assert later.size == last[-1]["size"] > first["size"]
    after = log.content(PS)
    for table in ("head", "tile", "batch", "entry", "beside", "bundle", "seal"):
        assert set(before[table]) <= set(after[table])
