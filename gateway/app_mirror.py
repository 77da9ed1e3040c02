"""Composition of mirrors: the process that follows a log, and the command that puts a lost tail back."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.audit.mirror import Followed, Mirror, MirrorRefusedError
from gateway.audit.mirror_file import create_mirror
from gateway.audit.mirror_store import MirrorStore
from gateway.core.port.seal import MemoryLostError
from gateway.telemetry import MirrorTelemetry, set_up_exporters

if TYPE_CHECKING:
    import grpc

    from gateway.audit.finding import AuditFinding
    from gateway.audit.fsck import Known
    from gateway.audit.rebuild import Mirrors, Tail
    from gateway.core.identity import Agency
    from gateway.core.log.witness_policy import WitnessPolicy
    from gateway.core.port.vault import CaseKeys
    from gateway.core.pseudonym import Pseudonyms
    from gateway.ledger.rebuild import TailWriter

_LOG: Final = logging.getLogger("gateway.mirror")
WAIT_SECONDS: Final = 20
RETRY_SECONDS: Final = 1.0
SEALS_A_TIME: Final = 1_000


async def run_mirror(  # noqa: PLR0917 - as they come from the command line
    folder: Path,
    agency: Agency,
    policy: WitnessPolicy,
    target: str,
    credentials: grpc.ChannelCredentials,
    stop: asyncio.Event,
    told: Callable[[Followed], Any],
    *,
    is_first: bool,
    is_once: bool,
) -> None:
    """Follow a log until told to stop.

    Args:
        folder: of the mirror.
        agency: whose mirror it is.
        policy: keys of the log and of its witnesses.
        target: host:port of the gateway.
        credentials: mutual TLS of the agency.
        stop: set it to stop.
        told: called after each round that brought something, and after the first.
        is_first: make the mirror; only where there is none.
        is_once: ask the gateway until the mirror has the newest checkpoint, then end.

    Raises:
        MemoryLostError: there is no mirror, it is damaged, another agency's or log's, or held by another process.
        MirrorRefusedError: the log contradicts what was kept, or does not give what it owes.
        CallRefused, GatewayUnreachable: with ``is_once``, the gateway did not answer.
        OSError: the folder cannot be used.
    """
    from gateway.rpc.client_error import CallRefused, GatewayUnreachable  # noqa: PLC0415 - --help needs no gRPC
    from gateway.rpc.client_mirror import MirrorClient  # noqa: PLC0415 - as above

    set_up_exporters()
    observer = MirrorTelemetry(_LOG)
    if is_first:
        create_mirror(folder, policy.log.name, str(agency))
    with MirrorStore(folder) as store:
        if (store.origin, store.agency) != (policy.log.name, str(agency)):
            raise MemoryLostError(f"this is the mirror of {store.agency} for the log {store.origin}")
        mirror = Mirror(store, agency, policy.log, policy.witnesses)
        async with MirrorClient(target, credentials) as client:
            is_first_round = True
            while not stop.is_set():
                wait = 0 if is_first_round else WAIT_SECONDS
                try:
                    followed = await _unless_stopped(mirror, client, stop, wait)
                except MirrorRefusedError as refusal:
                    observer.refused(refusal.fault, refusal.size)
                    raise
                except (CallRefused, GatewayUnreachable):
                    if is_once:
                        raise
                    observer.unavailable()
                    await _pause(stop)
                    continue
                if followed is None:
                    return
                if followed.entries or followed.seals or is_first_round:
                    observer.mirrored(followed.size)
                    told(followed)
                if is_once:
                    return
                is_first_round = False


async def _unless_stopped(mirror: Mirror, client: Any, stop: asyncio.Event, wait: int) -> Followed | None:
    """One round; None when the process was told to stop, and then nothing of the round is kept."""
    following = asyncio.create_task(mirror.follow_once(client, wait_seconds=wait))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([following, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not following.done():
        following.cancel()
        await asyncio.wait([following])
        return None
    return following.result()


async def _pause(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), RETRY_SECONDS)
    except TimeoutError:
        return


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did, or would do.

    Args:
        start: size of the tree that the database had.
        size: size afterwards.
        inserted: rows by table.
        missing: what no mirror holds; nothing was written when there is any.
        findings: what ``fsck`` says of the whole ledger with the tail; nothing was written when there is any.
        not_listed: findings beyond those that are listed.
    """

    start: int
    size: int
    inserted: dict[str, int]
    missing: tuple[AuditFinding, ...] = ()
    findings: tuple[AuditFinding, ...] = ()
    not_listed: int = 0


