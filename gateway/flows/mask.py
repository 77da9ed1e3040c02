"""Masked copies that come with a handoff: of its annexes, and of what its sender stated before and it was judged by.

Source: domain model, section 3 (who may see; PR sees the attestation of a legal review).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from gateway.core.access.mask import MaskedCopy, mask_annex
from gateway.core.access.visibility import View, reader_of
from gateway.core.entry import from_leaf
from gateway.core.errors import GatewayError
from gateway.core.form.definition import FormKind
from gateway.core.manifest import Manifest
from gateway.core.port.ledger import StoredHandoff
from gateway.core.route import RecordKind
from gateway.core.signed import payload_of
from gateway.flows.parts import Parts
from gateway.flows.read import load_material
from gateway.flows.stated import LEGAL_REVIEW, MOST_READ

_REVIEWED: Final = frozenset({RecordKind.TRANSFER, RecordKind.RETRANSFER})


async def find_masked(
    parts: Parts, stored: StoredHandoff, manifest: Manifest, withheld: Mapping[str, View]
) -> tuple[MaskedCopy, ...]:
    """Make the masked copies that the receiver of a handoff gets.

    Args:
        parts: the filled ports.
        stored: the handoff.
        manifest: of its bundle.
        withheld: by digest what the receiver is not granted.

    Returns:
        of its annexes, in the order of the manifest; then, of a transfer, of the legal reviews that its sender had
        stated of the case, in the order of the ledger.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE.
    """
    return (*await _of_annexes(parts, manifest, withheld), *await _of_statements(parts, stored, manifest))


async def _of_annexes(parts: Parts, manifest: Manifest, withheld: Mapping[str, View]) -> list[MaskedCopy]:
    reader = reader_of(manifest.receiver.role, manifest.kind)
    copies: list[MaskedCopy] = []
    for material in manifest.materials:
        form = parts.visibility.masked_form(material.media_type, reader) if material.sha256 in withheld else None
        if form is None or await parts.store.info(material.sha256) is None:
            continue
        data = await load_material(parts, material.sha256, material.size)
        annex, _ = await asyncio.to_thread(parts.forms.parse, form, data)
        if annex is not None:
            copies.append(mask_annex(form, annex.data, material_id=material.id, sha256=material.sha256))
    return copies


async def _of_statements(parts: Parts, stored: StoredHandoff, manifest: Manifest) -> list[MaskedCopy]:
    if manifest.kind not in _REVIEWED or not stored.receipts:
        return []
    case, submitted = parts.pseudonyms.case(manifest.case_number), stored.receipts[0].index
    found = await parts.reader.statements(
        case=case, issuer=str(manifest.sender), type_name=LEGAL_REVIEW, after_index=-1, limit=MOST_READ
    )
    copies: list[MaskedCopy] = []
    for one in found:
        if one.is_destroyed or one.appended.index > submitted:
            continue
        payload = payload_of(one.statement_jws)
        try:
            form = parts.forms.find(FormKind.STATEMENT, one.type, payload["version"])
        except GatewayError:
            # A version that is not published any more says nothing of who sees which field.
            continue
        if any((said.role, said.view) == (manifest.receiver.role, "masked") for said in form.readers):
            digest = from_leaf(one.appended.leaf).statement_sha256
            copies.append(mask_annex(form, payload["body"], material_id="", sha256=digest))
    return copies
