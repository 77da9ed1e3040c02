"""Annexes of a bundle: read from the store by their forms, and checked alone, against each other and the record.

A bundle without annexes pays for one look at each media type.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.case.case import Case
from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.core.form.book import MAX_FORM_BYTES
from gateway.core.form.definition import MEDIA_TYPE_PREFIX, MaterialDigest, Scene, judge_issuer
from gateway.core.form.period import CHINA
from gateway.core.manifest import Manifest, Material
from gateway.flows.parts import Parts

MAX_ANNEXES: Final = 32
"""More annexes than this in one bundle are not read: each may be 1 MiB, and all are held in memory at once."""

MAX_TOTAL_BYTES: Final = 4 * 1024 * 1024
"""All annexes of a bundle together: some checks compare each with each."""

INLINE_CHECK_BYTES: Final = 32 * 1024
"""Annexes up to this size are judged on the event loop; a thread would cost more than it saves."""


async def read_annexes(
    parts: Parts, manifest: Manifest, missing: Collection[int]
) -> tuple[tuple[Annex, ...], list[Finding]]:
    """Read every annex of a bundle that can be read.

    Args:
        parts: the filled ports.
        manifest: that names them.
        missing: indices of materials that are not there, or not the sender's; a finding says so already.

    Returns:
        the annexes in the order of the manifest; findings of those that cannot be read, with the path of the material.
    """
    named = [
        (index, material)
        for index, material in enumerate(manifest.materials)
        if material.media_type.startswith(MEDIA_TYPE_PREFIX)
    ]
    annexes: list[Annex] = []
    findings: list[Finding] = []
    total = 0
    for index, material in named[:MAX_ANNEXES]:
        path = f"/materials/{index}"
        total += material.size
        if material.size <= MAX_FORM_BYTES and total > MAX_TOTAL_BYTES:
            message = f"at most {MAX_TOTAL_BYTES} bytes of annexes in a bundle"
            findings.append(Finding(ErrorCode.FORM_TOO_LARGE, f"{path}/size", message))
            continue
        annex, found = await _read_annex(parts, manifest, material, path, is_there=index not in missing)
        findings += found
        if annex is not None:
            annexes.append(annex)
    findings += [
        Finding(ErrorCode.FORM_TOO_LARGE, f"/materials/{index}", f"at most {MAX_ANNEXES} annexes in a bundle")
        for index, _ in named[MAX_ANNEXES:]
    ]
    return tuple(annexes), findings


async def _read_annex(
    parts: Parts, manifest: Manifest, material: Material, path: str, *, is_there: bool
) -> tuple[Annex | None, list[Finding]]:
    try:
        form = parts.forms.find_material(material.media_type)
    except GatewayError as error:
        return None, [replace(finding, path=f"{path}/media_type") for finding in error.findings]
    wrong = judge_issuer(form, manifest.sender.role.value, f"{path}/media_type")
    if wrong is not None:
        return None, [wrong]
    if material.size > MAX_FORM_BYTES:
        return None, [Finding(ErrorCode.FORM_TOO_LARGE, f"{path}/size", f"at most {MAX_FORM_BYTES} bytes")]
    if not is_there or await parts.store.info(material.sha256) is None:
        # Of a bundle that was handed over; what is judged without it must not look like what was judged with it.
        what = "this annex is not in the store any more"
        return None, [Finding(ErrorCode.MATERIAL_MISSING, f"{path}/sha256", what)] if is_there else []
    chunks = [chunk async for chunk in parts.store.read(material.sha256, 0, material.size)]
    data = b"".join(chunks)
    if len(data) <= INLINE_CHECK_BYTES:
        return parts.forms.parse(form, data, path)
    return await asyncio.to_thread(parts.forms.parse, form, data, path)


async def check_annexes(
    parts: Parts,
    manifest: Manifest,
    annexes: tuple[Annex, ...],
    case: Case | None,
    now: datetime,
    *,
    register: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Finding]:
    """Run the checks of all annexes of a bundle.

    Args:
        parts: the filled ports.
        manifest: of the bundle, for the digests of its materials.
        annexes: of ``read_annexes``.
        case: the record; None when it has errors, so nothing is compared with it.
        now: gateway time, aware.
        register: rows of the officers' register of the sender by officer number; None when none is known.

    Returns:
        the findings; none without annexes.
    """
    if not annexes:
        return []
    scene = Scene(
        on=now.astimezone(CHINA).date(),
        settings=parts.forms.rules.settings,
        annexes=annexes,
        case=case,
        materials={item.id: MaterialDigest(item.sha256, item.sm3, item.size) for item in manifest.materials},
        register=register or {},
        limits=parts.forms.limits,
    )
    sizes = {f"/materials/{index}": material.size for index, material in enumerate(manifest.materials)}
    if sum(sizes[annex.path] for annex in annexes) <= INLINE_CHECK_BYTES:
        return parts.forms.check(annexes, scene)
    return await asyncio.to_thread(parts.forms.check, annexes, scene)
