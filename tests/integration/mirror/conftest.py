"""A ledger with an entry of every kind, mirrors of its agencies, and a gateway that can be made to lie to them."""

from __future__ import annotations

import asyncio
import base64
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest

from gateway.app import statement_forms
from gateway.audit.mirror import Followed, Mirror
from gateway.audit.mirror_file import FILE, create_mirror
from gateway.audit.mirror_store import MirrorStore
from gateway.core.form.book import load_form_book
from gateway.core.identity import Agency, parse_agency
from gateway.core.log.mirror import LogOffer, LogPage, SealRow
from gateway.core.log.witness_policy import WitnessPolicy
from gateway.flows.cosign import Offer
from gateway.flows.mirror import list_entries, list_seals
from gateway.flows.parts import Parts
from gateway.flows.witness import offer_checkpoint
from gateway.ledger.checkpoint import CheckpointStore
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.ledger.mirror_source import MirrorReader
from gateway.ledger.pool import open_pool
from gateway.ledger.reader import Reader
from gateway.ledger.sealed import Sealer
from tests.support.postgres import create_database, database_dropped
from tests.support.vault import DerivedVault
from tests.tamper.story import CT, JA, ORIGIN, PR, PS, Story

OV = parse_agency("ov:999001")
PARTIES = (PS, PR, CT, JA)


@dataclass(slots=True)
class StoryGateway:
    """A gateway's side of mirroring over a real database, without the wire; implements ``MirrorGateway``.

    Args:
        dsn: of the database.
        agency: who calls.
        page_size: entries of a page, 0 for the default.
        lie: changes a page of entries before it is given.
        lie_of_seals: changes a page of seals.
        offer: what is offered instead of the newest checkpoint.
    """

    dsn: str
    agency: Agency
    page_size: int = 0
    lie: Callable[[LogPage], LogPage] = lambda page: page
    lie_of_seals: Callable[[Sequence[SealRow]], Sequence[SealRow]] = lambda rows: rows
    offer: Offer | None = None
    _pools: list[Any] = field(default_factory=list)

    async def parts(self) -> Parts:
        """The ports that the flows need here."""
        if not self._pools:
            dsn = self.dsn.replace("postgres@", "fasttrack_gateway@", 1)
            self._pools.append(await open_pool(dsn, max_connections=2))
        pool = self._pools[0]
        return cast(
            Parts,
            SimpleNamespace(
                reader=Reader(pool),
                checkpoints=CheckpointStore(pool),
                mirror=MirrorReader(pool, Sealer(ORIGIN, DerivedVault())),
                policy=None,
                statement_forms=statement_forms(load_form_book()),
            ),
        )

    async def close(self) -> None:
        """Let the connections go."""
        for pool in self._pools:
            await pool.close()
        self._pools.clear()

    async def poll_checkpoint(self, witness: str, known_size: int, *, wait_seconds: int) -> LogOffer:
        """The newest checkpoint, or the one that is to be offered."""
        return self.offer or await offer_checkpoint(await self.parts(), witness, known_size, wait_seconds)

    async def list_entries(self, first_index: int, tree_size: int) -> LogPage:
        """A stretch of the log."""
        parts = await self.parts()
        return self.lie(await list_entries(parts, self.agency, first_index, tree_size, self.page_size))

    async def list_seals(self, from_size: int, skip: int) -> Sequence[SealRow]:
        """Seals."""
        return self.lie_of_seals(await list_seals(await self.parts(), from_size, skip, 3))


@dataclass(slots=True)
class MirroredLog:
    """The story's ledger and its mirrors.

    Args:
        story: with the keys.
        dsn: of its database.
        home: folder of the mirrors.
    """

    story: Story
    dsn: str
    home: Path

    @property
    def policy(self) -> WitnessPolicy:
        """Keys of log and witnesses."""
        return WitnessPolicy(self.story.log.verifier, 2, tuple(key.verifier for key in self.story.witnesses))

    def folder(self, agency: Agency) -> Path:
        """Where the mirror of an agency is."""
        return self.home / str(agency).replace(":", "-")

    def gateway(self, agency: Agency, **lies: Any) -> StoryGateway:
        """The gateway as an agency reaches it."""
        return StoryGateway(self.dsn, agency, **lies)

    async def follow(self, agency: Agency, gateway: StoryGateway | None = None, **lies: Any) -> Followed:
        """One round of an agency's mirror, which is made when there is none."""
        folder = self.folder(agency)
        if not (folder / FILE).exists():
            create_mirror(folder, ORIGIN, str(agency))
        gateway = gateway or self.gateway(agency, **lies)
        try:
            with MirrorStore(folder) as store:
                return await Mirror(store, agency, self.policy.log, self.policy.witnesses).follow_once(gateway)
        finally:
            await gateway.close()

    def content(self, agency: Agency) -> dict[str, list[Any]]:
        """Everything that a mirror holds."""
        connection = sqlite3.connect(self.folder(agency) / FILE)
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        content = {table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in tables}
        connection.close()
        return content


