"""Composition of what comes into force: keys, rule sets and adapters become entries, and a gateway follows them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from gateway.core.command import Command
from gateway.core.errors import ErrorCode, GatewayError, refuse
from gateway.core.log.key_history import KeyHistory, RevocationReason
from gateway.core.log.registration import KeyFacts, register_adapter, register_key, register_rule_set, revoke_key
from gateway.core.port.ledger import Appended, InboxWatch, LedgerWriter
from gateway.ledger.batcher import Batcher
from gateway.ledger.draft import KEY_TOPIC
from gateway.ledger.pool import open_pool
from gateway.ledger.signer_key import KeyStore
from gateway.telemetry import log_event
from gateway.trust.jws import SignedManifest, SignedStatement, verify_bundle, verify_stated
from gateway.trust.signer_registry import LedgerKeys, SignerFolder, SignerKey, facts_of, load_folder

_LOG: Final = logging.getLogger(__name__)


class KeyFollower:
    """Keeps the registry of a running gateway at what the ledger says.

    Bundles are verified with it; whether a key was revoked in the meantime the ledger itself decides.

    Args:
        store: reads the entries.
        watch: wakes when a key is registered or revoked, by whatever process.
        signing_ca: CA certificates, PEM.
    """

    def __init__(self, store: KeyStore, watch: InboxWatch, signing_ca: Path) -> None:
        self._store = store
        self._watch = watch
        self._last = -1
        self._task: asyncio.Task[None] | None = None
        self.keys = LedgerKeys(signing_ca.read_bytes())

    def verify(self, jws: str, *, now: datetime, is_recorded: bool = False) -> SignedManifest:
        """Verify a bundle with the keys of now; see ``verify_bundle``."""
        return verify_bundle(jws, registry=self.keys.registry, now=now, is_recorded=is_recorded)

    def verify_statement(self, jws: str, *, now: datetime, is_recorded: bool = False) -> SignedStatement:
        """Verify a statement with the keys of now; see ``verify_stated``."""
        return verify_stated(jws, registry=self.keys.registry, now=now, is_recorded=is_recorded)

    async def start(self, writer: LedgerWriter, signers_dir: Path | None = None) -> None:
        """Bring a folder of certificates into the ledger, read all keys, then follow.

        Args:
            writer: the ledger.
            signers_dir: certificates that the ledger may not know yet (``load_folder``); None for none.

        Raises:
            OSError, ValueError: the folder cannot be read, or a certificate is not the one that was registered.
            GatewayError: LEDGER_UNAVAILABLE; ALGORITHM_UNAVAILABLE when a key cannot be used on this machine.
        """
        if signers_dir is not None:
            await import_folder(writer, self._store, load_folder(signers_dir))
        await self._read(is_strict=True)
        self._task = asyncio.create_task(self._follow(), name="signer keys")

    async def stop(self) -> None:
        """Follow no longer."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _follow(self) -> None:
        async with self._watch.subscribe(KEY_TOPIC) as wake_ups:
            async for _ in wake_ups():
                try:
                    await self._read(is_strict=False)
                except GatewayError as error:
                    # The watch wakes again; until then the ledger refuses what was revoked.
                    log_event(_LOG, logging.WARNING, "signer keys could not be read", code=error.code.name)

    async def _read(self, *, is_strict: bool) -> None:
        for record in await self._store.keys(self._last):
            try:
                self.keys.take(record.entry, record.certificate)
            except (ValueError, GatewayError) as error:
                if is_strict:
                    raise
                # One key that cannot be used must not keep the others, or a revocation, from taking effect.
                reason, index = type(error).__name__, record.entry.index
                log_event(_LOG, logging.ERROR, "a signer key cannot be used", reason=reason, entry_index=index)
            self._last = record.entry.index


async def read_history(store: KeyStore) -> KeyHistory:
    """Read where the ledger registers and revokes keys.

    Args:
        store: reads the entries.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE.
    """
    return KeyHistory.of(record.entry for record in await store.keys())


async def import_folder(writer: LedgerWriter, store: KeyStore, folder: SignerFolder) -> list[Appended]:
    """Bring the certificates of a folder into the ledger, those that it does not know yet.

    Revocations come first, so that no key counts for a moment that somebody has already withdrawn. A key that the
    ledger knows as revoked is left alone, whatever the folder says.

    Args:
        writer: the ledger.
        store: reads it.
        folder: certificates registered and revoked.

    Returns:
        the new entries.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE.
    """
    history = await read_history(store)
    withdrawn = [facts_of(certificate) for certificate in folder.revoked]
    unknown = [facts for facts in withdrawn if facts.public_key_sha256 not in history.revocations]
    entries = await append_all(writer, (revoke_key(facts, RevocationReason.UNSPECIFIED) for facts in unknown))
    revoked = {*history.revocations, *(facts.public_key_sha256 for facts in withdrawn)}
    fresh = [
        key.facts
        for key_id, key in folder.registered.items()
        if key_id not in history.keys and key.public_key_sha256 not in revoked
    ]
    for facts in fresh:
        try:
            entries.append(await writer.append(register_key(facts)))
        except GatewayError as error:
            # Revoked by somebody else since it was read.
            if error.code is not ErrorCode.KEY_REVOKED:
                raise
    return [entry for entry in entries if not entry.is_replay]


async def append_all(writer: LedgerWriter, commands: Iterable[Command]) -> list[Appended]:
    """Append acts side by side, so that one batch holds them."""
    return list(await asyncio.gather(*(writer.append(command) for command in commands)))


