"""Whom the pseudonyms of a case stand for, as far as an agency knows it already.

A person key is given to an agency only if it stands in a record which that agency sent, or received and fetched. So
nobody learns of a person through a limit, and what is not known stays a pseudonym.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from gateway.core.entry import Entry, EntryKind, from_leaf
from gateway.core.errors import GatewayError
from gateway.core.identity import Agency
from gateway.core.manifest import parse_manifest
from gateway.core.port.ledger import EntryFilter
from gateway.core.signed import payload_bytes_of
from gateway.flows.parts import Parts
from gateway.flows.read import load_material, read_record

MOST_RECORDS: Final = 20
"""Records of a case that are read at most, the newest first; a later record of a case names its persons again."""
_PAGE: Final = 1_000


async def find_person_keys(parts: Parts, caller: Agency, case_number: str, wanted: Collection[str]) -> dict[str, str]:
    """Find the keys of persons that the caller knows.

    Args:
        parts: the filled ports.
        caller: who is to be told.
        case_number: police case number; "" when nobody knows it any more.
        wanted: pseudonyms of persons.

    Returns:
        person key by pseudonym; a person whom no record names that the caller sent or fetched is left out.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE.
    """
    missing, found = {person for person in wanted if person}, dict[str, str]()
    if not (missing and case_number):
        return found
    for handoff in (await _known_handoffs(parts, caller, case_number))[:MOST_RECORDS]:
        for key in await _read_keys(parts, handoff):
            pseudonym = parts.pseudonyms.person(case_number, key)
            if pseudonym in missing:
                found[pseudonym] = key
        if missing <= found.keys():
            break
    return found


async def _known_handoffs(parts: Parts, caller: Agency, case_number: str) -> list[UUID]:
    """Handoffs of a case whose record the caller has, the newest first."""
    condition = EntryFilter(case=parts.pseudonyms.case(case_number), kinds=(EntryKind.SUBMITTED, EntryKind.FETCHED))
    entries: list[Entry] = []
    after = -1
    while rows := await parts.reader.entries(condition, after_index=after, limit=_PAGE):
        entries += [from_leaf(row.leaf) for row in rows]
        after = rows[-1].index
    fetched = {entry.handoff for entry in entries if entry.kind is EntryKind.FETCHED and entry.actor == str(caller)}
    return [
        UUID(entry.handoff)
        for entry in reversed(entries)
        if entry.kind is EntryKind.SUBMITTED and (entry.sender == str(caller) or entry.handoff in fetched)
    ]


async def _read_keys(parts: Parts, handoff: UUID) -> list[str]:
    stored = await parts.reader.handoff(handoff)
    if stored is None or stored.is_destroyed:
        return []
    manifest = parse_manifest(payload_bytes_of(stored.manifest_jws))
    native = manifest.native_record
    try:
        data = stored.record or await load_material(parts, native.sha256, native.size)
        reading = await read_record(parts, data, manifest)
    except GatewayError:
        # A schema or a material that is gone since then names nobody; the pseudonym is still true.
        return []
    return [person.key for person in reading.case.persons] if reading.case is not None else []
