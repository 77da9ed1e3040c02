"""The oversight query: a filter becomes SQL whose every value is a parameter and whose order only one index can give.

The planner believes that a LIMIT is soon filled and likes to walk along the primary key, throwing away what does not
match; for a rare value that is the whole ledger. So the order asked for is that of the index to be taken, written as a
row comparison, which the primary key cannot give.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.core.entry import EntryKind
from gateway.core.port.ledger import EntryFilter

MAX_INDEX: Final = 2**63 - 1
_PAGE: Final = "SELECT seq, leaf, leaf_hash FROM ledger.oversight_entry WHERE {where} ORDER BY {order} LIMIT $3"
_BY_KIND: Final = (
    "SELECT page.seq, page.leaf, page.leaf_hash FROM unnest(${kinds}::text[]) AS wanted (kind) "
    "CROSS JOIN LATERAL ({page}) AS page ORDER BY page.seq LIMIT $3"
)


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
    places: dict[str, str] = {}
    for column, value in (
        ("case_id", condition.case),
        ("handoff_id", condition.handoff),
        ("actor", condition.actor),
        ("receiver", condition.receiver),
        ("sender", condition.sender),
    ):
        if value:
            arguments.append(value)
            places[column] = f"${len(arguments)}"
    kinds = [kind.value for kind in dict.fromkeys(condition.kinds)]
    if "case_id" in places or "handoff_id" in places:
        if kinds:
            arguments.append(kinds)
        return _few(places, f"${len(arguments)}" if kinds else ""), arguments
    # The first column that is given leads to its index; the others are looked at on the way.
    lead = next(iter(places), "")
    if not lead and not kinds:
        return _PAGE.format(where="seq >= $1 AND seq < $2", order="seq"), arguments
    arguments.append(kinds or [kind.value for kind in EntryKind])
    columns, values = ("kind, seq", "wanted.kind")
    if lead:
        columns, values = f"{lead}, kind, seq", f"{places[lead]}, wanted.kind"
    where = [f"({columns}) >= ({values}, $1)", f"({columns}) < ({values}, $2)"]
    where += [f"{lead} IS NOT NULL"] if lead else []
    where += [f"{column} = {place}" for column, place in places.items() if column != lead]
    page = _PAGE.format(where=" AND ".join(where), order=columns)
    return _BY_KIND.format(kinds=len(arguments), page=page), arguments


def _few(places: dict[str, str], kinds: str) -> str:
    """Few entries belong to a case or handoff: all are read from its index; ``|| ''`` hides the other indexes."""
    lead, *others = places
    where = ["seq >= $1", "seq < $2"]
    where += [
        f"{name} = {places[name]}" if name == "handoff_id" else f"{name} || '' = {places[name]}" for name in others
    ]
    where += [f"kind || '' = ANY ({kinds})"] if kinds else []
    if lead == "case_id":
        return _PAGE.format(where=" AND ".join([f"case_id = {places[lead]}", *where]), order="case_seq")
    where += [f"(handoff_id, seq) >= ({places[lead]}, $1)", f"(handoff_id, seq) < ({places[lead]}, $2)"]
    return _PAGE.format(where=" AND ".join([*where, "handoff_id IS NOT NULL"]), order="handoff_id, seq")
