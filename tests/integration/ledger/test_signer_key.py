"""Keys in the ledger: of a revocation and a submit that race, the order of their entries decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import asyncpg
import pytest

from gateway.core.command import Command
from gateway.core.entry import OWN_KINDS, EntryKind
from gateway.core.errors import ErrorCode
from gateway.core.log.key_history import KeyHistory, RevocationReason, Standing
from gateway.core.log.registration import KeyFacts, register_adapter, register_key, register_rule_set, revoke_key
from gateway.core.port.ledger import Appended
from gateway.ledger.pool import open_pool
from gateway.ledger.signer_key import KeyStore
from gateway.ledger.watch import Watch
from tests.integration.ledger.act import (
    PS,
    append_all,
    as_role,
    batcher_on,
    codes,
    committed,
    make_submit,
    read_ledger,
)

KEY = KeyFacts("1" * 64, "2" * 64, str(PS), "EdDSA", b"certificate")
RENEWED = replace(KEY, key_id="3" * 64, certificate=b"renewed")
GOOD = KeyFacts("4" * 64, "5" * 64, str(PS), "ES256", b"other")
REVOKE = revoke_key(KEY, RevocationReason.KEY_COMPROMISE)


def signed(key: KeyFacts = KEY) -> Command:
    """A submit that a key signed."""
    return make_submit(signer_key=key.key_id, public_key_sha256=key.public_key_sha256)


@pytest.mark.parametrize("is_ahead", [True, False])
async def test_revocation_among_submits_of_two_processes_parts_them(database_url: str, *, is_ahead: bool) -> None:
    """64 submits by two batchers around a revocation: every accepted one has a smaller index, the rest is refused."""
    async with (
        batcher_on(database_url, is_ahead=is_ahead) as one,
        batcher_on(database_url, is_ahead=is_ahead) as other,
        batcher_on(database_url) as operator,
    ):
        await operator.append(register_key(KEY))
        before = await append_all(one, [signed() for _ in range(8)])
        around = [asyncio.create_task(append_all(batcher, [signed()])) for _ in range(32) for batcher in (one, other)]
        await asyncio.wait(around, return_when=asyncio.FIRST_COMPLETED)
        revoked = await operator.append(REVOKE)
        results = [result for task in around for result in await task]
        after = await append_all(one, [signed() for _ in range(8)]) + await append_all(other, [signed()])
    assert all(isinstance(result, Appended) for result in before)
    assert all(appended.index < revoked.index for appended in committed([*before, *results]))
    assert set(codes(results)) <= {ErrorCode.KEY_REVOKED}
    assert codes(after) == [ErrorCode.KEY_REVOKED] * 9
    entries = await read_ledger(database_url)
    history = KeyHistory.of(entries)
    submits = [entry for entry in entries if entry.kind is EntryKind.SUBMITTED]
    assert len(submits) == len(committed([*before, *results]))
    assert {history.judge(entry.signer_key, entry.index) for entry in submits} == {Standing.VALID}


async def test_revocation_and_submits_of_one_batch_are_decided_in_order(database_url: str) -> None:
    """In one transaction too: what came before the revocation is taken, what came after is not."""
    async with batcher_on(database_url, is_ahead=False) as batcher:
        await batcher.append(register_key(KEY))
        results = await append_all(batcher, [signed(), REVOKE, signed(), signed(RENEWED)])
    assert [isinstance(result, Appended) for result in results] == [True, True, False, False]
    assert codes(results) == [ErrorCode.KEY_REVOKED] * 2


async def test_revocation_reaches_the_next_batch_that_is_decided_ahead(database_url: str) -> None:
    """A batch that is decided while the revocation is still being written knows of it."""
    async with batcher_on(database_url, max_batch=1) as batcher:
        await batcher.append(register_key(KEY))
        results = await append_all(batcher, [signed(), REVOKE, *(signed() for _ in range(6))])
    assert codes(results) == [ErrorCode.KEY_REVOKED] * 6


async def test_key_that_the_ledger_does_not_know_is_refused(database_url: str) -> None:
    """A gateway that believes in a key which no entry registered cannot bring its bundle in."""
    async with batcher_on(database_url) as batcher:
        results = await append_all(batcher, [signed(GOOD), register_key(KEY), signed(KEY)])
    assert codes(results) == [ErrorCode.KEY_NOT_REGISTERED]


async def test_replay_after_the_revocation_gives_the_first_receipt_again(database_url: str) -> None:
    """Who lost its receipt gets it, though its key no longer counts."""
    submit = signed()
    async with batcher_on(database_url) as batcher:
        await batcher.append(register_key(KEY))
        first = await batcher.append(submit)
        await batcher.append(REVOKE)
        again = await batcher.append(submit)
    assert again == replace(first, is_replay=True)


async def test_registration_by_two_processes_at_once_is_one_entry(database_url: str) -> None:
    """Gateways that start together do not register twice; neither does a restart."""
    acts = [
        register_key(KEY),
        register_key(GOOD),
        register_rule_set("r/1", "0" * 64),
        register_adapter("a 1", "1", "f"),
    ]
    async with batcher_on(database_url) as one, batcher_on(database_url) as other:
        answers = await asyncio.gather(*(append_all(batcher, acts) for batcher in (one, other, one)))
        late = await append_all(other, acts)
    assert len({tuple(committed(answer)[at].index for answer in answers) for at in range(4)}) == 4
    assert all(appended.is_replay for appended in committed(late))
    assert [entry.kind for entry in await read_ledger(database_url)].count(EntryKind.KEY_REGISTERED) == 2
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM ledger.signer_key") == 2
    await connection.close()


async def test_registration_after_the_revocation_is_refused_for_every_certificate(database_url: str) -> None:
    """A revoked key comes back neither by another certificate nor by one that was never registered."""
    async with batcher_on(database_url) as batcher:
        await batcher.append(REVOKE)
        results = await append_all(batcher, [register_key(KEY), register_key(RENEWED), register_key(GOOD)])
    assert codes(results) == [ErrorCode.KEY_REVOKED] * 2


async def test_second_revocation_changes_nothing(database_url: str) -> None:
    """The first reason stays, by whichever certificate and reason it is asked again."""
    async with batcher_on(database_url) as batcher:
        first = await batcher.append(REVOKE)
        again = await batcher.append(revoke_key(RENEWED, RevocationReason.SUPERSEDED))
    assert (again.index, again.leaf, again.is_replay) == (first.index, first.leaf, True)


async def test_own_acts_have_no_receipt_and_wake_the_followers_of_keys(
    database_url: str, as_oversight: Callable[[str], str]
) -> None:
    """Nobody is owed a receipt for them; every process hears of a key at once; oversight reads the certificates."""
    watch = Watch(as_role(database_url, "fasttrack_gateway"), heartbeat_seconds=60)
    await watch.start()
    async with batcher_on(database_url) as batcher, watch.subscribe("signer_keys") as wake_ups:
        while not watch.connections:
            await asyncio.sleep(0.01)
        woken = wake_ups()
        await anext(woken)
        results = await append_all(batcher, [register_key(KEY), REVOKE, register_rule_set("r/1", "0" * 64)])
        async with asyncio.timeout(5):
            await anext(woken)
    await watch.stop()
    assert [appended.receipt_jws for appended in committed(results)] == ["", "", ""]
    pool = await open_pool(as_oversight(database_url), max_connections=2)
    records = await KeyStore(pool).keys()
    later = await KeyStore(pool).keys(records[0].entry.index)
    versions = await KeyStore(pool).registrations()
    await pool.close()
    assert [(record.entry.kind, record.certificate) for record in records] == [
        (EntryKind.KEY_REGISTERED, b"certificate"),
        (EntryKind.KEY_REVOKED, b"certificate"),
    ]
    assert later == records[1:]
    assert {entry.kind for entry in versions} < OWN_KINDS and versions[0].rule_set == "r/1"


@pytest.fixture
def as_oversight() -> Callable[[str], str]:
    """The same database as oversight sees it."""
    return lambda dsn: as_role(dsn, "fasttrack_oversight")
