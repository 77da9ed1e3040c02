"""The signer against a real database that was restored, forked, shortened or changed behind its back."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from gateway.core.log.checkpoint import verify_checkpoint
from gateway.core.log.cosignature import cosign
from gateway.core.log.merkle import ProofError, verify_consistency
from gateway.core.log.note import VerifierKey
from gateway.core.port.seal import MemoryLostError, SeenTree, StoredCheckpoint
from gateway.flows.seal import Sealer, SealFault, SealRefusedError
from gateway.ledger.checkpoint import CheckpointStore, SignerLedger
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.ledger.pool import open_pool
from gateway.ledger.reader import Reader
from gateway.trust.tree_memory import FileMemory
from tests.integration.ledger.act import ORIGIN, as_role, batcher_on, make_submit
from tests.support.notes import TIME, make_key, make_witness
from tests.support.postgres import create_database, database_dropped

KEY = make_key(ORIGIN)
LOG: VerifierKey = KEY.verifier


@dataclass(slots=True)
class Rig:
    """A signer on a database.

    Args:
        dsn: of the database, as superuser.
        state: its state file.
    """

    dsn: str
    state: Path

    async def append(self, count: int) -> None:
        """Append entries, each in a batch of its own."""
        async with batcher_on(self.dsn) as batcher:
            for _ in range(count):
                await batcher.append(make_submit())

    @asynccontextmanager
    async def sealer(self) -> AsyncIterator[Sealer]:
        """A signer with its state file, which it makes when there is none."""
        memory = FileMemory(self.state, ORIGIN)
        if not self.state.exists():
            memory.create()
        pool = await open_pool(as_role(self.dsn, "fasttrack_signer"), max_connections=1)
        try:
            with memory:
                yield Sealer(ledger=SignerLedger(pool), memory=memory, key=KEY, clock=lambda: datetime.now(UTC))
        finally:
            await pool.close()

    async def seal(self) -> StoredCheckpoint | None:
        """Start a signer, sign once, stop it."""
        async with self.sealer() as sealer:
            return await sealer.seal()

    async def fault(self) -> SealFault:
        """Why a signer refuses; it must leave its memory alone."""
        before = self.state.read_bytes()
        with pytest.raises(SealRefusedError) as refused:
            await self.seal()
        assert self.state.read_bytes() == before
        return refused.value.fault

    async def tamper(self, *statements: str) -> None:
        """Change what must not be changed, as a superuser who knows every switch."""
        connection = await asyncpg.connect(self.dsn)
        await connection.execute("SET fasttrack.migration = 'on'")
        for table in ("entry", "state", "receipt", "checkpoint"):
            await connection.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL")
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    async def sizes(self) -> list[int]:
        """Sizes of all checkpoints."""
        connection = await asyncpg.connect(self.dsn)
        rows = await connection.fetch("SELECT size FROM ledger.checkpoint ORDER BY size, signed_at")
        await connection.close()
        return [row["size"] for row in rows]


@pytest.fixture
def rig(database_url: str, tmp_path: Path) -> Rig:
    """A signer that has signed nothing yet."""
    return Rig(database_url, tmp_path / "state" / "signer.json")


@contextmanager
def copied(server: EmbeddedPostgres, rig: Rig) -> Iterator[Rig]:
    """A backup of the database, in a database of its own, under the same signer."""
    with database_dropped(server) as name:
        create_database(server, name, template=re.findall(r"/(test_[0-9a-f]{32})\?", rig.dsn)[0])
        yield replace(rig, dsn=server.dsn(name))


async def test_signer_signs_each_new_head_once(rig: Rig) -> None:
    """Every head continues the one before; nothing new is nothing to say."""
    assert await rig.seal() is None
    await rig.append(1)
    first = await rig.seal()
    assert await rig.seal() is None
    await rig.append(300)
    second = await rig.seal()
    assert first is not None and second is not None
    heads = [verify_checkpoint(item.note, LOG)[0] for item in (first, second)]
    assert [head.size for head in heads] == [1, 301] == await rig.sizes()
    pool = await open_pool(rig.dsn, max_connections=1)
    proof, _, _ = await Reader(pool).consistency(1, 301)
    await pool.close()
    verify_consistency(1, 301, heads[0].root, heads[1].root, proof)
    with pytest.raises(ProofError):
        verify_consistency(1, 301, heads[0].root, bytes(32), proof)


async def test_signer_refuses_a_database_that_lost_its_tail(rig: Rig) -> None:
    """What was signed must be there."""
    await rig.append(5)
    await rig.seal()
    await rig.tamper(
        *(f"DELETE FROM ledger.{table} WHERE {gone}" for table, gone in (
            ("entry", "seq >= 3"), ("receipt", "seq >= 3"), ("state", "size > 3"), ("checkpoint", "true"),
        ))
    )  # fmt: skip
    assert await rig.fault() is SealFault.SMALLER_TREE
    # Also when it has grown beyond the old size again: it is another tree.
    await rig.append(6)
    assert await rig.fault() is SealFault.FORK


@pytest.mark.parametrize("grown", [0, 1, 2, 5])
async def test_signer_refuses_a_restored_backup(rig: Rig, postgres_server: EmbeddedPostgres, grown: int) -> None:
    """A backup went its own way from the moment it was made, whether it is smaller, as large or larger."""
    await rig.append(3)
    await rig.seal()
    with copied(postgres_server, rig) as backup:
        await rig.append(2)
        await rig.seal()
        await backup.append(grown)
        assert await backup.fault() is (SealFault.SMALLER_TREE if grown < 2 else SealFault.FORK)


async def test_signer_accepts_a_backup_that_lost_nothing(rig: Rig, postgres_server: EmbeddedPostgres) -> None:
    """A database that was moved with all it had is the same log."""
    await rig.append(3)
    await rig.seal()
    with copied(postgres_server, rig) as moved:
        await moved.append(1)
        checkpoint = await moved.seal()
        assert checkpoint is not None and checkpoint.size == 4


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE ledger.entry SET leaf = leaf || 'x'::bytea WHERE seq = 4", SealFault.ENTRY_MISMATCH),
        ("UPDATE ledger.entry SET leaf = 'x'::bytea WHERE seq = 4", SealFault.ENTRY_MISMATCH),
        ("UPDATE ledger.entry SET leaf_hash = sha256('x') WHERE seq = 4", SealFault.ENTRY_MISMATCH),
        ("UPDATE ledger.entry SET leaf = (SELECT leaf FROM ledger.entry WHERE seq = 1), leaf_hash = "
         "(SELECT leaf_hash FROM ledger.entry WHERE seq = 1) WHERE seq = 4", SealFault.ENTRY_MISMATCH),
        ("DELETE FROM ledger.entry WHERE seq = 3", SealFault.ENTRY_MISSING),
        ("DELETE FROM ledger.entry WHERE seq = 4", SealFault.ENTRY_MISSING),
        ("DELETE FROM ledger.entry WHERE seq = 5", SealFault.ENTRY_MISSING),
        ("UPDATE ledger.entry SET seq = 100 WHERE seq = 4", SealFault.ENTRY_MISSING),
        ("UPDATE ledger.state SET root = sha256('x') WHERE size = 6", SealFault.FORK),
        ("DELETE FROM ledger.state WHERE size > 2", SealFault.SMALLER_TREE),
    ],
)  # fmt: skip
async def test_signer_refuses_new_entries_that_do_not_hash_to_the_stated_root(
    rig: Rig, statement: str, fault: SealFault
) -> None:
    """It believes no stored hash: each new record is hashed again, and the root must come out."""
    await rig.append(3)
    await rig.seal()
    await rig.append(3)
    await rig.tamper(statement)
    assert await rig.fault() is fault
    assert await rig.sizes() == [3]


async def test_signer_refuses_another_root_for_the_size_it_signed(rig: Rig) -> None:
    """A head that was signed stays what it was."""
    await rig.append(3)
    await rig.seal()
    await rig.tamper("UPDATE ledger.state SET root = sha256('x') WHERE size = 3")
    assert await rig.fault() is SealFault.FORK


async def test_signer_refuses_with_an_older_state_file(rig: Rig) -> None:
    """A state file from a backup would let a fork pass; the ledger's own checkpoints tell."""
    await rig.append(2)
    await rig.seal()
    older = rig.state.read_bytes()
    await rig.append(2)
    await rig.seal()
    rig.state.write_bytes(older)
    assert await rig.fault() is SealFault.STATE_OLD


