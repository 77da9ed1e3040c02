"""The mirror of an agency: it follows the log like a witness, and keeps all hashes and every entry the agency may see.

Nothing is kept that was not verified against a checkpoint the log signed, and nothing that was kept is overwritten. A
log that forks, shrinks or gives what does not hash to its place is refused; both checkpoints stay as evidence, those of
a fork with the hashes that prove it to anybody (`core.log.fork`).

Source: RFC 6962, section 2.1; C2SP tlog-checkpoint, tlog-cosignature.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from gateway.audit.mirror_check import MirrorFault, PageRefusedError
from gateway.audit.mirror_copy import Copying
from gateway.audit.mirror_file import keep_evidence
from gateway.audit.mirror_store import MirrorStore
from gateway.core.identity import Agency
from gateway.core.log.checkpoint import Checkpoint, verify_checkpoint
from gateway.core.log.cosignature import verify_cosignature
from gateway.core.log.fork import find_fork
from gateway.core.log.merkle import ProofError, verify_consistency
from gateway.core.log.mirror import LogOffer, MirrorGateway, SealRow
from gateway.core.log.note import NoteError, VerifierKey, parse_signature_line
from gateway.core.port.seal import SeenTree

SEALS_AGAIN: Final = 100
"""Seals of so many last checkpoints are asked for again in each round: cosignatures and time stamps come later."""
_MAX_SEAL: Final = 256 * 1024


class MirrorRefusedError(Exception):
    """The log is not what it was or says; nothing was taken over.

    Args:
        fault: what kind of thing is wrong.
        size: of the checkpoint that was shown; 0 for none.
        reason: in words.
        evidence: files with the checkpoints concerned.
    """

    def __init__(self, fault: MirrorFault, size: int, reason: str, evidence: tuple[Path, ...] = ()) -> None:
        super().__init__(f"{fault}: {reason}")
        self.fault = fault
        self.size = size
        self.evidence = evidence


@dataclass(frozen=True, slots=True)
class Followed:
    """What a round brought.

    Args:
        size: of the tree afterwards.
        entries: entries that are new in the mirror.
        bundles: bundles among them.
        seals: new checkpoints, cosignatures, tokens and gaps.
    """

    size: int
    entries: int = 0
    bundles: int = 0
    seals: int = 0


class Mirror:
    """Follows one log for one agency.

    Args:
        store: open, held by this process.
        agency: whose mirror it is.
        log: key of the log.
        witnesses: keys of witnesses; a cosignature in the name of one of them must verify.
    """

    def __init__(
        self, store: MirrorStore, agency: Agency, log: VerifierKey, witnesses: tuple[VerifierKey, ...] = ()
    ) -> None:
        self._store = store
        self._agency = agency
        self._log = log
        self._witnesses = {key.name: key for key in witnesses}

    async def follow_once(self, gateway: MirrorGateway, *, wait_seconds: int = 0) -> Followed:
        """Ask the gateway once, and take over what continues the mirror.

        1. The checkpoint is of the log and signed by it. 2. It is not smaller than the last, not another one of the
        same size, and proven to continue it. 3. Every leaf hash is fetched, and every entry checked against its own.
        4. The tree of all of them has the signed root. 5. Every signed checkpoint is one of this tree. All of it is
        kept in one transaction, or nothing.

        Args:
            gateway: of the log.
            wait_seconds: how long it may wait for news.

        Returns:
            what was new.

        Raises:
            MirrorRefusedError: a step failed; nothing was taken over, the checkpoints concerned are kept as evidence.
            MemoryLostError: the mirror contradicts itself.
        """
        seen = self._store.tree
        offer = await gateway.poll_checkpoint("", seen.size, wait_seconds=wait_seconds)
        if offer.size == 0 == seen.size:
            return Followed(0)
        checkpoint = self._judge(offer, seen)
        with self._store.round():
            copied = await self._copy(gateway, offer, checkpoint) if checkpoint.size > seen.size else None
            seals = await self._copy_seals(gateway, offer, checkpoint.size)
        if copied is None:
            return Followed(checkpoint.size, seals=seals)
        return Followed(checkpoint.size, copied.entries, copied.bundles, seals)

    def _judge(self, offer: LogOffer, seen: SeenTree) -> Checkpoint:
        # 1
        if offer.size == 0:
            self._refuse(MirrorFault.SHRUNK, 0, "the log shows no checkpoint any more", self._store.last_note())
        try:
            checkpoint, _ = verify_checkpoint(offer.checkpoint, self._log)
        except NoteError as error:
            self._refuse(MirrorFault.FALSE, 0, str(error), offer.checkpoint)
        size, both = checkpoint.size, (self._store.last_note(), offer.checkpoint)
        # 2
        if size < seen.size:
            is_other = self._store.root_at(size) != checkpoint.root
            reason = f"shows {size} entries, showed {seen.size}" + (", and another tree" if is_other else "")
            self._refuse(MirrorFault.FORK if is_other else MirrorFault.SHRUNK, size, reason, *both)
        if size == seen.size and checkpoint.root != seen.root:
            self._refuse(MirrorFault.FORK, size, f"two trees of {size} entries are signed", *both)
        if size > seen.size > 0:
            try:
                verify_consistency(seen.size, size, seen.root, checkpoint.root, offer.proof)
            except ProofError:
                reason = f"nothing proves that {size} entries continue the {seen.size} that were signed"
                self._refuse(MirrorFault.UNPROVEN, size, reason, *both)
        return checkpoint

    async def _copy(self, gateway: MirrorGateway, offer: LogOffer, checkpoint: Checkpoint) -> Copying:
        copying = Copying(self._store, self._agency, self._log.name, checkpoint.size)
        try:
            # 3
            while copying.frontier.size < checkpoint.size:
                copying.take(await gateway.list_entries(copying.frontier.size, checkpoint.size))
            # 4
            copying.finish(checkpoint.root)
        except PageRefusedError as error:
            self._refuse(error.fault, checkpoint.size, str(error), self._store.last_note(), offer.checkpoint)
        return copying

    async def _copy_seals(self, gateway: MirrorGateway, offer: LogOffer, size: int) -> int:
        found = skip = 0
        start = self._store.recent_size(SEALS_AGAIN)
        while True:
            page = await gateway.list_seals(start, skip)
            # What is about a larger tree comes with the next round.
            rows = [row for row in page if row.size <= size]
            for row in rows:
                # 5
                self._check_seal(row, offer)
            found += self._store.add_seals(rows)
            if not page or len(rows) < len(page):
                return found
            last = page[-1].size
            known = sum(row.size == last for row in page)
            start, skip = last, known + (skip if last == start else 0)

    def _check_seal(self, row: SealRow, offer: LogOffer) -> None:
        if row.size <= 0 or len(row.text) + len(row.token) > _MAX_SEAL:
            self._refuse(MirrorFault.FALSE, row.size, f"a {row.what} is malformed")
        if row.what == "checkpoint":
            self._check_checkpoint(row, offer)
        elif row.what == "cosignature" and row.witness in self._witnesses:
            try:
                line = parse_signature_line(row.text.removesuffix("\n"))
                text = Checkpoint(self._log.name, row.size, self._store.root_at(row.size)).to_text()
                verify_cosignature(text, line, self._witnesses[row.witness])
            except NoteError as error:
                self._refuse(MirrorFault.FALSE, row.size, f"a cosignature of {row.witness} does not verify: {error}")

    def _check_checkpoint(self, row: SealRow, offer: LogOffer) -> None:
        note = row.text.encode("utf-8", "surrogateescape")
        try:
            checkpoint, _ = verify_checkpoint(note, self._log)
        except NoteError as error:
            self._refuse(MirrorFault.FALSE, row.size, f"a checkpoint of the log: {error}", note)
        if checkpoint.size != row.size or self._store.root_at(row.size) != checkpoint.root:
            reason = f"a signed checkpoint of {checkpoint.size} entries is not of the tree that was copied"
            self._refuse(MirrorFault.FORK, row.size, reason, self._store.last_note(), note, tree=offer.checkpoint)

    def _refuse(self, fault: MirrorFault, size: int, reason: str, *notes: bytes, tree: bytes = b"") -> NoReturn:
        """Keep the evidence and give up.

        Args:
            fault: what kind of thing is wrong.
            size: of the checkpoint that was shown.
            reason: in words.
            notes: the checkpoints concerned; of a fork the last one is that which contradicts.
            tree: signed checkpoint of the tree that the store has; empty for the newest that it kept.
        """
        name = f"{fault}-{size:019d}"
        evidence = keep_evidence(self._store.folder, name, *(note for note in dict.fromkeys(notes) if note))
        if fault is MirrorFault.FORK:
            # Of a checkpoint beyond the own tree nothing can be proved from here.
            with suppress(NoteError, ProofError):
                proof = find_fork(notes[-1], tree or self._store.last_note(), self._log, self._store.read_node)
                evidence += keep_evidence(self._store.folder, name, *filter(None, [proof]), suffix=".fork.json")
        raise MirrorRefusedError(fault, size, reason, evidence)
