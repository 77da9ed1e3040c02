"""The mapping report: what became of every source leaf and where every target leaf comes from.

While reading and writing, leaves are positions and values know their positions; paths are put together only here.

Source: agency interfaces, section 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.engine.field import KEPT, UNMAPPED, Entry
from gateway.core.case.record import ReportLine

if TYPE_CHECKING:
    from adapters.engine.scan import Scan

Target = tuple[str, str, tuple[Entry, ...]]

_ACTIONS: Final = ("unmapped", "normalised", "carried")
_NOTES: Final = ("no such code at the receiver; raw value written", "the source spelling is not recoverable", "")
_STRUCTURE: Final = "structure of the sender's file, not data"
_NO_PLACE: Final = "no place at the receiver"
_GENERATED: Final = "written by the receiver's rules"
_WITHHELD: Final = "not needed for the receiver's task"


def _ranks(scan: Scan, targets: list[Target]) -> dict[int, int]:
    """What became of the values that came from one leaf and went into another, by both positions as one number."""
    ranks: dict[int, int] = {}
    size, exact, leaves = len(targets), scan.exact, scan.leaves
    for at, (_, _, entries) in enumerate(targets):
        for item, name, loss in entries:
            source = item.sources.get(name, ())
            for index in (source,) if isinstance(source, int) else source:
                rank = 0 if loss == UNMAPPED else 1
                if loss == KEPT:
                    known = exact.get(index)
                    if known is None:
                        _, leaf, raw = leaves[index]
                        known = exact[index] = leaf.field is not None and leaf.field.is_exact(item.fields, leaf, raw)
                    rank = 2 if known else 1
                pair = index * size + at
                # Where several values give the same pair, the worst of them counts.
                if rank < ranks.get(pair, 3):
                    ranks[pair] = rank
    return ranks


def make_report(scan: Scan, targets: list[Target], *, is_withheld: bool) -> tuple[ReportLine, ...]:
    """Make the report of one mapping.

    Args:
        scan: the reading of the source.
        targets: the target leaves in document order.
        is_withheld: what has no place is withheld, not dropped.

    Returns:
        its lines in order.
    """
    ranks = _ranks(scan, targets)
    paths = [prefix + suffix for prefix, suffix, _ in targets]
    lines: list[ReportLine] = []
    # By source and then by target: one source leaf after the other finds its pairs in front.
    ordered = iter(sorted(ranks))
    size = len(targets)
    pair = next(ordered, -1)
    for index, (prefix, leaf, _) in enumerate(scan.leaves):
        path = prefix + leaf.suffix
        if pair >= 0 and pair // size == index:
            while pair >= 0 and pair // size == index:
                rank = ranks[pair]
                lines.append(ReportLine(_ACTIONS[rank], path, paths[pair % size], _NOTES[rank]))
                pair = next(ordered, -1)
        elif leaf.is_structure:
            lines.append(ReportLine("dropped", path, "", _STRUCTURE))
        elif is_withheld:
            lines.append(ReportLine("withheld", path, "", _WITHHELD))
        else:
            lines.append(ReportLine("dropped", path, "", _NO_PLACE))
    generated = (paths[at] for at, target in enumerate(targets) if not target[2])
    lines.extend(ReportLine("defaulted", "", path, _GENERATED) for path in generated)
    return tuple(lines)
