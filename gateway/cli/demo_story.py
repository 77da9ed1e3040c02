"""The play itself: every handoff over real gRPC with mutual TLS, each agency with its own certificate."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gateway.cli.connection import open_client
from gateway.cli.demo_case import Act
from gateway.cli.demo_stage import CALLERS, Stage
from gateway.cli.draft import DraftRequest, make_draft
from gateway.cli.fetch import read_manifest
from gateway.core.identity import parse_agency
from gateway.rpc.client_answer import Decision
from gateway.rpc.client_error import EvidenceRejected

if TYPE_CHECKING:
    from gateway.core.port.ledger import InboxRow
    from gateway.rpc.client import GatewayClient
    from gateway.rpc.client_answer import Fetched
    from gateway.rpc.client_ledger import CaseTimeline, ConsistencyProof, InclusionProof
    from gateway.rpc.client_receipt import Receipt
    from gateway.rpc.client_sealed import SealedReceipt

OVERSIGHT: Final = "ov:110000"
CONSUMER: Final = "demo"
SEEN_SECONDS: Final = 10.0
SEAL_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class ActDone:
    """What happened in one handoff.

    Args:
        act: what was to happen.
        kind: record kind.
        handoff: its id.
        case_number: police case number.
        pair_number: gapless number in the direction.
        uploaded: files that were sent.
        uploaded_bytes: their size.
        unchanged: materials that an earlier handoff had brought.
        seen_milliseconds: from the receipt of the submit to the receiver's inbox stream; 0 when it was there first.
        downloaded: materials that the receiver opened, digests checked.
        withheld: materials that the receiver is not granted: recordings, and for justice what it does not need.
        rendition_bytes: size of the rendition.
        encoding: of the rendition.
        actions: lines of the mapping report by action.
        receipts: submit, claim, fetch, decision; all verified.
    """

    act: Act
    kind: str
    handoff: UUID
    case_number: str
    pair_number: int
    uploaded: int
    uploaded_bytes: int
    unchanged: int
    seen_milliseconds: float
    downloaded: int
    withheld: int
    rendition_bytes: int
    encoding: str
    actions: dict[str, int]
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """What oversight finds at the end.

    Args:
        timeline: the case, its chain verified.
        inclusion: that the first handoff is in the tree, verified.
        consistency: that the tree only grew since that handoff, verified.
    """

    timeline: CaseTimeline
    inclusion: InclusionProof
    consistency: ConsistencyProof


class Cast:
    """The five callers, each with its own connection; the receivers follow their inboxes from the start.

    Args:
        clients: by agency, short form.
    """

    def __init__(self, clients: dict[str, GatewayClient]) -> None:
        self.clients = clients
        self._arrived: dict[UUID, asyncio.Future[float]] = {}

    async def follow(self, agency: str) -> None:
        """Follow an inbox and note when each handoff arrives.

        Args:
            agency: whose.
        """
        row: InboxRow
        async for row, _ in self.clients[agency].watch_inbox():
            self._arrival(row.handoff).set_result(time.perf_counter())

    async def arrival(self, handoff: UUID) -> float:
        """Wait until a handoff arrives.

        Args:
            handoff: which.

        Returns:
            when, by ``time.perf_counter``.

        Raises:
            EvidenceRejected: it did not arrive.
        """
        try:
            return await asyncio.wait_for(self._arrival(handoff), SEEN_SECONDS)
        except TimeoutError:
            raise EvidenceRejected("the handoff did not reach the receiver's inbox") from None

    def _arrival(self, handoff: UUID) -> asyncio.Future[float]:
        return self._arrived.setdefault(handoff, asyncio.get_running_loop().create_future())


@asynccontextmanager
async def open_cast(stage: Stage) -> AsyncIterator[Cast]:
    """Connect the five callers.

    Args:
        stage: a running gateway.

    Yields:
        the callers.
    """
    async with AsyncExitStack() as stack:
        clients = {agency: await stack.enter_async_context(open_client(stage.settings(agency))) for agency in CALLERS}
        cast = Cast(clients)
        async with asyncio.TaskGroup() as group:
            followers = [group.create_task(cast.follow(agency)) for agency in CALLERS if agency != OVERSIGHT]
            try:
                yield cast
            finally:
                for follower in followers:
                    follower.cancel()


async def play_act(cast: Cast, act: Act) -> ActDone:
    """Hand one record over, and take it: submit, watch, claim, fetch, open the materials, accept.

    Args:
        cast: the callers.
        act: which.

    Returns:
        what happened.

    Raises:
        EvidenceRejected: something does not verify, or the rendition is not the published one.
        CallRefused: the gateway refused.
    """
    sender, receiver = cast.clients[act.sender], cast.clients[act.receiver]
    request = DraftRequest(act.record, parse_agency(act.sender), folders=[act.outbox])
    draft, _ = await make_draft(request, sender)
    done = await sender.submit_bundle(draft)
    at = time.perf_counter()
    seen = await cast.arrival(draft.bundle_id)
    claimed = await receiver.claim(draft.bundle_id, CONSUMER)
    fetched = await receiver.fetch(draft.bundle_id, CONSUMER)
    _compare(act, fetched)
    downloaded = await _open_materials(receiver, fetched, draft.bundle_id, act.inbox)
    decided = await receiver.decide(draft.bundle_id, CONSUMER, Decision.ACCEPT)
    return ActDone(
        act=act,
        kind=draft.kind.value,
        handoff=draft.bundle_id,
        case_number=draft.case_number,
        pair_number=done.submitted.pair_number,
        uploaded=len(done.uploaded),
        uploaded_bytes=sum(file.size for file in done.uploaded),
        unchanged=len(draft.unchanged),
        seen_milliseconds=max(0.0, (seen - at) * 1000),
        downloaded=downloaded,
        withheld=len(fetched.withheld),
        rendition_bytes=len(fetched.rendition.data),
        encoding=fetched.rendition.encoding,
        actions=dict(Counter(line.action for line in fetched.report)),
        receipts=(done.submitted.receipt, claimed.receipt, fetched.receipt, decided),
    )


def _compare(act: Act, fetched: Fetched) -> None:
    if fetched.rendition.data != act.expected_rendition:
        raise EvidenceRejected(f"handoff {act.number}: the rendition differs from the published sample")
    report = Counter((line.action, line.source, line.target) for line in fetched.report)
    if report != Counter(act.expected_report):
        raise EvidenceRejected(f"handoff {act.number}: the mapping report differs from the published sample")
    is_withheld = act.receiver.startswith("ja:") and any(line.action == "withheld" for line in fetched.report)
    if fetched.is_original_withheld is not is_withheld:
        raise EvidenceRejected(f"handoff {act.number}: justice gets what it may see, and the others get the original")
    if fetched.record != (b"" if is_withheld else act.record.read_bytes()):
        raise EvidenceRejected(f"handoff {act.number}: the record is not the one that was sent")


async def _open_materials(receiver: GatewayClient, fetched: Fetched, handoff: UUID, folder: Path) -> int:
    materials = read_manifest(fetched.manifest_jws, handoff).materials
    granted = [material for material in materials if material.sha256 not in fetched.withheld]
    for material in granted:
        await receiver.download(material.sha256, folder / material.sha256)
    return len(granted)


async def play_ending(cast: Cast, first: ActDone) -> Ending:
    """Let oversight look at the case and prove that nothing was rewritten.

    Args:
        cast: the callers.
        first: the first handoff.

    Returns:
        timeline and proofs, verified.

    Raises:
        EvidenceRejected: something does not verify.
    """
    oversight, receipt = cast.clients[OVERSIGHT], first.receipts[0]
    timeline = await oversight.get_case_timeline(first.case_number)
    inclusion = await oversight.prove_inclusion(receipt.entry_index, leaf_hash=receipt.leaf_hash)
    consistency = await oversight.prove_consistency(receipt.entry_index + 1, second_size=inclusion.tree_size)
    if consistency.second_root_hash != inclusion.root_hash:
        raise EvidenceRejected("the gateway showed two roots for one tree")
    return Ending(timeline, inclusion, consistency)


async def play_seal(cast: Cast, done: ActDone) -> list[SealedReceipt]:
    """Let the sender wait until all receipts of a handoff are sealed by the witnesses.

    Args:
        cast: the callers.
        done: the handoff.

    Returns:
        the sealed receipts, verified against the witness policy.

    Raises:
        EvidenceRejected: a proof does not verify, or the seal does not come.
    """
    status = await cast.clients[done.act.sender].get_receipt(done.handoff, wait_seconds=SEAL_SECONDS)
    sealed = [item for item in status.sealed if item is not None]
    if len(sealed) < len(done.receipts):
        raise EvidenceRejected(f"the witnesses did not seal the receipts within {SEAL_SECONDS} seconds")
    return sealed
