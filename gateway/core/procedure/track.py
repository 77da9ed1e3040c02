"""Where each person of a case stands, beside its file: a person track is a suspect's own way through the procedure.

A track goes with the file unless it has left it: not prosecuted, terminated, split off, refused at intake, or under
appeal. Everything is by pseudonym; the canonical JSON lies beside the ledger and its digest in the leaf.

Source: domain model, sections 2.1 and 2.2 (parallel regions).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

MAX_PERSONS: Final = 2_000
"""Persons of one case; the largest joint cases have some hundred."""
MAX_TRACK_BYTES: Final = 1024 * 1024
MAX_KEPT_BYTES: Final = 16 * 1024
"""Longest row that is remembered as it was read, 512 of them; larger ones would take the memory of all others."""


class Own(StrEnum):
    """Where a person stands apart from the file; names of the domain model, section 2.2."""

    WITH_FILE = ""
    NOT_ACCEPTED = "J0r"
    NON_PROSECUTED = "J4"
    APPEALED = "C6"
    TERMINATED = "T"
    SPLIT_OFF = "S"


LEFT: Final = frozenset({Own.NOT_ACCEPTED, Own.NON_PROSECUTED, Own.TERMINATED, Own.SPLIT_OFF})
"""Persons that the file goes on without."""
IN_CUSTODY: Final = frozenset({"detained", "arrested"})
REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "own": tuple(own.value for own in Own),
    "custody": ("unknown", "free", "summoned", "detained", "arrested", "bail", "RS", "released", "serving"),
    "legal_aid": ("none", "requested", "assigned", "attended", "refused"),
    "assessment": ("none", "commissioned", "received", "adverse", "set_aside", "late", "waived"),
    "exchange": ("none", "due", "filed", "confirmed"),
    "recognizance": ("none", "signed", "due"),
    "consent": ("none", "given", "refused"),
}
"""Values of each region of a track, the first is what a new track has; ``exchange`` is 换押."""


@dataclass(frozen=True, slots=True)
class PersonTrack:
    """Where one person stands; the regions are those of ``REGIONS``.

    Args:
        own: apart from the file.
        custody: coercive measure; ``unknown`` when nobody said.
        legal_aid: counsel or duty lawyer.
        assessment: for community correction; ``adverse`` says that the person is not suitable.
        exchange: certificate of the custody transfer (换押).
        recognizance: ``due`` when it is to be signed again.
        consent: to the fast-track procedure, as asked by the court.
        served: day on which the judgment was served on the person; "" before.
        served_pr: day on which it was served on the procuratorate; "" before.
        served_last: last day on which any recipient was served, victims and representatives too; "" before.
        moved_at: number, within the case, of the entry that last changed ``own``; 0 before any did.
    """

    own: str = ""
    custody: str = "unknown"
    legal_aid: str = "none"
    assessment: str = "none"
    exchange: str = "none"
    recognizance: str = "none"
    consent: str = "none"
    served: str = ""
    served_pr: str = ""
    served_last: str = ""
    moved_at: int = 0

    @property
    def is_with_file(self) -> bool:
        """Whether the file takes the person along."""
        return self.own not in LEFT


_NEW: Final = PersonTrack()
_NAMES: Final = tuple(item.name for item in fields(PersonTrack))


@dataclass(frozen=True, slots=True)
class Tracks:
    """The persons of a case, and what of its file the stage does not say.

    Args:
        persons: by pseudonym.
        lane: ``fast`` or ``ordinary``, as the last transfer proposed and the rules allowed; "" when nobody said.
        passing_to: agency that is to have the file by a change of jurisdiction; "" for none.
        handed_on: what another case may take over, by its pseudonym (split and merge).
        joined: cases whose persons came here.
        property: listed, transferred, frozen or disposed; "" when nobody said.
        frozen_until: day on which the freeze ends; "" for none.
        recordings: asked, delivered or not_delivered; "" before.
        reasons: why a supplement was late: asked or given; "" before.
        withdrawal_asked_by: procuratorate that asks to withdraw the prosecution; "" for none.
    """

    persons: Mapping[str, PersonTrack] = field(default_factory=dict)
    lane: str = ""
    passing_to: str = ""
    handed_on: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    joined: tuple[str, ...] = ()
    property: str = ""
    frozen_until: str = ""
    recordings: str = ""
    reasons: str = ""
    withdrawal_asked_by: str = ""

    def with_file(self) -> Iterator[str]:
        """Pseudonyms of the persons that the file takes along."""
        return (name for name, track in self.persons.items() if track.is_with_file)

    def change(self, changes: Mapping[str, PersonTrack]) -> Tracks:
        """Replace or add tracks."""
        return replace(self, persons={**self.persons, **changes})


NO_TRACKS: Final = Tracks()
_FILE_FIELDS: Final = ("lane", "passing_to", "property", "frozen_until", "recordings", "reasons", "withdrawal_asked_by")


def to_track(track: PersonTrack) -> dict[str, Any]:
    """Write a track as plain values; what a new track has is left out."""
    return {name: value for name in _NAMES if (value := getattr(track, name)) != getattr(_NEW, name)}


def from_track(value: Mapping[str, Any]) -> PersonTrack:
    """Read back what ``to_track`` wrote.

    Raises:
        TypeError, ValueError: another form.
    """
    track = PersonTrack(**value)
    if any(getattr(track, region) not in values for region, values in REGIONS.items()):
        raise ValueError("a track has a value that there is not")
    return track


def to_row(tracks: Tracks | None, cause: Mapping[str, Any]) -> bytes:
    """Write tracks, and what made them what they are, as they lie beside an entry.

    Args:
        tracks: after the entry; None when it did not change them.
        cause: what the entry brought, plain values without personal data; with the tracks before, the same comes out.

    Returns:
        ASCII JSON, keys sorted, no white space.
    """
    if tracks is None:
        return _encode({"cause": cause})
    value: dict[str, Any] = {"persons": {name: to_track(track) for name, track in tracks.persons.items()}}
    value |= {name: getattr(tracks, name) for name in _FILE_FIELDS if getattr(tracks, name)}
    if tracks.handed_on:
        value["handed_on"] = tracks.handed_on
    if tracks.joined:
        value["joined"] = tracks.joined
    return _encode({"cause": cause, "tracks": value})


def _encode(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def from_row(row: bytes) -> tuple[Tracks | None, Mapping[str, Any]]:
    """Read back what ``to_row`` wrote.

    Args:
        row: at most 1 MiB.

    Returns:
        the tracks, None when the entry did not change them, and the cause.

    Raises:
        ValueError: another form.
    """
    if len(row) > MAX_TRACK_BYTES:
        raise ValueError("tracks of a case have at most 1 MiB")
    return _keep_row(row) if len(row) <= MAX_KEPT_BYTES else _read_row(row)


def _read_row(row: bytes) -> tuple[Tracks | None, Mapping[str, Any]]:
    try:
        value = json.loads(row)
        cause: Mapping[str, Any] = value["cause"]
        if value.keys() == {"cause"}:
            return None, cause
        source = value["tracks"]
        tracks = Tracks(
            persons={name: from_track(track) for name, track in source["persons"].items()},
            handed_on=source.get("handed_on", {}),
            joined=tuple(source.get("joined", ())),
            **{name: source[name] for name in _FILE_FIELDS if name in source},
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("no tracks") from error
    return tracks, cause


_keep_row: Final = lru_cache(maxsize=512)(_read_row)


def row_sha256(row: bytes) -> str:
    """Digest of a row, hexadecimal; "" for none."""
    return sha256(row).hexdigest() if row else ""
