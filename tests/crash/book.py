"""What was acknowledged, held against what the ledger holds: lost, doubled, and receipts that lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from cryptography import x509

from gateway.core.entry import Entry, EntryKind, from_leaf
from gateway.core.errors import GatewayError
from gateway.trust.receipt import verify_receipt
from gateway.v1 import common_pb2, ledger_pb2

Key = tuple[str, str]
"""Act id and actor: what may stand in the ledger once."""

ONCE = (EntryKind.SUBMITTED, EntryKind.ACCEPTED)
"""What a handoff sees once, whatever ids its callers choose."""


class LedgerBrokenError(AssertionError):
    """The ledger is not whole, apart from what was acknowledged."""


class Roots:
    """Roots of a tree that grows, one for each size (RFC 6962, section 2.1); written apart from the gateway's own.

    Attributes:
        of: root by size.
    """

    def __init__(self) -> None:
        self.of = [sha256(b"").digest()]
        self._peaks: list[tuple[int, bytes]] = []

    def append(self, leaf_hash: bytes) -> None:
        """Take the next leaf."""
        width, top = 1, leaf_hash
        while self._peaks and self._peaks[-1][0] == width:
            top = sha256(b"\x01" + self._peaks.pop()[1] + top).digest()
            width *= 2
        self._peaks.append((width, top))
        root = top
        for _, peak in reversed(self._peaks[:-1]):
            root = sha256(b"\x01" + peak + root).digest()
        self.of.append(root)


@dataclass(slots=True)
class Book:
    """Keeps receipts, reads entries, and counts what is wrong.

    Args:
        signing_ca: CA of the certificate that signs receipts.
        acknowledged: receipts by act.
        roots: of the entries read so far.
        entries: read so far, by index.
        lost: acknowledged acts that are not in the ledger.
        doubled: entries that say again what another says.
        lying_receipts: receipts that say other than the ledger, or changed.
    """

    signing_ca: x509.Certificate
    acknowledged: dict[Key, common_pb2.Receipt] = field(default_factory=dict)
    roots: Roots = field(default_factory=Roots)
    entries: list[Entry] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    lying_receipts: int = 0
    _unverified: list[Key] = field(default_factory=list)
    _index_of: dict[Key, int] = field(default_factory=dict)
    _once: set[tuple[str, EntryKind]] = field(default_factory=set)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.lying_receipts)

    def acknowledge(self, act: UUID | str, actor: str, receipt: common_pb2.Receipt) -> None:
        """Note a receipt; the same act must always be told the same."""
        key = (str(act), actor)
        known = self.acknowledged.setdefault(key, receipt)
        if known is receipt:
            self._unverified.append(key)
        elif known.SerializeToString() != receipt.SerializeToString():
            self.lying_receipts += 1

    def read(self, found: Sequence[ledger_pb2.Entry]) -> None:
        """Take the next entries of the ledger.

        Args:
            found: from the first that was not read yet.

        Raises:
            LedgerBrokenError: an index or a hash is not what it must be.
        """
        for row in found:
            entry = from_leaf(row.leaf)
            index = len(self.entries)
            if (row.index, entry.index) != (index, index):
                raise LedgerBrokenError(f"entry {index} is not there")
            if row.leaf_hash != sha256(b"\x00" + row.leaf).digest():
                raise LedgerBrokenError(f"entry {index} has another hash")
            key, fact = (entry.act_id, entry.actor), (entry.handoff, entry.kind)
            self.doubled += key in self._index_of or (entry.kind in ONCE and fact in self._once)
            self._index_of.setdefault(key, index)
            self._once.add(fact)
            self.entries.append(entry)
            self.roots.append(row.leaf_hash)

    def check(self) -> None:
        """Hold the receipts that came since the last time against the entries read so far."""
        now = datetime.now(UTC)
        for key in self._unverified:
            receipt = self.acknowledged[key]
            index = self._index_of.get(key)
            if index is None:
                self.lost += 1
            elif not self._is_true(receipt, index, now):
                self.lying_receipts += 1
        self._unverified.clear()

    def _is_true(self, receipt: common_pb2.Receipt, index: int, now: datetime) -> bool:
        try:
            claims = verify_receipt(receipt.jws, leaf=receipt.leaf, signing_ca=self.signing_ca, now=now)
        except GatewayError:
            return False
        return (
            claims.entry_index == receipt.entry_index == index
            and claims.tree_size < len(self.roots.of)
            and claims.root_hash == self.roots.of[claims.tree_size].hex()
            and claims.leaf_hash == receipt.leaf_hash.hex() == sha256(b"\x00" + receipt.leaf).hexdigest()
            and from_leaf(receipt.leaf) == self.entries[index]
        )
