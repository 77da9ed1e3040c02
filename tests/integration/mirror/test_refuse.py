"""A log that lies to a mirror: everything is refused, evidence is kept, and nothing that was kept is touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.audit.mirror import MirrorRefusedError
from gateway.audit.mirror_check import MirrorFault
from gateway.audit.mirror_file import FILE, create_mirror
from gateway.audit.mirror_store import MirrorStore
from gateway.core.identity import Agency
from gateway.core.log.checkpoint import Checkpoint, sign_checkpoint
from gateway.core.log.fork import verify_fork
from gateway.core.log.mirror import BatchRow, LogPage, MirroredEntry, SealRow
from gateway.core.log.note import NoteKey
from gateway.core.port.seal import MemoryLostError
from gateway.flows.cosign import Offer
from tests.integration.mirror.conftest import MirroredLog, lose_tail
from tests.support.notes import make_key
from tests.tamper.story import ORIGIN, PS


async def checkpoints(log: MirroredLog) -> list[Offer]:
    """Every checkpoint of the ledger as it would be offered, without a proof."""
    connection = await asyncpg.connect(log.dsn)
    rows = await connection.fetch("SELECT size, note FROM ledger.checkpoint ORDER BY size")
    await connection.close()
    return [Offer(row["size"], row["note"].encode()) for row in rows]


def signed(size: int, root: bytes, key: NoteKey, origin: str = ORIGIN) -> Offer:
    """An offer of any tree."""
    return Offer(size, sign_checkpoint(Checkpoint(origin, size, root), key).to_bytes())


async def refused(log: MirroredLog, agency: Agency = PS, **lies: Any) -> MirrorRefusedError:
    """Follow a lying log; nothing of the mirror may change."""
    before = log.content(agency) if (log.folder(agency) / FILE).exists() else None
    with pytest.raises(MirrorRefusedError) as caught:
        await log.follow(agency, **lies)
    if before is not None:
        assert log.content(agency) == before
    else:
        assert log.content(agency)["entry"] == log.content(agency)["head"] == log.content(agency)["seal"] == []
    return caught.value


async def test_log_when_forked_is_refused_and_both_checkpoints_are_kept(log: MirroredLog) -> None:
    """Two signed trees of one size are the evidence; it is kept as it was signed."""
    await log.follow(PS)
    last = (await checkpoints(log))[-1]
    fork = signed(last.size, bytes(32), log.story.log)
    refusal = await refused(log, offer=fork)
    assert refusal.fault is MirrorFault.FORK
    *notes, proof = refusal.evidence
    assert {path.read_bytes() for path in notes} == {last.checkpoint, fork.checkpoint}
    assert verify_fork(proof.read_bytes(), log.story.log.verifier).prefix_root != bytes(32)
    assert all(path.parent == log.folder(PS) / "evidence" for path in refusal.evidence)
    # It goes on where the log does.
    assert (await log.follow(PS)).size == last.size


async def test_log_when_grown_from_another_tree_is_refused(log: MirroredLog) -> None:
    """A larger tree must be proven to begin with the one that was kept."""
    await log.follow(PS)
    last = (await checkpoints(log))[-1]
    refusal = await refused(log, offer=signed(last.size + 1, bytes(32), log.story.log))
    assert (refusal.fault, len(refusal.evidence)) == (MirrorFault.UNPROVEN, 2)


@pytest.mark.parametrize("is_other", [False, True])
async def test_log_when_shrunk_is_refused(log: MirroredLog, is_other: bool) -> None:
    """A tree that was signed does not become smaller; if it is not even a beginning of the old one, it is a fork."""
    await log.follow(PS)
    first = (await checkpoints(log))[0]
    offer = signed(first.size, bytes(32), log.story.log) if is_other else first
    refusal = await refused(log, offer=offer)
    assert refusal.fault is (MirrorFault.FORK if is_other else MirrorFault.SHRUNK)
    notes, proofs = refusal.evidence[:2], refusal.evidence[2:]
    assert len(notes) == 2 and len(proofs) == is_other
    for path in proofs:
        fork = verify_fork(path.read_bytes(), log.story.log.verifier)
        assert (fork.smaller.root, fork.smaller.size) == (bytes(32), first.size) and fork.larger.size > first.size


async def test_log_when_its_database_was_restored_is_refused(log: MirroredLog) -> None:
    """The same through the gateway: a restored backup shows itself."""
    await log.follow(PS)
    await lose_tail(log.dsn, (await checkpoints(log))[0].size)
    assert (await refused(log)).fault is MirrorFault.SHRUNK
    await lose_tail(log.dsn, 0)
    refusal = await refused(log)
    assert (refusal.fault, refusal.size, len(refusal.evidence)) == (MirrorFault.SHRUNK, 0, 1)


@pytest.mark.parametrize(
    "make",
    [
        lambda log, last: replace(last, checkpoint=b"nonsense"),
        lambda log, last: replace(last, checkpoint=last.checkpoint.replace(b"\n\n", b"\nx\n\n", 1)),
        lambda log, last: signed(last.size, bytes(32), make_key("other.invalid/log"), "other.invalid/log"),
    ],
    ids=["nonsense", "changed", "other-log"],
)
async def test_checkpoint_when_false_is_refused(log: MirroredLog, make: Callable[[MirroredLog, Offer], Offer]) -> None:
    """What the log did not sign says nothing."""
    last = (await checkpoints(log))[-1]
    assert (await refused(log, offer=make(log, last))).fault is MirrorFault.FALSE


def first_entry(change: Callable[[MirroredEntry], MirroredEntry], kind: bytes) -> Callable[[LogPage], LogPage]:
    """Change the first entry of a kind."""

    def lie(page: LogPage) -> LogPage:
        entries = list(page.entries)
        for at, entry in enumerate(entries):
            if b'"kind":"' + kind + b'"' in entry.leaf:
                entries[at] = change(entry)
                break
        return replace(page, entries=tuple(entries))

    return lie


def without(name: str) -> Callable[[MirroredEntry], MirroredEntry]:
    """Leave something out that lies beside an entry."""
    return lambda entry: replace(entry, beside={key: body for key, body in entry.beside.items() if key != name})


def other(name: str) -> Callable[[MirroredEntry], MirroredEntry]:
    """Exchange something that lies beside an entry."""
    return lambda entry: replace(entry, beside={**entry.beside, name: b"[]"})


def rebundled(**changes: object) -> Callable[[MirroredEntry], MirroredEntry]:
    """Exchange part of a bundle."""
    return lambda entry: replace(entry, bundle=replace(entry.bundle, **changes))  # type: ignore[type-var]


def batches(change: Callable[[BatchRow], BatchRow]) -> Callable[[LogPage], LogPage]:
    """Change every batch."""
    return lambda page: replace(page, batches=tuple(change(batch) for batch in page.batches))


def unsigned(page: LogPage) -> LogPage:
    """Leave out what was signed for receipts."""
    return replace(page, batches=tuple(replace(batch, receipt_jws="") for batch in page.batches))


HASHES, ENTRY, WITHHELD = MirrorFault.HASHES, MirrorFault.ENTRY, MirrorFault.WITHHELD
LIES = {
    "leaf": (first_entry(lambda e: replace(e, leaf=e.leaf + b" "), b"submitted"), ENTRY),
    "place": (first_entry(lambda e: replace(e, index=e.index + 1), b"key_registered"), ENTRY),
    "outside": (lambda page: replace(page, entries=(*page.entries, replace(page.entries[0], index=999_999))), ENTRY),
    "twice": (lambda page: replace(page, entries=(page.entries[0], *page.entries)), ENTRY),
    "hash": (lambda page: unsigned(replace(page, entries=(), leaf_hashes=(bytes(32), *page.leaf_hashes[1:]))), HASHES),
    "short-hash": (lambda page: replace(page, leaf_hashes=(bytes(31), *page.leaf_hashes[1:])), HASHES),
    "too-many": (lambda page: replace(page, leaf_hashes=page.leaf_hashes * 9), HASHES),
    "none": (lambda page: LogPage(), HASHES),
    "receipt": (batches(lambda b: replace(b, receipt_jws="a.b.c" if b.receipt_jws else "")), ENTRY),
    "no-receipt": (batches(lambda b: replace(b, receipt_jws="")), WITHHELD),
    "batch-start": (batches(lambda b: replace(b, first_index=b.first_index - 1)), ENTRY),
    "batch-end": (batches(lambda b: replace(b, size=b.size + 1, first_index=b.first_index + 1)), ENTRY),
    "no-batches": (lambda page: replace(page, batches=()), WITHHELD),
    "no-bundle": (first_entry(lambda e: replace(e, bundle=None), b"submitted"), WITHHELD),
    "manifest": (first_entry(rebundled(manifest_jws="a.b.c"), b"submitted"), ENTRY),
    "record": (first_entry(rebundled(record=b"<x/>"), b"submitted"), ENTRY),
    "facts": (first_entry(other("facts"), b"submitted"), ENTRY),
    "no-facts": (first_entry(without("facts"), b"submitted"), WITHHELD),
    "stray-facts": (first_entry(other("facts"), b"key_registered"), ENTRY),
    "certificate": (first_entry(other("certificate"), b"key_registered"), ENTRY),
    "no-certificate": (first_entry(without("certificate"), b"key_registered"), WITHHELD),
    "detail": (first_entry(other("detail"), b"withdrawn"), ENTRY),
    "no-detail": (first_entry(without("detail"), b"withdrawn"), WITHHELD),
}


@pytest.mark.parametrize("name", LIES)
async def test_page_when_it_lies_is_refused(log: MirroredLog, name: str) -> None:
    """Each thing that a gateway could get wrong about entries is found before anything is kept."""
    lie, fault = LIES[name]
    assert (await refused(log, lie=lie)).fault is fault


def changed_seal(what: str, **changes: object) -> Callable[[Sequence[SealRow]], Sequence[SealRow]]:
    """Change every seal of a kind."""
    return lambda rows: [replace(row, **changes) if row.what == what else row for row in rows]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "changes", "fault"),
    [
        ("checkpoint", {"text": "nonsense"}, MirrorFault.FALSE),
        ("cosignature", {"text": "nonsense\n"}, MirrorFault.FALSE),
        ("timestamp_token", {"token": bytes(300_000)}, MirrorFault.FALSE),
        ("timestamp_gap", {"size": 0}, MirrorFault.FALSE),
    ],
)
async def test_seal_when_it_lies_is_refused(
    log: MirroredLog, what: str, changes: dict[str, object], fault: MirrorFault
) -> None:
    """Checkpoints and cosignatures are verified before they are kept."""
    assert (await refused(log, lie_of_seals=changed_seal(what, **changes))).fault is fault


async def test_checkpoint_of_another_tree_among_the_seals_is_refused(log: MirroredLog) -> None:
    """A checkpoint that was signed for another tree is evidence wherever it turns up."""
    first = (await checkpoints(log))[0]
    fork = signed(first.size, bytes(32), log.story.log)
    refusal = await refused(
        log, lie_of_seals=changed_seal("checkpoint", size=first.size, text=fork.checkpoint.decode())
    )
    assert refusal.fault is MirrorFault.FORK
    assert fork.checkpoint in {path.read_bytes() for path in refusal.evidence}
    assert verify_fork(refusal.evidence[-1].read_bytes(), log.story.log.verifier).smaller.size == first.size


async def test_round_when_it_breaks_leaves_nothing(log: MirroredLog) -> None:
    """A line that is cut in the middle of a copy leaves the mirror as it was; the next round begins again."""
    count = 0

    def cut(page: LogPage) -> LogPage:
        nonlocal count
        count += 1
        if count == 3:
            raise ConnectionError
        return page

    with pytest.raises(ConnectionError):
        await log.follow(PS, lie=cut, page_size=50)
    assert log.content(PS)["head"] == log.content(PS)["entry"] == []
    assert (await log.follow(PS)).entries > 0


def test_mirror_that_lost_its_file_does_not_go_on(tmp_path: Path) -> None:
    """A copy that begins anew is asked for by name, and never made over another one."""
    with pytest.raises(MemoryLostError, match="no mirror"), MirrorStore(tmp_path):
        pass
    create_mirror(tmp_path, ORIGIN, "ps:999001")
    with pytest.raises(MemoryLostError, match="already"):
        create_mirror(tmp_path, ORIGIN, "ps:999001")
    (tmp_path / FILE).write_bytes(b"nonsense")
    with pytest.raises(MemoryLostError, match="cannot be read"), MirrorStore(tmp_path):
        pass


def test_mirror_is_held_by_one_process_and_read_by_many(tmp_path: Path) -> None:
    """Two that follow would each take the other's rows for news; reading disturbs nobody."""
    create_mirror(tmp_path, ORIGIN, "ps:999001")
    with MirrorStore(tmp_path):
        with pytest.raises(MemoryLostError, match="another process"), MirrorStore(tmp_path):
            pass
        with MirrorStore(tmp_path, is_read_only=True) as reader:
            assert reader.tree.size == 0
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
