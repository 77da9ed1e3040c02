"""What a bundle does not bring again: unchanged documents that earlier bundles of the case brought.

A delta re-submission brings what changed and names the rest by digest (``unchanged``). What such a digest is, the
newest earlier record that names it says; one that no record of the case names is nothing, and counts as nothing.
Annexes are judged with the bundle whose manifest describes them, so one that is to count again is named among its
materials.

Source: design, section 2 (delta re-submission); domain model, section 2.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.core.case.case import Case
from gateway.core.dossier import Carried

MAX_EARLIER: Final = 16
"""Bundles that are read for one other, from the newest; a case of the usual way has a dozen in all."""


class CarriedSearch:
    """Looks for unchanged documents in earlier records, from the newest.

    Args:
        unchanged: digests of the manifest, in its order.
        case: the record, which names most of them itself.
    """

    def __init__(self, unchanged: Sequence[str], case: Case) -> None:
        named = {document.sha256 for document in case.documents} | {item.sha256 for item in case.recordings}
        self._paths = {digest: f"/unchanged/{at}" for at, digest in enumerate(unchanged) if digest not in named}
        self._found: dict[str, list[Carried]] = {}

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to look for."""
        return len(self._found) == len(self._paths)

    def look(self, case: Case) -> None:
        """Take from an earlier record what no newer one names.

        Args:
            case: the record.
        """
        found: dict[str, list[Carried]] = {}
        for document in case.documents:
            if path := self._paths.get(document.sha256):
                found.setdefault(document.sha256, []).append(Carried(path=path, document=document))
        for recording in case.recordings:
            if path := self._paths.get(recording.sha256):
                found.setdefault(recording.sha256, []).append(Carried(path=path, recording=recording))
        self._found = {**found, **self._found}

    @property
    def carried(self) -> tuple[Carried, ...]:
        """What was found, in the order of the manifest."""
        return tuple(one for digest in self._paths for one in self._found.get(digest, ()))
