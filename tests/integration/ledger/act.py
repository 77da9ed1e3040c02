"""Commands for the ledger's tests, and a ledger on the test's own database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from gateway.core.access.restriction import restrictions_of, restrictions_sha256
from gateway.core.command import Bundle, Command, StatedText
from gateway.core.entry import Entry, EntryKind, from_leaf
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import Agency, Role
from gateway.core.port.ledger import Appended
from gateway.core.route import RecordKind
from gateway.ledger.batcher import Batcher
from gateway.ledger.pool import open_pool
from gateway.ledger.sealed import Sealer
from tests.support.vault import DerivedVault

PS, PR, CT, JA = (Agency(role, "999001") for role in (Role.POLICE, Role.PROCURATORATE, Role.COURT, Role.JUSTICE))
ORIGIN = "ledger.test"


def as_role(dsn: str, role: str) -> str:
    """The same database, as another role; the embedded server trusts local connections."""
    return dsn.replace("postgres@", f"{role}@", 1)


def new_case() -> str:
    """A pseudonym."""
    return uuid4().hex


def make_submit(case: str = "", *, receiver: Agency = PR, materials: Sequence[str] = (), **fields: Any) -> Command:
    """A submit of a transfer by the police, opening a case of its own when none is named."""
    bundle_id = fields.pop("bundle_id", None) or uuid4()
    withheld = fields.pop("withheld", {})
    command = Command(
        kind=EntryKind.SUBMITTED,
        actor=PS,
        act_id=bundle_id,
        content_sha256=sha256(bundle_id.bytes).hexdigest(),
        handoff=bundle_id,
        case=case or new_case(),
        handoff_kind=RecordKind.TRANSFER if receiver == PR else RecordKind.ASSESSMENT_REQUEST,
        sender=PS,
        receiver=receiver,
        bundle=Bundle(
            manifest_jws="header.payload.signature",
            record=b"<case/>",
            case_number="A9990010000002026010001",
            idempotency_key=fields.pop("idempotency_key", str(bundle_id)),
            materials=tuple(materials),
            withheld=withheld,
        ),
        bundle_sha256="a" * 64,
        bundle_sm3="b" * 64,
        withheld_sha256=restrictions_sha256(restrictions_of(materials, withheld)),
        signer_key="c" * 64,
        rule_set="none",
        rule_result="NOT_EVALUATED",
    )
    return replace(command, **fields)


def make_act(kind: EntryKind, handoff: UUID, actor: Agency = PR, **fields: Any) -> Command:
    """An act of a party on a handoff."""
    act_id = fields.pop("act_id", None) or uuid4()
    fields.setdefault("content_sha256", sha256(act_id.bytes).hexdigest())
    fields.setdefault("consumer", "1" * 32)
    return Command(kind=kind, actor=actor, act_id=act_id, handoff=handoff, **fields)


def make_statement(case: str = "", **fields: Any) -> Command:
    """A statement of the police, about a case when one is named."""
    statement_id = fields.pop("statement_id", None) or uuid4()
    command = Command(
        kind=EntryKind.STATED,
        actor=PS,
        act_id=statement_id,
        content_sha256=sha256(statement_id.bytes).hexdigest(),
        case=case,
        statement=StatedText(
            statement_jws="header.payload.signature", case_number="A9990010000002026010001" if case else ""
        ),
        statement_type="procedural-act",
        statement_sha256="d" * 64,
        statement_sm3="e" * 64,
        signer_key="c" * 64,
    )
    return replace(command, **fields)


def sign(claims: dict[str, str | int]) -> str:
    """A receipt anybody can read: what is signed is tested where signing is."""
    return ";".join(f"{name}={value}" for name, value in claims.items())


def make_sealer() -> Sealer:
    """Seals with keys that are made of the names of the cases; it has all of them from the beginning."""
    return Sealer(ORIGIN, DerivedVault())


@asynccontextmanager
async def batcher_on(dsn: str, **options: Any) -> AsyncIterator[Batcher]:
    """A running batcher as the gateway's role, with a pool of its own.

    The key of a case is made of its name, so that every process of a test has the same.
    """
    options = {"origin": ORIGIN, "clock": lambda: datetime.now(UTC), "sign": sign, "sealer": make_sealer(), **options}
    pool = await open_pool(as_role(dsn, "fasttrack_gateway"), max_connections=4)
    batcher = Batcher(pool, **options)
    await batcher.start()
    try:
        yield batcher
    finally:
        await batcher.stop()
        await pool.close()


async def append_all(batcher: Batcher, commands: Sequence[Command]) -> list[Appended | GatewayError]:
    """Append at the same time; refusals come back in their place."""

    async def one(command: Command) -> Appended | GatewayError:
        try:
            return await batcher.append(command)
        except GatewayError as refused:
            return refused

    return await asyncio.gather(*(one(command) for command in commands))


def committed(results: Sequence[Appended | GatewayError]) -> list[Appended]:
    """Those that were appended."""
    return [result for result in results if isinstance(result, Appended)]


def codes(results: Sequence[Appended | GatewayError]) -> list[ErrorCode]:
    """Codes of those that were refused."""
    return [result.code for result in results if isinstance(result, GatewayError)]


async def read_ledger(dsn: str) -> list[Entry]:
    """All entries, from their leaves, checked for gaps, hashes, chains of the cases and numbers of the pairs."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT seq, leaf, leaf_hash FROM ledger.entry ORDER BY seq")
    finally:
        await connection.close()
    entries = [from_leaf(row["leaf"]) for row in rows]
    assert [row["seq"] for row in rows] == [entry.index for entry in entries] == list(range(len(rows)))
    last: dict[str, tuple[int, str]] = {}
    pairs: dict[tuple[str, str], int] = {}
    for row, entry in zip(rows, entries, strict=True):
        assert row["leaf_hash"] == sha256(b"\x00" + row["leaf"]).digest()
        if entry.case:
            sequence, previous = last.get(entry.case, (0, ""))
            assert (entry.case_sequence, entry.case_previous) == (sequence + 1, previous)
            last[entry.case] = (entry.case_sequence, row["leaf_hash"].hex())
        if entry.kind is EntryKind.SUBMITTED:
            number = pairs.get((entry.sender, entry.receiver), 0)
            assert entry.pair_number == number + 1
            pairs[entry.sender, entry.receiver] = entry.pair_number
    times = [entry.recorded_at for entry in entries]
    assert times == sorted(times)
    acts = [(entry.actor, entry.act_id) for entry in entries]
    assert len(set(acts)) == len(acts)
    return entries
