"""Which materials of a bundle its receiver may not simply read, as the ledger keeps it and the leaf commits to it.

What is withheld, ``visibility`` decides at submit from manifest, record and the rules of that day. Later rules, or a
destroyed record, could not decide it again, so the leaf has a digest of what was decided.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256

Restriction = tuple[str, str]
"""SHA-256 of a material, 64 hexadecimal digits, and how it may be seen (``visibility.View``)."""


def restrictions_of(materials: Iterable[str], withheld: Mapping[str, str]) -> tuple[Restriction, ...]:
    """Pick what is withheld of the materials that travel with a bundle.

    Args:
        materials: SHA-256 of every material that is handed over, hexadecimal.
        withheld: by digest how what the receiver is not granted may be seen; other digests are ignored.

    Returns:
        by digest, each once.
    """
    return tuple(sorted((digest, str(withheld[digest])) for digest in {*materials} if digest in withheld))


def restrictions_sha256(restrictions: Iterable[Restriction]) -> str:
    """Hash what is withheld.

    Args:
        restrictions: in any order; one that stands twice counts twice.

    Returns:
        SHA-256 of the sorted list as JSON, hexadecimal; "" when nothing is withheld.
    """
    rows = sorted([digest, view] for digest, view in restrictions)
    if not rows:
        return ""
    return sha256(json.dumps(rows, ensure_ascii=True, separators=(",", ":")).encode("ascii")).hexdigest()