async def dump(dsn: str) -> dict[str, list[bytes]]:
    """Every row of every table of a ledger as pg_dump writes it, sorted."""
    connection = await asyncpg.connect(dsn)
    names = [
        row["relname"]
        for row in await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'r'"
        )
    ]
    rows = {}
    for name in names:
        buffer = BytesIO()
        await connection.copy_from_table(name, schema_name="ledger", output=buffer)
        rows[name] = sorted(buffer.getvalue().splitlines())
    await connection.close()
    return rows


@asynccontextmanager
async def superuser(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser for whom no row is safe; afterwards every guard stands again."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET fasttrack.migration = 'on'")
    tables = [row["relname"] for row in await connection.fetch(_GUARDED)]
    for table in tables:
        await connection.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER insert_only")
    yield connection
    for table in tables:
        await connection.execute(f"ALTER TABLE ledger.{table} ENABLE ALWAYS TRIGGER insert_only")
    await connection.close()


_GUARDED = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'r'"
    " AND EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'insert_only') ORDER BY 1"
)
BY_INDEX = (
    "entry",
    "receipt",
    "bundle",
    "detail",
    "fact",
    "statement",
    "progress",
    "signer_key",
    "notice",
    "track",
    "material_withheld",
)
BY_SIZE = ("state", "checkpoint", "cosignature", "timestamp_token", "timestamp_gap")


async def lose_tail(dsn: str, size: int) -> None:
    """Take everything away that an older backup would not have."""
    async with superuser(dsn) as connection:
        for table in BY_INDEX:
            await connection.execute(f"DELETE FROM ledger.{table} WHERE seq >= $1", size)
        for table in BY_SIZE:
            await connection.execute(f"DELETE FROM ledger.{table} WHERE size > $1", size)
        await connection.execute("DELETE FROM ledger.tile WHERE (place + 1) << 8 * (level + 1) > $1", size)
        bundles = await connection.fetch(
            "SELECT b.handoff_id::text AS handoff, e.case_id, b.manifest_jws FROM ledger.bundle AS b"
            " JOIN ledger.entry AS e ON e.seq = b.seq"
        )
        kept = {pair for row in bundles for pair in [(digest, row["case_id"]) for digest in await _named(row)]}
        for table, key in (("material_grant", "sha256"), ("case_material", "sha256, case_id")):
            for row in await connection.fetch(f"SELECT DISTINCT {key} FROM ledger.{table}"):
                found = {pair[: len(row)] for pair in kept}
                if tuple(row) not in found:
                    where = " AND ".join(f"{name} = ${at}" for at, name in enumerate(key.split(", "), 1))
                    await connection.execute(f"DELETE FROM ledger.{table} WHERE {where}", *row)


async def _named(row: asyncpg.Record) -> list[bytes]:
    """Digests of everything that a bundle names, its record among them."""
    seal = (await Sealer(ORIGIN, DerivedVault()).prepare({row["case_id"]: False}))[row["case_id"]]
    jws = seal.open("bundle.manifest_jws", row["handoff"], row["manifest_jws"]).decode()
    segment = jws.split(".")[1]
    payload = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode()
    return [bytes.fromhex(digest) for digest in re.findall(r'"sha256": ?"([0-9a-f]{64})"', payload)]


@pytest.fixture(scope="session")
def written(postgres_server: EmbeddedPostgres, migrated_template: str) -> Iterator[Story]:
    """The ledger, written once."""
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name, template=migrated_template)
        story = Story(postgres_server.dsn(name))
        with ThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(asyncio.run, story.write(is_destroying=False)).result()
        yield story


@contextmanager
def copied(server: EmbeddedPostgres, dsn: str) -> Iterator[str]:
    """A copy of a database, by DSN of the superuser."""
    with database_dropped(server) as name:
        create_database(server, name, template=re.findall(r"/(test_[0-9a-f]{32})\?", dsn)[0])
        yield server.dsn(name)


@pytest.fixture
def log(postgres_server: EmbeddedPostgres, written: Story, tmp_path: Path) -> Iterator[MirroredLog]:
    """A copy of the ledger that the test may do with what it likes."""
    with copied(postgres_server, written.dsn) as dsn:
        yield MirroredLog(written, dsn, tmp_path)


@pytest.fixture
async def mirrored(log: MirroredLog) -> MirroredLog:
    """The same, with an up-to-date mirror of every agency."""
    for agency in (*PARTIES, OV):
        await log.follow(agency)
    return log