class _KeepNothingError(Exception):
    """Rolls a transaction back whose outcome is known."""

    def __init__(self, rebuilt: Rebuilt) -> None:
        super().__init__()
        self.rebuilt = rebuilt


async def rebuild_ledger(
    database_url: str,
    folders: Sequence[Path],
    policy: WitnessPolicy,
    known: Known,
    progress: Callable[[str], Any],
    *,
    keys: CaseKeys,
    pseudonyms: Pseudonyms,
    is_kept: bool,
) -> Rebuilt:
    """Put back what a ledger lost, from mirrors; everything or nothing.

    1. The mirrors agree with each other and with what the database still has. 2. Together they hold everything.
    3. Every row is put back in one transaction. 4. The whole ledger, read in that transaction, is clean to ``fsck``,
    and its root is that of the signed checkpoint. Only then it is committed.

    Args:
        database_url: as the owner of the schema.
        folders: of the mirrors.
        policy: keys of the log and of its witnesses.
        known: what ``fsck`` is to check with.
        progress: told what is being done.
        keys: the vault; what was sealed is sealed again, to the same bytes.
        pseudonyms: of the ledger.
        is_kept: False does everything and rolls it back.

    Returns:
        what was done.

    Raises:
        MemoryLostError: a folder holds no mirror, or a damaged one.
        ContradictionError, RowDiffersError: mirrors and database cannot all be true; nothing was written.
        UnknownTableError: the ledger has tables that would be lost.
        GatewayError: CASE_DESTROYED when a case in the tail was destroyed since, CASE_KEY_MISSING, VAULT_UNAVAILABLE.
        OSError, asyncpg.PostgresError: the database cannot be reached or refuses.
    """
    from gateway.audit.rebuild import Mirrors  # noqa: PLC0415 - only for the operator
    from gateway.ledger.rebuild import open_tail  # noqa: PLC0415 - --help needs no database driver

    with ExitStack() as stack:
        stores = [stack.enter_context(MirrorStore(folder, is_read_only=True)) for folder in folders]
        mirrors = Mirrors(stores, policy.log, pseudonyms)
        try:
            async with open_tail(database_url, keys, is_kept=is_kept) as tail_writer:
                return await _rebuild(tail_writer, mirrors, known, progress)
        except _KeepNothingError as outcome:
            return outcome.rebuilt
        except sqlite3.Error as error:
            raise MemoryLostError(f"a mirror cannot be read: {error}") from error


async def _rebuild(writer: TailWriter, mirrors: Mirrors, known: Known, progress: Callable[[str], Any]) -> Rebuilt:
    from gateway.audit.fsck import check_ledger  # noqa: PLC0415 - as above

    standing = await writer.standing()
    progress(f"the database has {standing.size:,} entries, the mirrors {mirrors.size:,}")
    # 1, 2
    tail = mirrors.plan(standing.size, standing.root)
    if tail.missing:
        raise _KeepNothingError(Rebuilt(tail.start, tail.size, {}, missing=tail.missing))
    # 3
    inserted = await _write(writer, mirrors, tail, progress)
    # 4
    progress("checking the whole ledger")
    await writer.end_writing()
    outcome = await check_ledger(writer.source, known)
    now = await writer.standing()
    rebuilt = Rebuilt(tail.start, tail.size, dict(inserted))
    if outcome.total or (now.size, now.root) != (tail.size, tail.root):
        found = tuple(outcome.findings)
        raise _KeepNothingError(
            dataclasses.replace(rebuilt, inserted={}, findings=found, not_listed=outcome.total - len(found))
        )
    return rebuilt


async def _write(writer: TailWriter, mirrors: Mirrors, tail: Tail, progress: Callable[[str], Any]) -> Counter[str]:
    inserted: Counter[str] = Counter()
    for rows in mirrors.rows(tail, await writer.before(sorted(tail.cases), tail.start)):
        inserted.update(await writer.write({name: getattr(rows, name) for name in rows.__slots__}))
        progress(f"{inserted['entry']:,} entries")
    seals: dict[str, list[tuple[Any, ...]]] = {}
    for row in mirrors.seals():
        if row.size > tail.size:
            continue
        columns: tuple[Any, ...]
        match row.what:
            case "checkpoint":
                columns = (row.size, row.at, row.text)
            case "cosignature":
                columns = (row.size, row.witness, row.at, row.text)
            case "timestamp_token":
                columns = (row.size, row.at, row.digest, row.token)
            case _:
                columns = (row.size, row.at, row.code)
        seals.setdefault(row.what, []).append(columns)
    for what, found in seals.items():
        for first in range(0, len(found), SEALS_A_TIME):
            inserted.update(await writer.write({what: found[first : first + SEALS_A_TIME]}))
    return inserted
