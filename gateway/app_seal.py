"""Composition of the processes around the log: signer, witness, and the server of tiles."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.core.log.note import COSIGNATURE_V1
from gateway.core.port.seal import MemoryLostError
from gateway.flows.cosign import Cosigner, follow_once, run_witness
from gateway.flows.seal import Sealer, SealRefusedError, run_sealer
from gateway.telemetry import SealTelemetry, set_up_exporters
from gateway.trust.note_key import load_note_key, load_verifier_key
from gateway.trust.tree_memory import FileMemory

if TYPE_CHECKING:
    import grpc

_SIGNER_LOG: Final = logging.getLogger("gateway.signer")
_WITNESS_LOG: Final = logging.getLogger("gateway.witness")


def now() -> datetime:
    """The time now, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerSettings:
    """Settings of a signer; the options of ``fasttrack signer``.

    Args:
        database_url: as the role ``fasttrack_signer``.
        origin: name of the log.
        key: Ed25519 private key, PEM.
        state: state file; a lock lies beside it.
        interval_seconds: pause between two looks at the ledger.
    """

    database_url: str
    origin: str
    key: Path
    state: Path
    interval_seconds: float = 1.0


async def run_signer_process(
    settings: SignerSettings, stop: asyncio.Event, ready: Callable[[], Any], *, is_first: bool, is_once: bool
) -> None:
    """Run a signer.

    Args:
        settings: of the process.
        stop: set it to stop.
        ready: called once, when it holds its state file.
        is_first: make the state file; only for a log of which nothing was ever signed.
        is_once: look at the ledger once.

    Raises:
        OSError, ValueError: a key cannot be used, or the database not be reached.
        MemoryLostError: the state file is gone, wrong, held by another signer, or would be made a second time.
        SealRefusedError: with ``is_once``, the signer refuses.
        GatewayError: LEDGER_UNAVAILABLE.
    """
    from gateway.ledger.checkpoint import SignerLedger  # noqa: PLC0415 - --help needs no database driver
    from gateway.ledger.pool import open_pool  # noqa: PLC0415 - as above

    set_up_exporters()
    observer = SealTelemetry(_SIGNER_LOG, "signer")
    key = load_note_key(settings.key, settings.origin)
    pool = await open_pool(settings.database_url, application_name="fasttrack signer", max_connections=1)
    try:
        ledger = SignerLedger(pool)
        memory = FileMemory(settings.state, settings.origin)
        if is_first:
            if await ledger.last_checkpoint() is not None:
                raise MemoryLostError("this log was signed before: bring back the state file of its signer")
            memory.create()
        with memory:
            ready()
            sealer = Sealer(ledger=ledger, memory=memory, key=key, clock=now)
            if not is_once:
                await run_sealer(sealer, observer, stop, interval_seconds=settings.interval_seconds)
                return
            try:
                checkpoint = await sealer.seal()
            except SealRefusedError as refusal:
                observer.refused(refusal.fault, refusal.size)
                raise
            if checkpoint is not None:
                observer.sealed(checkpoint.size)
    finally:
        await pool.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessSettings:
    """Settings of a witness; the options of ``fasttrack witness``.

    Args:
        name: of its key.
        key: Ed25519 private key, PEM.
        log: file with the log's verifier key.
        state: state file; a lock lies beside it.
        listen: host:port of add-checkpoint; "" for none.
    """

    name: str
    key: Path
    log: Path
    state: Path
    listen: str = ""


async def run_witness_process(
    settings: WitnessSettings,
    target: str,
    credentials: grpc.ChannelCredentials,
    stop: asyncio.Event,
    ready: Callable[[str], Any],
    *,
    is_first: bool,
    is_once: bool,
) -> None:
    """Run a witness.

    Args:
        settings: of the process.
        target: host:port of the gateway.
        credentials: mutual TLS of the agency.
        stop: set it to stop.
        ready: called once with the address of add-checkpoint, "" for none.
        is_first: make the state file; only when the gateway has no cosignature of this key.
        is_once: ask the gateway once.

    Raises:
        OSError, ValueError: a key or certificate cannot be used, or the address not be bound.
        MemoryLostError, LostStateError: the state is gone or older than what was cosigned.
        WitnessRefusedError, LogShrankError: with ``is_once``, what the log shows is refused.
        CallRefused, GatewayUnreachable: with ``is_once`` or ``is_first``, the gateway did not answer.
    """
    from gateway.rpc.client_error import CallRefused, GatewayUnreachable  # noqa: PLC0415 - --help needs no gRPC
    from gateway.rpc.client_witness import WitnessClient  # noqa: PLC0415 - as above

    set_up_exporters()
    observer = SealTelemetry(_WITNESS_LOG, "witness")
    log = load_verifier_key(settings.log)
    key = load_note_key(settings.key, settings.name, COSIGNATURE_V1)
    memory = FileMemory(settings.state, log.name)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(WitnessClient(target, credentials))
        if is_first:
            offer = await client.poll_checkpoint(settings.name, 0)
            if offer.cosigned_size:
                raise MemoryLostError("this witness cosigned before: bring back its state file, or make a new key")
            memory.create()
        stack.enter_context(memory)
        cosigner = Cosigner(memory, key, log, now)
        address = ""
        if settings.listen:
            from gateway.tlog.server import serving  # noqa: PLC0415 - only when it is asked for
            from gateway.tlog.witness import witness_app  # noqa: PLC0415 - as above

            address = await stack.enter_async_context(serving(witness_app(cosigner, log.name), settings.listen))
        ready(address)
        if is_once:
            size = await follow_once(cosigner, client, wait_seconds=0)
            if size:
                observer.cosigned(size)
            return
        await run_witness(cosigner, client, observer, stop, unreachable=(CallRefused, GatewayUnreachable))


async def serve_tiles(
    database_url: str, listen: str, stop: asyncio.Event, ready: Callable[[str], Any], *, has_entries: bool
) -> None:
    """Serve checkpoint and tiles until told to stop.

    Args:
        database_url: as the role ``fasttrack_oversight``.
        listen: host:port; port 0 takes a free one.
        stop: set it to stop.
        ready: called once with the address.
        has_entries: whether leaves are served too.

    Raises:
        OSError, ValueError: the address cannot be bound, or the database not be reached.
    """
    from gateway.ledger.checkpoint import CheckpointStore  # noqa: PLC0415 - as above
    from gateway.ledger.pool import open_pool  # noqa: PLC0415 - as above
    from gateway.ledger.tile_source import TileSource  # noqa: PLC0415 - as above
    from gateway.tlog.server import serving  # noqa: PLC0415 - as above
    from gateway.tlog.tiles import tile_app  # noqa: PLC0415 - as above

    pool = await open_pool(database_url, application_name="fasttrack tiles")
    try:
        app = tile_app(TileSource(pool), CheckpointStore(pool), has_entries=has_entries)
        async with serving(app, listen) as address:
            ready(address)
            await stop.wait()
    finally:
        await pool.close()
