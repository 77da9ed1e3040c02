"""The mapping report: what became of every source leaf and where every target leaf comes from.

While reading and writing, leaves are positions and values know their positions; paths are put together only here.

Source: agency interfaces, section 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.engine.field import KEPT, UNMAPPED, Entry
from gateway.core.case_record import ReportLine

if TYPE_CHECKING:
    from adapters.engine.scan import Scan

Target = tuple[str, str, tuple[Entry, ...]]

_ACTIONS: Final = ("unmapped", "normalised", "carried")
_NOTES: Final = ("no such code at the receiver; raw value written", "the source spelling is not recoverable", "")
_STRUCTURE: Final = "structure of the sender's file, not data"
_NO_PLACE: Final = "no place at the receiver"
_GENERATED: Final = "written by the receiver's rules"
_WITHHELD: Final = "not needed for the receiver's task"


def _is_exact(scan: Scan, index: int, entry: Entry) -> bool:
    known = scan.exact.get(index)
    if known is None:
        _, leaf, raw = scan.leaves[index]
        known = leaf.field is not None and leaf.field.is_exact(entry[0].fields, leaf, raw)
        scan.exact[index] = known
    return known


def _pairs(scan: Scan, targets: list[Target]) -> dict[tuple[int, int], int]:
    """By source and target position, what became of the values that came from the one and went into the other."""
    pairs: dict[tuple[int, int], int] = {}
    for at, (_, _, entries) in enumerate(targets):
        for entry in entries:
            item, name, loss = entry
            source = item.sources.get(name, ())
            for index in (source,) if isinstance(source, int) else source:
                rank = 0 if loss == UNMAPPED else 2 if loss == KEPT and _is_exact(scan, index, entry) else 1
                # Where several values give the same pair, the worst of them counts.
                pairs[index, at] = min(rank, pairs.get((index, at), rank))
    return pairs


def make_report(scan: Scan, targets: list[Target], *, is_withheld: bool) -> tuple[ReportLine, ...]:
    """Make the report of one mapping.

    Args:
        scan: the reading of the source.
        targets: the target leaves in document order.
        is_withheld: what has no place is withheld, not dropped.

    Returns:
        its lines in order.
    """
    pairs = _pairs(scan, targets)
    paths = [prefix + suffix for prefix, suffix, _ in targets]
    lines: list[ReportLine] = []
    ordered = sorted(pairs)
    position, last = 0, len(ordered)
    for index, (prefix, leaf, _) in enumerate(scan.leaves):
        path = prefix + leaf.suffix
        if position < last and ordered[position][0] == index:
            while position < last and ordered[position][0] == index:
                pair = ordered[position]
                rank = pairs[pair]
                lines.append(ReportLine(_ACTIONS[rank], path, paths[pair[1]], _NOTES[rank]))
                position += 1
        elif leaf.is_structure:
            lines.append(ReportLine("dropped", path, "", _STRUCTURE))
        elif is_withheld:
            lines.append(ReportLine("withheld", path, "", _WITHHELD))
        else:
            lines.append(ReportLine("dropped", path, "", _NO_PLACE))
    generated = (paths[at] for at, target in enumerate(targets) if not target[2])
    lines.extend(ReportLine("defaulted", "", path, _GENERATED) for path in generated)
    return tuple(lines)
