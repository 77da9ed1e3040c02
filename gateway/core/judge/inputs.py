"""The digest of everything that a judgement looked at.

A field without a value is left out, so a field that the canonical case gets later changes no digest of today.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any, Final

from gateway.core.dossier import Dossier

_readers: Final[dict[type, tuple[tuple[str, ...], Callable[[Any], Any]]]] = {}


def _plain(value: Any) -> Any:
    made = value.__class__
    reader = _readers.get(made)
    if reader is None:
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat()
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, Mapping):
            return dict(value)
        if not is_dataclass(value):
            raise TypeError(f"no plain form of {made.__name__}")
        reader = _readers[made] = _make_reader(made)
    names, read = reader
    # Days are the most frequent values that JSON does not know; here they cost no call of this function.
    return {
        name: part.isoformat() if part.__class__ is date else part
        for name, part in zip(names, read(value), strict=True)
        if part is not None and part is not _NOTHING
    }


_NOTHING: Final = ()
"""The empty tuple is one object, and asking for it costs less than comparing with it."""


def _make_reader(made: type[Any]) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(sorted(item.name for item in fields(made)))
    read = attrgetter(*names)
    return names, read if len(names) > 1 else lambda value: (read(value),)


def _encoder(*, sort_keys: bool) -> Callable[[Any], str]:
    return json.JSONEncoder(
        ensure_ascii=True, sort_keys=sort_keys, separators=(",", ":"), check_circular=False, allow_nan=False,
        default=_plain,
    ).encode  # fmt: skip


_encode_record: Final = _encoder(sort_keys=False)
"""Fields of a dataclass come in order of their names anyway."""
_encode_rest: Final = _encoder(sort_keys=True)


def digest_inputs(dossier: Dossier) -> str:
    """Digest a dossier.

    Args:
        dossier: what is judged.

    Returns:
        SHA-256 of two lines of canonical JSON (sorted keys, no white space, instants in UTC), 64 hexadecimal digits:
        the record, then everything else that there is, by name.
    """
    rest = {name: value for name in _REST if (value := getattr(dossier, name))}
    return sha256(f"{_encode_record(dossier.case)}\n{_encode_rest(rest)}".encode("ascii")).hexdigest()


_REST: Final = tuple(item.name for item in fields(Dossier) if item.name != "case")
