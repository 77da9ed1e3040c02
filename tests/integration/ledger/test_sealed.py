"""Content of a case is sealed for one place, with one key, and the ledger takes and gives it only with that key."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from gateway.core.entry import EntryKind, HandoffState
from gateway.core.errors import ErrorCode, GatewayError
from gateway.ledger.pool import open_pool
from gateway.ledger.reader import Reader
from gateway.ledger.sealed import KEY_SECONDS, CaseSeal, Sealer
from tests.integration.ledger.act import (
    ORIGIN,
    PR,
    PS,
    append_all,
    as_role,
    batcher_on,
    codes,
    committed,
    make_act,
    make_submit,
    new_case,
)
from tests.support.vault import MemoryVault

KEY = bytes(range(32))


def test_seal_opened_in_its_place_gives_the_content() -> None:
    """What was sealed comes back, empty content too, and the same content in the same place has the same bytes."""
    seal = CaseSeal(ORIGIN, "c" * 32, KEY)
    for content in (b"", b"x", "测试".encode("gb18030"), bytes(100_000)):
        sealed = seal.seal("bundle.record", "1", content)
        assert len(sealed) == len(content) + 17
        assert CaseSeal(ORIGIN, "c" * 32, KEY).seal("bundle.record", "1", content) == sealed
        assert seal.open("bundle.record", "1", sealed) == content


@pytest.mark.parametrize(
    ("origin", "case", "key", "column", "row"),
    [
        ("other.test", "c" * 32, KEY, "bundle.record", "1"),
        (ORIGIN, "d" * 32, KEY, "bundle.record", "1"),
        (ORIGIN, "c" * 32, KEY[::-1], "bundle.record", "1"),
        (ORIGIN, "c" * 32, KEY, "bundle.manifest_jws", "1"),
        (ORIGIN, "c" * 32, KEY, "bundle.record", "2"),
    ],
    ids=["log", "case", "key", "column", "row"],
)
def test_seal_moved_to_another_place_is_refused(origin: str, case: str, key: bytes, column: str, row: str) -> None:
    """A ciphertext that is moved to another log, case, column or row does not open there, nor with another key."""
    sealed = CaseSeal(ORIGIN, "c" * 32, KEY).seal("bundle.record", "1", b"content")
    with pytest.raises(GatewayError) as refused:
        CaseSeal(origin, case, key).open(column, row, sealed)
    assert refused.value.code is ErrorCode.SEAL_BROKEN


@pytest.mark.parametrize("change", [lambda s: b"", lambda s: s[:-1], lambda s: b"\2" + s[1:], lambda s: s + b"x"])
def test_seal_changed_is_refused(change: Any) -> None:
    """Cut, prolonged, of another version or empty: refused, without another error."""
    seal = CaseSeal(ORIGIN, "c" * 32, KEY)
    with pytest.raises(GatewayError) as refused:
        seal.open("detail.body", "7", change(seal.seal("detail.body", "7", b"content")))
    assert refused.value.code is ErrorCode.SEAL_BROKEN


async def test_sealer_asks_once_and_again_when_the_bound_is_over() -> None:
    """A key is asked for once per case; after the bound a destroyed one is refused, and the memory is bounded."""
    vault, now = MemoryVault(), [0.0]
    sealer = Sealer(ORIGIN, vault, clock=lambda: now[0], max_cases=2)
    for _ in range(3):
        await sealer.prepare({"a": True, "b": True})
    assert vault.made == [["a", "b"]]
    await vault.destroy("a")
    now[0] = KEY_SECONDS - 0.1
    assert isinstance((await sealer.look(["a"]))["a"], CaseSeal)
    now[0] = KEY_SECONDS
    found = (await sealer.look(["a"]))["a"]
    assert isinstance(found, GatewayError) and found.code is ErrorCode.CASE_DESTROYED
    await sealer.prepare({"c": True, "d": True, "e": True})
    assert len(sealer._held) == 2


async def test_sealer_with_a_vault_cut_short_makes_no_second_key() -> None:
    """A case that had content keeps its key or is a loss; a new one would hide that."""
    vault = MemoryVault()
    with pytest.raises(GatewayError) as refused:
        await Sealer(ORIGIN, vault).prepare({"old": False})
    assert refused.value.code is ErrorCode.CASE_KEY_MISSING
    assert vault.keys == {}


async def test_case_gets_one_key_with_its_first_content(database_url: str) -> None:
    """The first submit makes the key, a decision finds it; a refused call needs none."""
    vault, case = MemoryVault(), new_case()
    async with batcher_on(database_url, sealer=Sealer(ORIGIN, vault, key_seconds=0)) as batcher:
        submit = make_submit(case)
        await batcher.append(submit)
        await batcher.append(make_act(EntryKind.WITHDRAWN, submit.act_id, PS, detail=b"{}", detail_sha256="d" * 64))
        assert (vault.made, vault.found) == ([[case]], [[case]])
        assert codes(await append_all(batcher, [make_act(EntryKind.CLAIMED, submit.act_id, PR)])) == [
            ErrorCode.ALREADY_WITHDRAWN
        ]
    assert list(vault.keys) == [case]


@pytest.mark.parametrize("is_ahead", [True, False])
async def test_vault_down_stops_content_and_nothing_else(database_url: str, *, is_ahead: bool) -> None:
    """Of acts that wait together those with content hear VAULT_UNAVAILABLE, the others are committed."""
    vault = MemoryVault()
    async with batcher_on(database_url, sealer=Sealer(ORIGIN, vault, key_seconds=0), is_ahead=is_ahead) as batcher:
        submit = make_submit()
        await batcher.append(submit)
        vault.is_down = True
        claim = make_act(EntryKind.CLAIMED, submit.act_id, PR)
        results = await append_all(batcher, [make_submit(), claim, make_submit()])
        assert codes(results) == [ErrorCode.VAULT_UNAVAILABLE] * 2
        assert len(committed(results)) == 1
        vault.is_down = False
        assert len(committed(await append_all(batcher, [make_submit()]))) == 1


async def test_key_missing_fails_its_case_alone(database_url: str) -> None:
    """The loss of one key refuses the acts of that case, not those beside them."""
    vault, lost = MemoryVault(), new_case()
    async with batcher_on(database_url, sealer=Sealer(ORIGIN, vault, key_seconds=0)) as batcher:
        submit = make_submit(lost)
        await batcher.append(submit)
        del vault.keys[lost]
        withdraw = make_act(EntryKind.WITHDRAWN, submit.act_id, PS, detail=b"{}", detail_sha256="d" * 64)
        results = await append_all(batcher, [withdraw, make_submit(), make_submit()])
        assert codes(results) == [ErrorCode.CASE_KEY_MISSING]
        assert len(committed(results)) == 2


async def test_reader_shows_what_opens_and_refuses_what_was_swapped(database_url: str) -> None:
    """Two rows exchange their records: both are refused, the inbox still lists them, and nothing is given out."""
    vault = MemoryVault()
    one, other = make_submit(), make_submit()
    async with batcher_on(database_url, sealer=Sealer(ORIGIN, vault)) as batcher:
        await append_all(batcher, [one, other])
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET fasttrack.migration = 'on'; ALTER TABLE ledger.bundle DISABLE TRIGGER ALL")
    await connection.execute(
        "UPDATE ledger.bundle AS b SET record = o.record, case_number = o.case_number FROM ledger.bundle AS o"
        " WHERE o.handoff_id <> b.handoff_id"
    )
    await connection.close()
    pool = await open_pool(as_role(database_url, "fasttrack_gateway"))
    try:
        reader = Reader(pool, Sealer(ORIGIN, vault))
        rows = await reader.inbox(PR, [HandoffState.OFFERED], after_index=-1, limit=9)
        assert [row.case_number for row in rows] == ["", ""]
        for handoff in (one.act_id, other.act_id):
            with pytest.raises(GatewayError) as refused:
                await reader.handoff(handoff)
            assert refused.value.code is ErrorCode.SEAL_BROKEN
    finally:
        await pool.close()