@pytest.mark.parametrize("note", ["nonsense", make_key("x").name])
async def test_signer_refuses_beside_a_checkpoint_that_is_none(rig: Rig, note: str) -> None:
    """Somebody wrote into the table of checkpoints: that is for a person to look at."""
    await rig.append(2)
    await rig.seal()
    await rig.tamper(f"UPDATE ledger.checkpoint SET note = '{note}'")
    assert await rig.fault() is SealFault.CHECKPOINT_INVALID


async def test_signer_killed_between_memory_and_checkpoint_signs_the_same_head_afterwards(rig: Rig) -> None:
    """The memory is durable before anything is signed, and what was remembered is signed after the restart."""
    await rig.append(2)
    async with rig.sealer() as sealer:

        class Dying(SignerLedger):
            async def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
                raise ConnectionError

        dying = replace(sealer, ledger=Dying(sealer.ledger._pool))  # type: ignore[attr-defined]
        with pytest.raises(ConnectionError):
            await dying.seal()
        assert sealer.memory.tree.size == 2
    assert await rig.sizes() == []
    checkpoint = await rig.seal()
    assert checkpoint is not None and checkpoint.size == 2


async def test_signer_state_is_held_by_one_process(rig: Rig) -> None:
    """Two signers with one key would sign two histories."""
    async with rig.sealer():
        with pytest.raises(MemoryLostError, match="another process"), FileMemory(rig.state, ORIGIN):
            pass
    with pytest.raises(MemoryLostError, match="another log"), FileMemory(rig.state, "other.invalid"):
        pass


