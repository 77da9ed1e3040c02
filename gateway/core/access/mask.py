"""Masked copies of annexes: what a reader gets who sees a form without some of its fields.

The signed annex is never cut: whoever does not see all of it is not given it. A copy without the masked fields is
another text, made by the gateway from the form's own list (``x-fasttrack-masked``). It says what it is, names the
digest of the original and where something was left out, and has a media type that no annex has. Whoever has the
original makes the same bytes again.

Source: domain model, section 3 (body data masked elsewhere; protected reporters masked, MPS 173; PR sees attestation).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.core.form.definition import Form

MASKED_PREFIX: Final = "application/vnd.fasttrack-masked."


@dataclass(frozen=True, slots=True)
class MaskedCopy:
    """A copy of an annex, or of a statement, without some fields.

    Args:
        material_id: of the annex in the manifest; "" for a statement.
        sha256: of the original, 64 hexadecimal digits; of a statement that of its JWS, as its entry names it.
        media_type: such as ``application/vnd.fasttrack-masked.legal-review.v1+json``.
        data: JSON in UTF-8, see ``mask_annex``.
    """

    material_id: str
    sha256: str
    media_type: str
    data: bytes


def mask_annex(form: Form, data: Mapping[str, Any], *, material_id: str, sha256: str) -> MaskedCopy:
    """Copy an annex, or the body of a statement, without the fields that its form masks, wherever they stand.

    Args:
        form: of the annex.
        data: that has the form; it stays as it is.
        material_id: of the annex in the manifest; "" for a statement.
        sha256: of the original, hexadecimal.

    Returns:
        the copy. Its data is ``{"content", "form", "masked", "masked_copy_of"}``: the annex without those fields, the
        name of its form, JSON Pointers in the original to what was left out, the digest; keys sorted, no white space.
    """
    left_out: list[str] = []
    content = _mask(data, frozenset(form.masked), "", left_out)
    name = f"{form.key.name}.v{form.key.version}"
    value = {"content": content, "form": name, "masked": left_out, "masked_copy_of": sha256}
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return MaskedCopy(material_id, sha256, f"{MASKED_PREFIX}{name}+json", text.encode())


def _mask(value: Any, names: frozenset[str], pointer: str, left_out: list[str]) -> Any:
    if isinstance(value, Mapping):
        kept = {}
        for name in value:
            # Names of fields are those of the schema, which have neither slash nor tilde.
            if name in names:
                left_out.append(f"{pointer}/{name}")
            else:
                kept[name] = _mask(value[name], names, f"{pointer}/{name}", left_out)
        return kept
    if isinstance(value, list | tuple):
        return [_mask(item, names, f"{pointer}/{at}", left_out) for at, item in enumerate(value)]
    return value
