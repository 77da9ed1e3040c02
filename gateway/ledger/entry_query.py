"""The oversight query: a filter becomes SQL whose every value is a parameter and whose order is that of an index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.core.entry import EntryKind
from gateway.core.ports import EntryFilter

_STATEMENT: Final = """
SELECT page.seq, page.leaf, page.leaf_hash
FROM unnest(${kinds}::text[]) AS wanted (kind)
CROSS JOIN LATERAL (
    SELECT seq, leaf, leaf_hash FROM ledger.oversight_entry
    WHERE kind = wanted.kind AND {conditions} ORDER BY seq LIMIT $3
) AS page
ORDER BY page.seq
LIMIT $3
"""
MAX_INDEX: Final = 2**63 - 1


def to_statement(condition: EntryFilter, *, start: int, stop: int, limit: int) -> tuple[str, Sequence[Any]]:
    """Write a filter as a statement.

    Args:
        condition: what entries must meet; its ranges of time and index are in ``start`` and ``stop`` already.
        start: lowest index, inclusive.
        stop: highest index, exclusive.
        limit: entries wanted.

    Returns:
        SQL and its arguments; the rows are seq, leaf, leaf_hash in order of seq.
    """
    arguments: list[Any] = [start, stop, limit]
    conditions = ["seq >= $1", "seq < $2"]
    for column, value in (
        ("sender", condition.sender),
        ("receiver", condition.receiver),
        ("actor", condition.actor),
        ("case_id", condition.case),
        ("handoff_id", condition.handoff),
    ):
        if value:
            arguments.append(value)
            conditions.append(f"{column} = ${len(arguments)}")
    # One walk down an index for each kind: with "kind = ANY" the order of seq would be lost, and every match sorted.
    arguments.append([kind.value for kind in dict.fromkeys(condition.kinds or EntryKind)])
    return _STATEMENT.format(kinds=len(arguments), conditions=" AND ".join(conditions)), arguments
