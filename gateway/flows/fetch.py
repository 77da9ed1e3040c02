"""The receiver's side up to reading: inbox, lease, original and rendition."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gateway.core.access.mask import MaskedCopy
from gateway.core.access.visibility import View, find_withheld
from gateway.core.case.value import CHINA_TIME
from gateway.core.command import Command
from gateway.core.entry import OPEN_STATES, EntryKind, HandoffState, from_leaf
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.identity import Agency
from gateway.core.lineage import report_sha256
from gateway.core.manifest import Manifest, parse_manifest
from gateway.core.page_token import open_page_token, seal_page_token
from gateway.core.port.ledger import Appended, InboxRow, StoredHandoff
from gateway.core.signed import payload_bytes_of, payload_of
from gateway.flows.carried import find_carried, to_references
from gateway.flows.mask import find_masked
from gateway.flows.parts import Parts
from gateway.flows.read import INLINE_READ_BYTES, load_material
from gateway.flows.request import content_sha256, parse_act, parse_size
from gateway.flows.tell import tell_act
from gateway.flows.told import Told, find_told

if TYPE_CHECKING:
    from gateway.core.case.case import Reading, Rendition

WATCH_PAGE: Final = 200


async def list_inbox(
    parts: Parts, caller: Agency, states: Sequence[HandoffState], page_size: int, page_token: str
) -> tuple[list[InboxRow], str]:
    """One page of the caller's inbox.

    Args:
        parts: the filled ports.
        caller: the receiver.
        states: states wanted; empty for those not decided.
        page_size: 1 to 500, 0 for 50.
        page_token: of the page before, "" for the first.

    Returns:
        rows in order of their entries, and the token of the next page ("" on the last).

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE, PAGE_TOKEN_INVALID.
    """
    limit = parse_size(page_size, "page_size", default=50, most=500)
    wanted = sorted(set(states) or OPEN_STATES)
    query = f"inbox {caller} {' '.join(wanted)}".encode()
    key = parts.pseudonyms.page_key()
    after = open_page_token(key, page_token, query)
    rows = await parts.reader.inbox(caller, wanted, after_index=after, limit=limit + 1)
    token = seal_page_token(key, rows[limit - 1].index, query) if len(rows) > limit else ""
    return rows[:limit], token


async def watch_inbox(parts: Parts, caller: Agency, after_cursor: int) -> AsyncIterator[InboxRow]:
    """Handoffs to the caller as they are offered; what a slow reader has not taken stays in the database.

    Args:
        parts: the filled ports.
        caller: the receiver.
        after_cursor: index of the last entry seen plus 1; 0 for the beginning.

    Yields:
        rows in order of their entries, for ever.

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE.
    """
    if after_cursor < 0:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "after_cursor", "0 or more")
    after = after_cursor - 1
    every = sorted(HandoffState)
    async with parts.watch.subscribe(caller) as wakes:
        async for _ in wakes():
            while rows := await parts.reader.inbox(caller, every, after_index=after, limit=WATCH_PAGE):
                for row in rows:
                    yield row
                after = rows[-1].index
                if len(rows) < WATCH_PAGE:
                    break


async def claim_handoff(
    parts: Parts, caller: Agency, *, handoff_id: str, consumer: str, lease_seconds: int, act_id: str
) -> tuple[Appended, datetime]:
    """Take a lease on a handoff.

    Args:
        parts: the filled ports.
        caller: the receiver.
        handoff_id: the handoff.
        consumer: name of the consumer within the agency.
        lease_seconds: 1 to 86,400, 0 for 300.
        act_id: idempotency id.

    Returns:
        the entry, and the end of the lease.

    Raises:
        GatewayError: ARGUMENT_INVALID, ARGUMENT_OUT_OF_RANGE, or what the ledger refuses.
    """
    handoff, act = parse_act(handoff_id, act_id, consumer)
    pseudonym = parts.pseudonyms.consumer(str(caller), consumer)
    lease = parse_size(lease_seconds, "lease_seconds", default=300, most=86_400)
    appended = await append_act(
        parts,
        Command(
            kind=EntryKind.CLAIMED,
            actor=caller,
            act_id=act,
            content_sha256=content_sha256(act="claim", handoff=handoff_id, consumer=pseudonym, lease=lease),
            handoff=handoff,
            consumer=pseudonym,
            lease=timedelta(seconds=lease),
        ),
    )
    until = from_leaf(appended.leaf).lease_until
    return appended, until or datetime.fromtimestamp(0, UTC)


async def append_act(parts: Parts, command: Command) -> Appended:
    """Append an act on a handoff; a refusal remembers which handoff it was about."""
    try:
        if isinstance(command.actor, Agency):
            command = await tell_act(parts, command, command.actor)
        return await parts.writer.append(command)
    except GatewayError as error:
        error.handoff = command.handoff
        raise


@dataclass(frozen=True, slots=True)
class Fetched:
    """The content of a handoff.

    Args:
        stored: signed original and record.
        rendition: the record in the caller's schema, with the report.
        rendition_sha256: hexadecimal.
        report_sha256: hexadecimal.
        warnings: of reading the record.
        appended: the entry that records the fetch.
        withheld: by digest the materials of the bundle that the caller is not granted, and how they may be seen.
        is_original_withheld: whether the record says more than the caller may see, so that it is not given.
        masked: copies of what the caller sees without some fields, annexes and legal reviews that were stated before.
        told: what the rules said of the record when it was handed over.
    """

    stored: StoredHandoff
    rendition: Rendition
    rendition_sha256: str
    report_sha256: str
    warnings: tuple[Finding, ...]
    appended: Appended
    withheld: Mapping[str, View] = field(default_factory=dict)
    is_original_withheld: bool = False
    masked: tuple[MaskedCopy, ...] = ()
    told: Told = field(default_factory=Told)


async def fetch_handoff(parts: Parts, caller: Agency, *, handoff_id: str, consumer: str, act_id: str) -> Fetched:
    """Give the signed original and the rendition, once the fetch is in the ledger.

    Args:
        parts: the filled ports.
        caller: the receiver.
        handoff_id: the handoff.
        consumer: name of the consumer that holds the lease.
        act_id: idempotency id.

    Returns:
        the content.

    Raises:
        GatewayError: ARGUMENT_INVALID, HANDOFF_UNKNOWN, NOT_A_PARTY, CASE_DESTROYED, or what the ledger refuses;
            CASE_KEY_MISSING, SEAL_BROKEN or VAULT_UNAVAILABLE when it cannot be opened; INTERNAL when a record
            that was accepted cannot be written in the caller's schema.
    """
    handoff, act = parse_act(handoff_id, act_id, consumer)
    pseudonym = parts.pseudonyms.consumer(str(caller), consumer)
    stored = await require_handoff(parts, handoff)
    if stored.row.receiver != str(caller):
        error = refuse(ErrorCode.NOT_A_PARTY, "handoff_id", "only the receiver may fetch a handoff")
        error.handoff = handoff
        raise error
    if stored.is_destroyed:
        error = refuse(ErrorCode.CASE_DESTROYED, "handoff_id", "the case was destroyed; its receipts are still there")
        error.handoff = handoff
        raise error
    rendition, reading = await _render(parts, stored)
    if rendition.data is None:
        raise refuse(ErrorCode.INTERNAL, message="the record was accepted but has no rendition")
    rendition_digest, report_digest = sha256(rendition.data).hexdigest(), report_sha256(rendition.report)
    appended = await append_act(
        parts,
        Command(
            kind=EntryKind.FETCHED,
            actor=caller,
            act_id=act,
            content_sha256=content_sha256(act="fetch", handoff=handoff_id, consumer=pseudonym),
            handoff=handoff,
            consumer=pseudonym,
            mapping_version=rendition.mapping_version,
            rendition_sha256=rendition_digest,
            report_sha256=report_digest,
        ),
    )
    manifest = parse_manifest(payload_bytes_of(stored.manifest_jws))
    withheld = await _withheld(parts, stored, manifest, reading)
    # A record that travels as a material was not granted to whoever sees only what contains nothing to be withheld.
    view = withheld.pop(manifest.native_record.sha256, View.ALL)
    is_withheld = view is not View.ALL and (
        not stored.record or any(line.action == "withheld" for line in rendition.report)
    )
    masked = await find_masked(parts, stored, manifest, withheld)
    told = await find_told(parts, stored, manifest, reading)
    return Fetched(
        stored, rendition, rendition_digest, report_digest, reading.findings, appended, withheld, is_withheld, masked,
        told,
    )  # fmt: skip


async def require_handoff(parts: Parts, handoff: UUID) -> StoredHandoff:
    """Read a handoff that has to be there.

    Args:
        parts: the filled ports.
        handoff: its id.

    Returns:
        the handoff; of a destroyed case only what the ledger itself has.

    Raises:
        GatewayError: HANDOFF_UNKNOWN when there is none; LEDGER_UNAVAILABLE, or what keeps it from being opened.
    """
    stored = await parts.reader.handoff(handoff)
    if stored is None:
        raise refuse(ErrorCode.HANDOFF_UNKNOWN, "handoff_id", "there is no handoff with this id")
    return stored


async def _withheld(parts: Parts, stored: StoredHandoff, manifest: Manifest, reading: Reading) -> dict[str, View]:
    on = stored.row.offered_at.astimezone(CHINA_TIME).date()
    named = (*reading.digests, *to_references(await find_carried(parts, manifest, reading.case)))
    return find_withheld(parts.visibility, manifest, named, on)


async def _render(parts: Parts, stored: StoredHandoff) -> tuple[Rendition, Reading]:
    record = payload_of(stored.manifest_jws)["native_record"]
    data = stored.record or await load_material(parts, record["sha256"], record["size"])
    receiver = parts.adapters.schema_of(stored.row.receiver)

    def work() -> tuple[Rendition, Reading]:
        reading = parts.adapters.read(data, sender=record["schema"], receiver=receiver.name, version=record["version"])
        return parts.adapters.render(reading, receiver=receiver.name, version=receiver.version), reading

    return work() if len(data) <= INLINE_READ_BYTES else await asyncio.to_thread(work)
