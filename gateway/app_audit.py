"""Composition of the audit commands: what they read, and how the work is spread over processes."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

import uvloop
from cryptography import x509

from gateway.app_vault import VaultAccess, open_evidence
from gateway.audit.evidence import Packed, write_pack
from gateway.audit.fsck import Known, Outcome, Part, check_ledger, finish, make_plan, run_part
from gateway.audit.seal_check import SealKeys, VerifyToken
from gateway.audit.token_check import verify_token
from gateway.core.errors import GatewayError
from gateway.core.lineage import to_report_bytes
from gateway.core.port.evidence import MadeRendition, PackKeys
from gateway.core.port.vault import CaseKeys
from gateway.core.schema_register import Schema
from gateway.ledger.evidence_source import EvidenceReader
from gateway.ledger.fsck_source import open_source
from gateway.materials.local import stored_path

_SMALL: Final = 20_000
"""Below so many entries a second process takes longer to start than to work."""
_PROGRESS_SECONDS: Final = 1.0
_counter: Any = None
"""Entries checked by all processes of the pool; set when a process starts."""


def token_verifier(roots: Sequence[x509.Certificate]) -> VerifyToken:
    """Make the check of time-stamp tokens that fsck uses.

    Args:
        roots: CAs of time-stamp authorities, at least one.

    Returns:
        a function that gives the time of a token or raises ``TokenError``.
    """
    return partial(verify_token, roots=roots)


async def run_fsck(
    database_url: str,
    known: Known,
    workers: int,
    progress: Callable[[int, int], None],
    vault: VaultAccess | None = None,
) -> Outcome:
    """Check a ledger.

    Args:
        database_url: as a role that may read every table of the ledger.
        known: what the auditor brings along.
        workers: processes.
        progress: told how many entries are done, of how many.
        vault: opens what bundles and decisions hold; None leaves that unread.

    Returns:
        everything that was found.

    Raises:
        OSError, asyncpg.PostgresError, asyncpg.InterfaceError: the database cannot be reached or read.
        ValueError, RuntimeError, GatewayError: the vault cannot be opened.
    """
    async with _open_keys(vault) as keys, open_source(database_url, keys=keys) as source:
        head = await source.head()
        if workers == 1 or head.last_seq < _SMALL:
            outcome = await check_ledger(source, known)
            progress(outcome.entries, outcome.entries)
            return outcome
        plan = await make_plan(source, known, workers)
        context = multiprocessing.get_context("spawn")
        counter = context.Value("q", 0)
        # Keys and verifiers of the seals are used here only, and cannot travel.
        work = partial(_run_part, database_url, vault, source.snapshot, replace(known, seals=SealKeys()))
        loop = asyncio.get_running_loop()
        with ProcessPoolExecutor(workers, context, _set_counter, (counter,)) as pool:
            running = [loop.run_in_executor(pool, work, part) for part in plan.parts]
            while (await asyncio.wait(running, timeout=_PROGRESS_SECONDS))[1]:
                progress(counter.value, head.last_seq + 1)
            outcomes = [task.result() for task in running]
        return await finish(source, plan, known, outcomes)


def _set_counter(counter: Any) -> None:
    global _counter  # noqa: PLW0603 - the one way to hand something to a process of a pool
    _counter = counter


def _count(entries: int) -> None:
    if _counter is not None:
        with _counter.get_lock():
            _counter.value += entries


@asynccontextmanager
async def _open_keys(vault: VaultAccess | None) -> AsyncIterator[CaseKeys | None]:
    if vault is None:
        yield None
        return
    async with vault.open("fasttrack fsck") as keys:
        yield keys


def _run_part(database_url: str, vault: VaultAccess | None, snapshot: str, known: Known, part: Part) -> Outcome:
    async def work() -> Outcome:
        async with _open_keys(vault) as keys, open_source(database_url, snapshot, keys) as source:
            return await run_part(source, part, known, _count)

    return uvloop.run(work())


class CaseSource:
    """Everything a pack is made from: ledger, adapters, and the folder of the material store.

    Args:
        ledger: the database.
        materials: folder of the store; None when there is none at hand.
        register: file of agencies with another schema than usual; None for none.
    """

    def __init__(self, ledger: EvidenceReader, materials: Path | None, register: Path | None) -> None:
        from gateway.app import adapters  # noqa: PLC0415 - loads all mappings

        self._materials = materials
        self._adapters = adapters(register)
        self.entries = ledger.entries
        self.bundles = ledger.bundles
        self.statements = ledger.statements
        self.keys = ledger.keys
        self.head = ledger.head
        self.proof = ledger.proof

    def render(self, record: bytes, schema: Schema, receiver: str) -> MadeRendition | None:
        """See ``EvidenceSource``."""
        try:
            into = self._adapters.schema_of(receiver)
            reading = self._adapters.read(record, sender=schema.name, receiver=into.name, version=schema.version)
            rendition = self._adapters.render(reading, receiver=into.name, version=into.version)
        except GatewayError:
            return None
        if rendition.data is None:
            return None
        return MadeRendition(rendition.mapping_version, rendition.data, to_report_bytes(rendition.report))

    def material(self, sha256: str) -> Path | None:
        """See ``EvidenceSource``."""
        return None if self._materials is None else stored_path(self._materials, sha256)


async def export_case(
    database_url: str,
    case: str,
    keys: PackKeys,
    out: Path,
    materials: Path | None,
    *,
    vault: VaultAccess,
    register: Path | None,
    with_materials: bool,
    made_on: date,
) -> Packed:
    """Write the evidence pack of a case.

    Args:
        database_url: as a role that may read every table of the ledger.
        case: pseudonym.
        keys: what the pack is to be verified with.
        out: the zip; it appears when it is complete.
        materials: folder of the material store.
        vault: opens what the case holds.
        register: file of agencies with another schema than usual; None for none.
        with_materials: whether to include the documents themselves.
        made_on: today.

    Returns:
        what is in it.

    Raises:
        CaseUnknownError: there is no such case.
        OSError, asyncpg.PostgresError: the database or a file cannot be used.
        ValueError, RuntimeError: the vault cannot be opened, or the register not be used.
        GatewayError: LEDGER_UNAVAILABLE, VAULT_UNAVAILABLE; CASE_KEY_MISSING or SEAL_BROKEN when it does not open.
    """
    part = out.with_name(out.name + ".part")
    try:
        async with open_evidence(database_url, vault, "fasttrack evidence") as ledger:
            source = CaseSource(ledger, materials, register)
            with part.open("wb") as file:
                packed = await write_pack(source, case, keys, file, made_on=made_on, with_materials=with_materials)
        part.replace(out)
        return packed
    finally:
        part.unlink(missing_ok=True)
