"""Composition of the vault: opening it, and destroying a case from its entry to its last file."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from gateway.core.entry import OPEN_STATES, EntryKind, from_leaf
from gateway.core.errors import ErrorCode, refuse
from gateway.core.log.destruction import DestructionReason, destroy_case
from gateway.core.port.ledger import EntryFilter, LedgerReader, LedgerWriter
from gateway.core.port.vault import CaseKeys
from gateway.ledger.batcher import Batcher
from gateway.ledger.case_material import CaseMaterials
from gateway.ledger.evidence_source import EvidenceReader
from gateway.ledger.pool import open_pool
from gateway.ledger.reader import Reader
from gateway.ledger.sealed import Sealer
from gateway.ledger.signer_key import KeyStore
from gateway.materials.local import LocalStore
from gateway.telemetry import log_event
from gateway.vault.master_key import load_master_keys
from gateway.vault.store import Vault, init_vault, open_vault

_LOG: Final = logging.getLogger(__name__)
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class VaultAccess:
    """How a process gets at the keys.

    Args:
        url: database of the vault, as the role that owns it.
        master_key_file: one master key, or several in a row.
    """

    url: str
    master_key_file: Path

    @asynccontextmanager
    async def open(self, application_name: str = "fasttrack") -> AsyncIterator[Vault]:
        """Open the vault; see ``open_vault`` and ``load_master_keys`` for what it raises."""
        master = load_master_keys(self.master_key_file)
        async with open_vault(self.url, master, application_name=application_name) as vault:
            yield vault

    async def init(self) -> None:
        """Make the tables of the vault; see ``init_vault``."""
        await init_vault(self.url)


@asynccontextmanager
async def open_evidence(database_url: str, vault: VaultAccess, application_name: str) -> AsyncIterator[EvidenceReader]:
    """Open the ledger to read whole cases.

    Args:
        database_url: as a role that may read every table of the ledger.
        vault: the keys.
        application_name: shown in ``pg_stat_activity``.

    Yields:
        the reader; of a destroyed case it gives what the ledger itself has.

    Raises:
        OSError, asyncpg.PostgresError, asyncpg.InterfaceError: the database cannot be used.
        ValueError, RuntimeError: the vault is none, or a master key is missing.
        GatewayError: LEDGER_UNAVAILABLE, VAULT_UNAVAILABLE.
    """
    async with vault.open(application_name) as keys:
        pool = await open_pool(database_url, application_name=application_name, max_connections=2)
        try:
            yield EvidenceReader(pool, Sealer(await KeyStore(pool).origin(), keys))
        finally:
            await pool.close()


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """What there is of a case.

    Args:
        entries: entries in the ledger.
        handoffs: handoffs among them.
        open_handoffs: those not decided and not withdrawn.
        destroyed_index: entry that destroyed it; None when it is whole.
    """

    entries: int
    handoffs: int
    open_handoffs: int
    destroyed_index: int | None


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What was done.

    Args:
        entry_index: of the entry that says so.
        is_new: False when the entry had been there.
        had_key: whether the key was destroyed only now.
        materials_removed: files removed from the store.
        materials_shared: materials that other cases name too; they stay.
    """

    entry_index: int
    is_new: bool
    had_key: bool
    materials_removed: int
    materials_shared: int


