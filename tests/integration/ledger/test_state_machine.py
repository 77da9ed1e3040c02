"""Random procedural acts on a real ledger: it decides what the core decides, and an auditor comes to the same."""

from __future__ import annotations

import random

import asyncpg

from gateway.audit.case_replay import CaseReplay
from gateway.audit.finding import AuditFinding
from gateway.core.errors import GatewayError
from gateway.core.handoff import CaseHead
from gateway.ledger.fsck_source import open_source
from gateway.ledger.pool import open_pool
from gateway.ledger.reader import Reader
from tests.integration.ledger.act import as_role, batcher_on
from tests.support.random_case import CASES, RandomCase
from tests.unit.core.procedure.test_state_machine import World


async def test_random_acts_on_a_real_ledger_are_those_of_the_core(database_url: str) -> None:
    """What the core refuses the ledger refuses; tracks are read back as they were decided; a replay finds nothing."""
    rng, world, recorded = random.Random(7), World(), 0
    draw = RandomCase(rng.choice)
    async with batcher_on(database_url) as batcher:
        for _ in range(250):
            case = rng.choice(CASES)
            head = world.cases.get(case, CaseHead())
            open_ones = [h for h in world.handoffs.values() if h.case == case and h.state in ("offered", "fetched")]
            what = rng.choice(("submit", "state", "state", "decide", "decide", "decide"))
            if what == "decide" and open_ones:
                command = draw.decide(open_ones)
            elif what == "state":
                command = draw.state(case, head.state.stage, head.state.holder, head.tracks)
            else:
                command = draw.submit(case, head.state.stage, head.state.holder)
            expected = world.act(command)
            try:
                await batcher.append(command)
            except GatewayError:
                assert expected is None
            else:
                assert expected is not None
                recorded += 1
    assert recorded > 40
    pool = await open_pool(as_role(database_url, "fasttrack_gateway"), max_connections=1)
    try:
        for case, head in world.cases.items():
            assert await Reader(pool).tracks(case) == head.tracks
    finally:
        await pool.close()
    found: list[AuditFinding] = []
    async with open_source(database_url) as source:
        replay = CaseReplay(found.append)
        async for page in source.entries(0, 1):
            replay.add([tuple(row) for row in page])
    assert (found, replay.checked) == ([], recorded)


async def test_track_row_changed_in_the_database_is_named(database_url: str) -> None:
    """Whoever changes how a person stands is found by the digest, by the columns and by the next decision."""
    rng, world = random.Random(3), World()
    draw = RandomCase(rng.choice)
    async with batcher_on(database_url) as batcher:
        for _ in range(80):
            case = rng.choice(CASES)
            head = world.cases.get(case, CaseHead())
            command = draw.state(case, head.state.stage, head.state.holder, head.tracks)
            if world.act(command) is not None:
                await batcher.append(command)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("ALTER TABLE ledger.track DISABLE TRIGGER insert_only")
    except asyncpg.InsufficientPrivilegeError:
        await connection.execute("SET fasttrack.migration = 'on'")
        await connection.execute("ALTER TABLE ledger.track DISABLE TRIGGER insert_only")
    await connection.execute(
        "UPDATE ledger.track SET body = convert_to(replace(convert_from(body, 'UTF8'), '\"act\"', '\"cat\"'),"
        " 'UTF8') WHERE seq = (SELECT max(seq) FROM ledger.track)"
    )
    await connection.close()
    found: list[AuditFinding] = []
    async with open_source(database_url) as source:
        replay = CaseReplay(found.append)
        async for page in source.entries(0, 1):
            replay.add([tuple(row) for row in page])
    assert {"track-digest", "decision"} <= {finding.check for finding in found}