async def test_signer_whose_state_is_exchanged_while_it_runs_signs_nothing(rig: Rig) -> None:
    """The file is compared before it is replaced, so an older copy under a running signer is found."""
    await rig.append(1)
    async with rig.sealer() as sealer:
        await sealer.seal()
        older = rig.state.read_bytes()
        await rig.append(1)
        await sealer.seal()
        rig.state.write_bytes(older)
        await rig.append(1)
        with pytest.raises(SealRefusedError) as refused:
            await sealer.seal()
    assert refused.value.fault is SealFault.STATE_LOST
    assert await rig.sizes() == [1, 2]


async def test_checkpoints_are_read_back_with_their_cosignatures(rig: Rig) -> None:
    """The quorum counts witnesses, not lines, and the newest line of each is given."""
    await rig.append(2)
    checkpoint = await rig.seal()
    assert checkpoint is not None
    text = verify_checkpoint(checkpoint.note, LOG)[1].text
    pool = await open_pool(as_role(rig.dsn, "fasttrack_gateway"), max_connections=2)
    store = CheckpointStore(pool)
    names = ["w1", "w2"]
    lines = {}
    for name, time in (("w1", TIME), ("w1", TIME + 5), ("w2", TIME + 1), ("stranger", TIME)):
        lines[name] = cosign(text, make_witness(name), time).to_line()
        await asyncio.gather(*(store.add_cosignature(2, name, time, lines[name]) for _ in range(2)))
        assert await store.quorum_size(names, 2) == (2 if name in ("w2", "stranger") else 0)
    assert await store.cosignatures(2, names) == [lines["w1"], lines["w2"]]
    assert len(await store.cosignatures(2, [])) == 3
    assert [await store.cosigned_size(name) for name in ("w1", "nobody")] == [2, 0]
    latest = await store.latest()
    assert latest is not None and (latest.size, latest.note) == (2, checkpoint.note) == (2, await store.of_size(2))
    assert await store.of_size(1) is None
    await pool.close()


async def test_state_file_is_replaced_whole_and_only_from_what_is_known(tmp_path: Path) -> None:
    """Compare and swap: who knows another tree than the one in the file changes nothing."""
    memory = FileMemory(tmp_path / "state.json", ORIGIN)
    memory.create()
    with pytest.raises(MemoryLostError, match="already"):
        memory.create()
    tree = SeenTree(ORIGIN, 7, bytes(range(32)))
    with memory:
        await memory.swap(SeenTree(ORIGIN), tree)
        with pytest.raises(MemoryLostError, match="changed"):
            await memory.swap(SeenTree(ORIGIN), replace(tree, size=8))
        assert memory.tree == tree
    with pytest.raises(MemoryLostError, match="not held"):
        await memory.swap(tree, replace(tree, size=8))
    with FileMemory(tmp_path / "state.json", ORIGIN) as again:
        assert again.tree == tree
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.json", "state.json.lock"]


ZERO, ONE = "00" * 32, "11" * 32


def state_text(size: object, root: str, frontier: str = "") -> str:
    """A state file with one thing wrong."""
    return json.dumps({"origin": ORIGIN, "size": size, "root": root, "frontier": frontier})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"origin": "ledger.test", "size": 1}',
        "\xff",
        state_text(-1, ZERO),
        state_text(True, ZERO),
        state_text(1, "00"),
        state_text(1, "zz"),
        state_text(1, ZERO, ONE),
        state_text(3, ZERO, ZERO),
        " " * 70_000,
    ],
)
def test_state_file_that_is_damaged_is_refused(tmp_path: Path, text: str) -> None:
    """A signer with half a memory does not start."""
    path = tmp_path / "state.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MemoryLostError), FileMemory(path, ORIGIN):
        pass
