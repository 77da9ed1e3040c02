"""What ``fsck`` reads from a database, as a protocol; everything is streamed, nothing is believed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Row = Sequence[Any]
"""One row, its columns in the order that the method names."""
Pages = AsyncIterator[Sequence[Row]]

ENTRY_COLUMNS = (
    "recorded_at", "act_id", "handoff_id", "case_seq", "pair_number", "submitted_seq", "lease_until", "kind", "actor",
    "sender", "receiver", "case_id", "handoff_kind", "handoff_state", "lease_consumer", "case_state", "case_before",
    "content_sha256", "bundle_sha256",
)  # fmt: skip
"""Columns of ``entry`` that repeat what leaf and heads say; ids and digests as text."""


class Unread(StrEnum):
    """Why content of a case could not be read."""

    NO_VAULT = "no vault"
    DESTROYED = "destroyed"
    KEY_MISSING = "key missing"


@dataclass(frozen=True, slots=True)
class Head:
    """The last state of the ledger.

    Args:
        size: number of entries it speaks of.
        root: root hash, 32 bytes.
        last_seq: largest index in ``entry``; -1 for none.
    """

    size: int
    root: bytes
    last_seq: int


class FsckSource(Protocol):
    """One unchanging picture of a ledger's database."""

    async def head(self) -> Head:
        """The last state, and the last entry whatever the state says."""

    async def first_leaf(self) -> bytes | None:
        """Leaf of the first entry that there is; None for an empty ledger."""

    async def boundaries(self, parts: int) -> list[int]:
        """Sizes of states that cut the ledger into about equal parts, ascending, the last state's size at the end."""

    async def frontier(self, size: int) -> bytes | None:
        """Frontier that the state of a size claims; None when there is no such state."""

    def entries(self, part: int, parts: int) -> Pages:
        """Entries by index: seq, leaf, leaf_hash and ENTRY_COLUMNS; then case_id, is_changed and
        body of its row of tracks, or None; of the cases that belong to the part."""

    def tree(self, start: int, stop: int | None) -> Pages:
        """Every entry of a range by index: seq, leaf_hash, recorded_at, kind."""

    def batches(self, start: int, stop: int | None) -> Pages:
        """States with start < size <= stop, by size, with the entries between the state before (or start) and them:
        size, recorded_at, root, frontier; size before, smallest index, largest, number of different ones, their leaf
        hashes in order as one piece, whether all have the time of the state, their kinds; jws of the batch or None."""

    async def count_entries(self, start: int, stop: int | None) -> int:
        """Number of entries of a range."""

    async def count_receipts(self, start: int, stop: int | None) -> int:
        """Number of rows with signatures of batches in a range."""

    def receipts(self, start: int, stop: int | None) -> Pages:
        """Signatures of the batches that begin in a range: index of their first entry, jws."""

    def states(self, start: int, stop: int | None) -> Pages:
        """States with start < size <= stop, by size: size, recorded_at, root, frontier."""

    def tiles(self, level: int, start: int, stop: int | None) -> Pages:
        """Tiles of a level with start <= place < stop, by place: place, root, data."""

    def bundles(self, start: int, stop: int | None) -> Pages:
        """Submits by index with their bundles: seq, leaf, handoff_id, bundle's seq, sender, idempotency_key,
        case_number, manifest_jws, record, why the last three cannot be read (``Unread``, or the column whose seal is
        broken, or ""); the columns after the leaf are None when there is no bundle."""

    def statements(self, start: int, stop: int | None) -> Pages:
        """Entries ``stated`` by index with their rows: seq, leaf, row's seq, statement_id, issuer, statement_type,
        case_id, case_number, statement_jws, why the last two cannot be read; the columns after the leaf are None when
        there is no row."""

    async def progress(self, indices: Sequence[int]) -> list[Row]:
        """What parties may be told by the statements of some indices: seq, token, case_id, stage, since, next_remedy,
        remedy_until."""

    def details(self, start: int, stop: int | None) -> Pages:
        """Entries that may have a detail, or have one, by index: seq, leaf, body or None, why it cannot be read."""

    async def destroyed_cases(self) -> dict[str, int]:
        """Cases that an entry says were destroyed, with its index."""

    async def remaining_keys(self, cases: Sequence[str]) -> list[str]:
        """Cases of these whose key is still in the vault; none when the vault cannot be seen."""

    async def missing_materials(self, materials: Sequence[tuple[bytes, str]]) -> list[int]:
        """Positions of the materials, each with the case that names it, that are not in the table."""

    def facts(self, start: int, stop: int | None) -> Pages:
        """Entries that have facts beside them, or whose leaf says so, by index: seq, leaf; case_id and body of the row
        or None."""

    def notices(self) -> Pages:
        """Entries about limits and rows of notices, by index: seq, leaf or None, agencies of the rows, sorted."""

    async def missing_grants(self, grants: Sequence[tuple[str, bytes, int]]) -> list[int]:
        """Positions of the grants (agency, SHA-256, index of the entry that gave it) that are not in the table; not of
        those that the entry withheld."""

    def restrictions(self, start: int, stop: int | None) -> Pages:
        """Entries whose leaf says that something was withheld, or that have rows of it, by index: seq, leaf; agencies,
        digests (hexadecimal) and views of the rows."""

    def grants(self) -> Pages:
        """All grants: agency, sha256."""

    def numbering_errors(self) -> Pages:
        """Submits whose number is not the next of their direction: seq, number found, number expected."""

    def repeated_acts(self) -> Pages:
        """Acts that stand more than once: act_id, actor, how often."""

    def stray_rows(self) -> Pages:
        """Rows that belong to nothing: table, place, reason."""

    def signer_keys(self) -> Pages:
        """Entries about signer keys and the rows beside them, by index: seq of the entry, leaf; seq, key_id and
        certificate of the row; None for what is not there."""

    def checkpoints(self) -> Pages:
        """All checkpoints by size and time: size, signed_at, note; time of the state of that size, or None."""

    def cosignatures(self) -> Pages:
        """All cosignatures: size, witness, cosigned_at, line; note of that size or None, time of its first signing."""

    def timestamp_tokens(self) -> Pages:
        """All time-stamp tokens: size, stamped_at, note_sha256, token, notes of that size, tokens of that size."""

    def timestamp_gaps(self) -> Pages:
        """All gaps: size, noticed_at, code, first signing of that size or None."""

    async def catalogue(self) -> list[str]:
        """The schema, one line a thing."""

    async def expected_catalogue(self) -> list[str]:
        """The schema as the migrations of this version make it."""

    async def migrations(self) -> tuple[list[tuple[str, bytes]], list[Row]]:
        """Names and digests of this version's migrations; rows of ``schema_migration``: name, sha256, applied_at."""

    async def unread_tables(self) -> list[str]:
        """Tables of the schema that no method here reads and that hold rows."""