class CaseOffice:
    """Destroys cases: the entry first, then the materials, the key last.

    Whatever is killed in between, the entry stands, and the rest is done by the next call, or when a gateway starts.

    Args:
        writer: the ledger.
        reader: reads it.
        materials: which case names which material.
        store: the materials themselves.
        keys: the vault.
    """

    def __init__(
        self, writer: LedgerWriter, reader: LedgerReader, materials: CaseMaterials, store: LocalStore, keys: CaseKeys
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._materials = materials
        self._store = store
        self._keys = keys

    async def look(self, case: str) -> CaseSummary:
        """Say what there is of a case.

        Args:
            case: pseudonym.

        Raises:
            GatewayError: CASE_UNKNOWN, LEDGER_UNAVAILABLE.
        """
        states, count, destroyed, after = {}, 0, None, -1
        while page := await self._reader.entries(EntryFilter(case=case), after_index=after, limit=_PAGE):
            for stored in page:
                entry = from_leaf(stored.leaf)
                if entry.handoff:
                    states[entry.handoff] = entry.handoff_state
                if entry.kind is EntryKind.CASE_DESTROYED:
                    destroyed = entry.index
            count, after = count + len(page), page[-1].index
        if not count:
            raise refuse(ErrorCode.CASE_UNKNOWN, "case_number", "the ledger has no entry of this case")
        return CaseSummary(count, len(states), sum(state in OPEN_STATES for state in states.values()), destroyed)

    async def destroy(self, case: str, reason: DestructionReason) -> Destroyed:
        """Destroy a case; without effect on what is destroyed already.

        Args:
            case: pseudonym.
            reason: why; the first one stays.

        Raises:
            GatewayError: CASE_UNKNOWN, LEDGER_UNAVAILABLE, VAULT_UNAVAILABLE.
            OSError: a file cannot be removed; the key is still there, and the next call goes on.
        """
        appended = await self._writer.append(destroy_case(case, reason))
        removed, shared = await self._clear(case)
        had_key = await self._keys.destroy(case)
        return Destroyed(appended.index, not appended.is_replay, had_key, removed, shared)

    async def finish(self) -> list[int]:
        """Finish destructions that were interrupted, down to what may be left of a key on the vault's disk.

        Returns:
            entries of the cases that were finished now.

        Raises:
            GatewayError, OSError: as ``destroy``.
        """
        finished, after = [], -1
        condition = EntryFilter(kinds=(EntryKind.CASE_DESTROYED,))
        while page := await self._reader.entries(condition, after_index=after, limit=_PAGE):
            entries = {entry.case: entry.index for entry in (from_leaf(stored.leaf) for stored in page)}
            keys = await self._keys.find(list(entries))
            for case in (case for case in entries if keys.get(case) is not None):
                await self._clear(case)
                await self._keys.destroy(case)
                finished.append(entries[case])
            after = page[-1].index
        await self._keys.clear()
        return finished

    async def _clear(self, case: str) -> tuple[int, int]:
        """Remove what no other case names; nobody can submit a bundle that names it meanwhile."""
        removed = 0
        async with self._materials.held(case) as (only_here, shared):
            for digest in only_here:
                removed += await self._store.remove(digest)
        return removed, len(shared)


async def finish_destructions(office: CaseOffice) -> None:
    """Finish what another process began and did not end, and say so in the log."""
    for index in await office.finish():
        log_event(_LOG, logging.WARNING, "a destruction that had been interrupted was finished", entry_index=index)


@asynccontextmanager
async def open_case_office(database_url: str, vault: VaultAccess, materials: Path) -> AsyncIterator[CaseOffice]:
    """Open the ledger, the vault and the store for an operator; gateways may run at the same time.

    Args:
        database_url: as the gateway's role.
        vault: the keys.
        materials: folder of the material store.

    Yields:
        the office.

    Raises:
        OSError, asyncpg.PostgresError, asyncpg.InterfaceError: the database cannot be used.
        ValueError, RuntimeError: the ledger is empty, or the vault is none, or a master key is missing.
        GatewayError: VAULT_UNAVAILABLE.
    """
    async with vault.open("fasttrack case") as keys:
        pool = await open_pool(database_url, application_name="fasttrack case", max_connections=5)
        try:
            origin = await KeyStore(pool).origin()
            if not origin:
                raise ValueError("the ledger is empty")
            batcher = Batcher(pool, origin=origin, clock=lambda: datetime.now(UTC), sign=_sign, is_ahead=False)
            await batcher.start()
            try:
                yield make_office(batcher, pool, LocalStore(materials), keys)
            finally:
                await batcher.stop()
        finally:
            await pool.close()


def make_office(writer: LedgerWriter, pool: asyncpg.Pool[Any], store: LocalStore, keys: CaseKeys) -> CaseOffice:
    """Build an office on a pool of the gateway's role."""
    return CaseOffice(writer, Reader(pool), CaseMaterials(pool), store, keys)


def _sign(claims: dict[str, str | int]) -> str:
    raise ValueError("an operator's act has no receipt")
