"""Runs every case again from its leaves: what the ledger decided must be what ``core.handoff`` decides.

The rows come by index; only the heads of the cases and handoffs of one part are in memory. Most entries are like one
that was decided already: what they depend on is the key of a table of decisions, and the rules themselves run once for
each key. An entry that does not fit the table goes through ``decide_act`` with everything it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final

from gateway.audit.finding import AuditFinding, Report
from gateway.audit.leaf_form import FIELDS, Fields, parse_entry, parse_fields
from gateway.audit.replay_head import (
    INITIAL_TEXT,
    NO_CASE,
    SeenCase,
    SeenHandoff,
    head_from_entry,
    parse_instant,
    parse_state,
    to_command,
    to_head,
)
from gateway.core.entry import Entry, EntryKind, to_leaf
from gateway.core.errors import GatewayError
from gateway.core.handoff import MAX_LEASE, CaseHead, Place, decide_act
from gateway.core.port.fsck import ENTRY_COLUMNS, Row
from gateway.core.procedure.track import NO_TRACKS, Tracks, from_row, row_sha256
from gateway.core.strict_json import parse_object

_AT: Final = {name: FIELDS.index(name) for name in FIELDS}
# Fields that are used together are taken together: this runs for every entry.
_PLACE_OF: Final = itemgetter(*(_AT[name] for name in ("index", "origin", "recorded_at", "case", "handoff")))
_CASE_OF: Final = itemgetter(_AT["case_sequence"], _AT["case_state"])
_ACT_OF: Final = itemgetter(
    *(_AT[name] for name in ("kind", "actor", "consumer", "handoff_kind", "case", "sender", "receiver"))
)
_MADE_OF: Final = itemgetter(_AT["case_state"], _AT["transitions"], _AT["handoff_state"])
_CHAIN_OF: Final = itemgetter(
    *(
        _AT[name]
        for name in (
            "kind", "handoff", "lease_until", "case", "case_sequence", "case_previous", "handoff_kind", "sender",
            "receiver", "pair_number", "act_id",
        )
    )
)  # fmt: skip
_COLUMNS_OF: Final = itemgetter(
    *(
        _AT[name]
        for name in (
            "act_id", "handoff", "case_sequence", "kind", "actor", "case", "case_state", "content_sha256",
            "bundle_sha256",
        )
    )
)  # fmt: skip
_MAX_DECISIONS: Final = 200_000
_MOVING: Final = frozenset(("submitted", "accepted", "supplement_asked", "refused", "withdrawn", "stated"))
"""Kinds that may move persons."""
_CLAIMED, _CALL_REFUSED, _SUBMITTED = "claimed", "call_refused", "submitted"


@dataclass(slots=True)
class CaseReplay:
    """Replays the cases of one part of the ledger.

    Args:
        report: takes the findings.
        cases: heads by pseudonym.
        handoffs: heads by id.
        decisions: what was decided, by everything that it depends on.
        origin: name of the log, from the first entry.
        checked: entries seen.
    """

    report: Report
    cases: dict[str, SeenCase] = field(default_factory=dict)
    handoffs: dict[str, SeenHandoff] = field(default_factory=dict)
    decisions: dict[tuple[Any, ...], tuple[Any, ...]] = field(default_factory=dict)
    origin: str = ""
    checked: int = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Check entries.

        Args:
            rows: of ``FsckSource.entries``, in order.
        """
        for row in rows:
            self._add(row)
        self.checked += len(rows)

    def _finding(self, check: str, seq: int, reason: str, column: str = "") -> None:
        place = f"seq={seq}" + (f" column={column}" if column else "")
        self.report(AuditFinding(check, "entry", place, reason, seq))

    def _add(self, row: Row) -> None:
        columns, (track_case, is_changed, track) = tuple(row[3:-3]), tuple(row[-3:])
        judged = self.judge(row[0], row[1], row[2], track or b"")
        if judged is None:
            return
        fields, recorded_at, handoff = judged
        expected = _to_columns(fields, recorded_at, handoff)
        if columns != expected:
            for name, found, wanted in zip(ENTRY_COLUMNS, columns, expected, strict=True):
                if found != wanted:
                    self._finding("entry-column", row[0], "the column does not say what the leaf says", name)
        if track is not None and (track_case, is_changed) != (fields[_AT["case"]], _has_tracks(track)):
            place, reason = f"seq={row[0]}", "the columns do not say what the entry and its tracks say"
            self.report(AuditFinding("track-column", "track", place, reason, row[0]))

    def columns(self, seq: int, leaf: bytes, leaf_hash: bytes, track: bytes = b"") -> tuple[Any, ...] | None:
        """Check one leaf, and compute the columns of its row.

        Args:
            seq: index of the entry.
            leaf: its bytes.
            leaf_hash: its hash, 32 bytes.
            track: what is kept of the persons beside it; empty for nothing.

        Returns:
            ``ENTRY_COLUMNS``; None when the leaf cannot be read.
        """
        judged = self.judge(seq, leaf, leaf_hash, track)
        return None if judged is None else _to_columns(*judged)

    def judge(
        self, seq: int, leaf: bytes, leaf_hash: bytes, track: bytes = b""
    ) -> tuple[Fields, datetime, SeenHandoff | None] | None:
        """Check one leaf and decide its act again.

        Args:
            seq: index of the entry.
            leaf: its bytes.
            leaf_hash: the hash that is stored or claimed for it, 32 bytes.
            track: what is kept of the persons beside it; empty for nothing.

        Returns:
            its fields, its time and the handoff after it; None when it cannot be read.
        """
        if sha256(b"\x00" + leaf).digest() != leaf_hash:
            self._finding("leaf-hash", seq, "the stored hash is not that of the leaf", "leaf_hash")
        fields = parse_fields(leaf)
        if fields is None:
            entry = parse_entry(leaf)
            fields = _to_fields(entry) if entry is not None else None
        if fields is None:
            self._finding("leaf-form", seq, "the leaf is not what the gateway writes", "leaf")
            return None
        index, origin, text, case_id, handoff_id = _PLACE_OF(fields)
        if index != str(seq):
            self._finding("leaf-index", seq, "the leaf was written for another index", "seq")
        if not self.origin:
            self.origin = origin or ""
        elif origin != self.origin:
            self._finding("leaf-origin", seq, "the leaf names another log", "leaf")
        recorded_at = parse_instant(text or "")
        if recorded_at is None:
            self._finding("leaf-form", seq, "the leaf is not what the gateway writes", "leaf")
            return None
        case = self.cases.get(case_id) if case_id else None
        handoff = self.handoffs.get(handoff_id) if handoff_id else None
        before = case or NO_CASE
        is_plain = self._is_plain(seq, fields, before, track)
        if is_plain and self._is_known(fields, recorded_at, before, handoff):
            after = _moved(fields, before, handoff)
        else:
            after = self._decide(seq, leaf, fields, recorded_at, before, handoff, None if is_plain else track)
        if after is not None and after is not handoff:
            self.handoffs[handoff_id or ""] = after
        if case_id:
            if case is None:
                case = self.cases[case_id] = SeenCase()
            sequence, state = _CASE_OF(fields)
            case.sequence, case.leaf_hash, case.state = int(sequence or 0), leaf_hash.hex(), state or INITIAL_TEXT
            case.tracks = _tracks_after(case.tracks, track)
        return fields, recorded_at, after

    def _is_plain(self, seq: int, fields: Fields, case: SeenCase, track: bytes) -> bool:
        """Whether no person has a say in the entry; what is kept of them is compared with its digest."""
        digest = fields[_AT["tracks_sha256"]]
        if not track and digest is None:
            return case.tracks is NO_TRACKS or fields[_AT["kind"]] not in _MOVING
        if (digest or "") != row_sha256(track):
            reason = "not what the digest in the entry says of the persons" if track else "the tracks are missing"
            self.report(AuditFinding("track-digest", "track", f"seq={seq}", reason, seq))
        return False

    def _key(
        self, fields: Fields, recorded_at: datetime, case: SeenCase, handoff: SeenHandoff | None
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """What a decision depends on, and what it makes; times and consumers only as far as they are compared."""
        kind, actor, consumer, handoff_kind, case_id, sender, receiver = _ACT_OF(fields)
        about = None
        if handoff is not None:
            sender, receiver = handoff.sender, handoff.receiver
            lease = handoff.lease
            about = (
                handoff.state, handoff.before, handoff.submitted,
                lease is not None, lease is not None and lease > recorded_at, handoff.consumer == (consumer or ""),
            )  # fmt: skip
        key = (kind, handoff_kind, case.state, case.sequence, actor, sender, receiver, about, bool(case_id))
        return key, _MADE_OF(fields)

    def _is_known(  # noqa: PLR0911 - a list of conditions, each with its own way out
        self, fields: Fields, recorded_at: datetime, case: SeenCase, handoff: SeenHandoff | None
    ) -> bool:
        """Whether the same was decided before, and the fields that follow from the heads say so."""
        (
            kind, handoff_id, lease_until, case_id, sequence, previous, handoff_kind, sender, receiver, number, act_id,
        ) = _CHAIN_OF(fields)  # fmt: skip
        if (handoff is None) != (kind == _SUBMITTED or not handoff_id):
            return False
        key, made = self._key(fields, recorded_at, case, handoff)
        if self.decisions.get(key) != made:
            return False
        if kind == _CLAIMED:
            # How long a lease is, is for the caller to say, within limits.
            until = parse_instant(lease_until or "")
            if until is None or not recorded_at < until <= recorded_at + MAX_LEASE:
                return False
        elif lease_until is not None:
            return False
        if case_id:
            if sequence != str(case.sequence + 1) or (previous or "") != case.leaf_hash:
                return False
        elif sequence or previous:
            return False
        if handoff is None:
            if kind != _SUBMITTED:
                return sender is receiver is number is None
            return bool(number) and act_id == handoff_id
        return bool(
            handoff_kind == handoff.kind and sender == handoff.sender and receiver == handoff.receiver
            and number == str(handoff.pair_number) and case_id == handoff.case
        )  # fmt: skip

    def _decide(  # noqa: PLR0917 - one caller, and these are what a decision depends on
        self,
        seq: int,
        leaf: bytes,
        fields: Fields,
        recorded_at: datetime,
        case: SeenCase,
        handoff: SeenHandoff | None,
        track: bytes | None,
    ) -> SeenHandoff | None:
        """Ask the rules, and learn what they said when the leaf agrees."""
        entry = parse_entry(leaf)
        if entry is None:
            self._finding("leaf-form", seq, "the leaf is not what the gateway writes", "leaf")
            return handoff
        if entry.handoff and handoff is None and entry.kind is not EntryKind.SUBMITTED:
            self._finding("handoff-unknown", seq, "no entry of this case submitted the handoff", "handoff_id")
            return head_from_entry(entry, case)
        if (entry.case_sequence, entry.case_previous) != (
            (case.sequence + 1, case.leaf_hash) if entry.case else (0, "")
        ):
            self._finding("case-chain", seq, "the entry does not follow the last one of its case", "case_seq")
        try:
            head = to_head(entry.handoff, handoff)
            decided = decide_act(
                to_command(entry, track or b""),
                Place(index=seq, origin=entry.origin, at=recorded_at, salt=entry.salt),
                # The chain was judged above; here only what was decided counts.
                case=CaseHead(
                    max(entry.case_sequence - 1, 0), entry.case_previous, parse_state(case.state), case.tracks
                ),
                handoff=head,
                last_pair_number=entry.pair_number - 1,
            )
            is_right = to_leaf(decided.entry) == leaf and decided.track_row == (track or b"")
        except (GatewayError, ValueError, TypeError, KeyError, AttributeError):
            is_right = False
        if not is_right:
            self._finding("decision", seq, "the rules do not decide this from the entries before", "leaf")
            return head_from_entry(entry, case) if handoff is None else _moved(fields, case, handoff)
        if track is not None:
            # What persons had a say in is decided anew each time.
            return _moved(fields, case, handoff)
        if len(self.decisions) >= _MAX_DECISIONS:
            self.decisions.clear()
        key, made = self._key(fields, recorded_at, case, handoff)
        self.decisions[key] = made
        return _moved(fields, case, handoff)


def _tracks_after(before: Tracks, track: bytes) -> Tracks:
    try:
        after = from_row(track)[0] if track else None
    except ValueError:
        # The digest of what cannot be read was reported.
        after = None
    return before if after is None else after


def _has_tracks(track: bytes) -> bool:
    try:
        return from_row(track)[0] is not None
    except ValueError:
        return False


def _moved(fields: Fields, case: SeenCase, handoff: SeenHandoff | None) -> SeenHandoff | None:
    """The handoff after an entry."""
    if handoff is None:
        if not fields[_AT["handoff"]]:
            return None
        return SeenHandoff(
            fields[_AT["handoff_kind"]] or "", fields[_AT["sender"]] or "", fields[_AT["receiver"]] or "",
            int(fields[_AT["pair_number"]] or 0), fields[_AT["case"]] or "", fields[_AT["handoff_state"]] or "",
            case.state, int(fields[_AT["case_sequence"]] or 0),
        )  # fmt: skip
    handoff.state = fields[_AT["handoff_state"]] or handoff.state
    if fields[_AT["kind"]] == _CLAIMED:
        handoff.consumer = fields[_AT["consumer"]] or ""
        handoff.lease = parse_instant(fields[_AT["lease_until"]] or "")
    return handoff


def _to_columns(fields: Fields, recorded_at: datetime, handoff: SeenHandoff | None) -> tuple[Any, ...]:
    act_id, handoff_id, number, kind, actor, case_id, state, content, bundle = _COLUMNS_OF(fields)
    sequence = int(number) if number else None
    if handoff is None:
        return (
            recorded_at, act_id, None, sequence, None, None, None, kind, actor, None, None, case_id, None, None, None,
            state, None, content, bundle,
        )  # fmt: skip
    return (
        recorded_at, act_id, handoff_id, sequence, handoff.pair_number, handoff.submitted, handoff.lease, kind, actor,
        handoff.sender, handoff.receiver, case_id, handoff.kind, handoff.state, handoff.consumer, state, handoff.before,
        content, bundle,
    )  # fmt: skip


def _to_fields(entry: Entry) -> Fields | None:
    """Fields of an unusual leaf, in the texts that the usual form gives; None when a number is none."""
    if any(type(value) is not int or value < 0 for value in (entry.index, entry.case_sequence, entry.pair_number)):
        return None
    match = to_leaf(entry).decode("ascii")
    values = parse_object(match.encode(), max_bytes=1 << 20, max_depth=8)
    fields: list[str | None] = []
    for name in FIELDS:
        value = values.get(name)
        fields.append(value if value is None or isinstance(value, str) else _compact(value))
    return tuple(fields)


def _compact(value: Any) -> str:
    import json  # noqa: PLC0415 - almost never

    return json.dumps(value, sort_keys=True, separators=(",", ":"))
