"""An annex: a structured material of a bundle with a published form, as it was read.

Source: design, section 2 (annex).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Annex:
    """What an annex says, and where it stands in its bundle.

    Args:
        name: of its form, such as ``recorder-manifest``.
        version: of its form, from 1.
        path: of its material in the manifest, such as ``/materials/3``; "" when it is looked at alone.
        data: as its form describes it.
    """

    name: str
    version: int
    path: str
    data: Mapping[str, Any]
