"""The form of a leaf, read by one regular expression made from the fields of ``Entry``.

A leaf that matches is canonical: ``to_leaf(from_leaf(leaf)) == leaf`` (a test compares both on generated entries).
That is a quarter of the work of reading and writing it again, and gives all fields at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gateway.core.entry import Entry, EntryKind, HandoffState, from_leaf, to_leaf
from gateway.core.procedure.lifecycle import Assessment, Stage

# Nothing is ever taken back (possessive), and what a text may hold is looked at once for the whole leaf.
_TEXT: Final = r'"([^"]++)"'
_PLAIN: Final = bytes(code for code in range(0x20, 0x7F) if code != ord("\\"))
_NUMBER: Final = r"([1-9][0-9]{0,17})"
_INSTANT: Final = r'"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)"'
_FORMS: Final = {
    "index": r"(0|[1-9][0-9]{0,17})",
    "case_sequence": _NUMBER,
    "pair_number": _NUMBER,
    "recorded_at": _INSTANT,
    "lease_until": _INSTANT,
    "salt": r'"([0-9a-f]{64})"',
    "kind": rf'"({"|".join(EntryKind)})"',
    "handoff_state": rf'"({"|".join(HandoffState)})"',
    "case_state": (
        rf'(\{{"assessment":"(?:{"|".join(Assessment)})","holder":"[^"]*+","moved_at":(?:0|[1-9][0-9]{{0,17}}),'
        rf'"returns":(?:0|[1-9][0-9]{{0,17}}),"stage":"(?:{"|".join(Stage)})"\}})'
    ),
    "transitions": r'(\["[0-9A-Za-z]+"(?:,"[0-9A-Za-z]+")*\])',
    "notified": r'(\["[a-z]{2}:[0-9]{6}"(?:,"[a-z]{2}:[0-9]{6}")*\])',
    "refusal_codes": r"(\[[1-9][0-9]{0,8}(?:,[1-9][0-9]{0,8})*\])",
}
FIELDS: Final = tuple(sorted(Entry.__slots__))
_REQUIRED: Final = frozenset(
    ("act_id", "actor", "content_sha256", "index", "kind", "origin", "recorded_at", "salt"),
)
_LEAF: Final = re.compile(
    r"\{"
    + "".join(
        f'"{name}":{_FORMS.get(name, _TEXT)},' if name in _REQUIRED else f'(?:"{name}":{_FORMS.get(name, _TEXT)},)?+'
        for name in FIELDS
    )
    + r"\}",
    re.ASCII,
)

Fields = tuple[str | None, ...]
"""Texts of the fields in the order of ``FIELDS``; None for those that are not there."""


def parse_fields(leaf: bytes) -> Fields | None:
    """Read a leaf of the usual form.

    Args:
        leaf: bytes of a leaf.

    Returns:
        its fields; None when it has another form and ``is_canonical`` must look at it.
    """
    # A comma more makes every field end alike.
    if leaf.translate(None, _PLAIN):
        return None
    text = leaf.decode("ascii")
    match = _LEAF.fullmatch(text[:-1] + ",}") if text.endswith("}") else None
    return None if match is None else match.groups()


def field_reader(*names: str) -> Callable[[Fields], tuple[str | None, ...]]:
    """Make a function that picks fields by name."""
    places = [FIELDS.index(name) for name in names]
    return lambda fields: tuple(fields[at] for at in places)


def parse_entry(leaf: bytes) -> Entry | None:
    """Read a leaf of any form that is canonical.

    Args:
        leaf: bytes of a leaf.

    Returns:
        the entry; None when the leaf is not what ``to_leaf`` writes.
    """
    try:
        entry = from_leaf(leaf)
        return entry if to_leaf(entry) == leaf else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None


def parse_origin(leaf: bytes) -> str:
    """Read the name of the log from a leaf; "" when it has another form."""
    fields = parse_fields(leaf)
    return "" if fields is None else fields[FIELDS.index("origin")] or ""