async def register_versions(
    writer: LedgerWriter, rule_sets: Iterable[tuple[str, str]], adapters: Iterable[tuple[str, str, str]]
) -> None:
    """Say in the ledger which rule sets and adapters this gateway works with; what stands there stays one entry.

    Args:
        writer: the ledger.
        rule_sets: id and digest.
        adapters: name with schema version, mapping version and digest.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE.
    """
    commands = [register_rule_set(*rule_set) for rule_set in rule_sets]
    await append_all(writer, commands + [register_adapter(*adapter) for adapter in adapters])


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as an operator lists it.

    Args:
        facts: what its entry says; the certificate may be empty.
        registered_index: entry that registered it; None when it was revoked without ever having been registered.
        registered_at: time of that entry.
        revoked_index: entry that revoked its public key; None when it counts.
        revoked_at: time of that entry.
        reason: of the revocation; "" when it counts.
    """

    facts: KeyFacts
    registered_index: int | None
    registered_at: datetime | None
    revoked_index: int | None = None
    revoked_at: datetime | None = None
    reason: str = ""


class KeyOffice:
    """What an operator does with keys: every act is an entry of its own.

    Args:
        writer: the ledger.
        store: reads it.
    """

    def __init__(self, writer: LedgerWriter, store: KeyStore) -> None:
        self._writer = writer
        self._store = store

    async def register(self, certificate: x509.Certificate) -> Appended:
        """Register a certificate; without effect when it is registered already.

        Args:
            certificate: a signing certificate that names its agency.

        Returns:
            the entry, or the one that registered it before.

        Raises:
            ValueError: it names no agency, or has another kind of key.
            GatewayError: KEY_REVOKED when its key was revoked; LEDGER_UNAVAILABLE; ALGORITHM_UNAVAILABLE.
        """
        key = SignerKey.from_certificate(certificate)
        history = await read_history(self._store)
        if key.public_key_sha256 in history.revocations:
            raise refuse(ErrorCode.KEY_REVOKED, "certificate", "this key was revoked; it cannot be registered again")
        return await self._writer.append(register_key(key.facts))

    async def revoke(self, certificate: x509.Certificate, reason: RevocationReason) -> Appended:
        """Revoke the key of a certificate; without effect when it is revoked already.

        Args:
            certificate: registered or not.
            reason: why.

        Returns:
            the entry, or the one that revoked it before.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        return await self._writer.append(revoke_key(facts_of(certificate), reason))

    async def certificate_of(self, key_id: str) -> x509.Certificate:
        """Find a registered certificate.

        Args:
            key_id: 64 hexadecimal digits.

        Raises:
            GatewayError: KEY_NOT_REGISTERED; LEDGER_UNAVAILABLE.
        """
        for record in await self._store.keys():
            if record.entry.signer_key == key_id and record.certificate:
                return x509.load_der_x509_certificate(record.certificate)
        raise refuse(ErrorCode.KEY_NOT_REGISTERED, "key_id", "the ledger knows no key of this id")

    async def import_folder(self, signers_dir: Path) -> list[Appended]:
        """Bring a folder into the ledger; see ``import_folder`` and ``load_folder``."""
        return await import_folder(self._writer, self._store, load_folder(signers_dir))

    async def list_keys(self) -> list[ListedKey]:
        """All keys, by the index of the entry that first names them.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        records = await self._store.keys()
        history = KeyHistory.of(record.entry for record in records)
        listed: dict[str, ListedKey] = {}
        for entry, certificate in records:
            if entry.signer_key in listed:
                continue
            registered = history.keys.get(entry.signer_key)
            revoked = history.revocations.get(entry.public_key_sha256)
            listed[entry.signer_key] = ListedKey(
                KeyFacts(
                    key_id=entry.signer_key,
                    public_key_sha256=entry.public_key_sha256,
                    agency=entry.agency,
                    algorithm=entry.algorithm,
                    certificate=certificate,
                ),
                registered.index if registered else None,
                registered.recorded_at if registered else None,
                revoked.index if revoked else None,
                revoked.recorded_at if revoked else None,
                revoked.reason if revoked else "",
            )
        return list(listed.values())


@asynccontextmanager
async def open_office(database_url: str, origin: str) -> AsyncIterator[KeyOffice]:
    """Open the ledger for an operator; gateways may run on it at the same time.

    Args:
        database_url: as the gateway's role.
        origin: name of the log; "" takes the one that the ledger has.

    Yields:
        the office.

    Raises:
        OSError, asyncpg.PostgresError, asyncpg.InterfaceError: the database cannot be used.
        ValueError: the ledger is empty and no origin is given, or it has another one.
    """
    pool = await open_pool(database_url, application_name="fasttrack key", max_connections=4)
    try:
        store = KeyStore(pool)
        known = await store.origin()
        if not known and not origin:
            raise ValueError("the ledger is empty: FASTTRACK_ORIGIN must name it")
        if known and origin not in ("", known):
            raise ValueError("FASTTRACK_ORIGIN is not the name of this ledger")
        batcher = Batcher(pool, origin=known or origin, clock=lambda: datetime.now(UTC), sign=_sign, is_ahead=False)
        await batcher.start()
        try:
            yield KeyOffice(batcher, store)
        finally:
            await batcher.stop()
    finally:
        await pool.close()


def _sign(claims: dict[str, str | int]) -> str:
    raise ValueError("an operator's act has no receipt")
