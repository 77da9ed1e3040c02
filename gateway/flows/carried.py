"""Unchanged documents of a bundle, read from the earlier bundles of its case.

Source: design, section 2 (delta re-submission); gateway/core/PROCEDURE.md (unchanged documents).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gateway.core.case.record import MaterialReference
from gateway.core.dossier import Carried
from gateway.core.entry import EntryKind, from_leaf
from gateway.core.errors import GatewayError
from gateway.core.judge.carried import MAX_EARLIER, CarriedSearch
from gateway.core.manifest import Manifest, parse_manifest
from gateway.core.port.ledger import EntryFilter
from gateway.core.signed import payload_bytes_of
from gateway.flows.parts import Parts
from gateway.flows.read import load_material, read_record

if TYPE_CHECKING:
    from gateway.core.case.case import Case

_PAGE: Final = 500


async def find_carried(parts: Parts, manifest: Manifest, case: Case | None) -> tuple[Carried, ...]:
    """Find what the unchanged digests are that the record does not name.

    Args:
        parts: the filled ports.
        manifest: of the bundle, whether it is in the ledger or not yet.
        case: its record; None when it could not be read.

    Returns:
        documents and recordings; none, and nothing read, for a record that names all of them itself.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE, or what opening an earlier bundle of the case refuses.
    """
    if not manifest.unchanged or case is None:
        return ()
    search = CarriedSearch(manifest.unchanged, case)
    if search.is_done:
        return ()
    for handoff in await _earlier(parts, manifest):
        earlier = await _read(parts, handoff)
        if earlier is not None:
            search.look(earlier)
        if search.is_done:
            break
    return search.carried


def to_references(carried: Iterable[Carried]) -> tuple[MaterialReference, ...]:
    """What is carried as references of the record, by which it is decided who sees it."""
    return tuple(
        MaterialReference(one.document.sha256, one.path, one.document.code, one.document.key)
        if one.document is not None
        else MaterialReference(one.recording.sha256 if one.recording else "", one.path, "", "")
        for one in carried
    )


async def _earlier(parts: Parts, manifest: Manifest) -> list[UUID]:
    """Handoffs of the case before this one, from the newest."""
    condition = EntryFilter(kinds=(EntryKind.SUBMITTED,), case=parts.pseudonyms.case(manifest.case_number))
    found: list[UUID] = []
    after = -1
    while entries := await parts.reader.entries(condition, after_index=after, limit=_PAGE):
        for stored in entries:
            handoff = UUID(from_leaf(stored.leaf).handoff)
            if handoff == manifest.bundle_id:
                return found[: -MAX_EARLIER - 1 : -1]
            found.append(handoff)
        after = entries[-1].index
        if len(entries) < _PAGE:
            break
    return found[: -MAX_EARLIER - 1 : -1]


async def _read(parts: Parts, handoff: UUID) -> Case | None:
    stored = await parts.reader.handoff(handoff)
    if stored is None or stored.is_destroyed:
        return None
    manifest = parse_manifest(payload_bytes_of(stored.manifest_jws))
    native = manifest.native_record
    data = stored.record or await load_material(parts, native.sha256, native.size)
    try:
        reading = await read_record(parts, data, manifest)
    except GatewayError:
        # A version that has no adapter any more names nothing that could be read today.
        return None
    return None if reading.has_errors else reading.case
