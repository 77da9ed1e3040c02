"""``fsck``: derives everything in the database again from the records alone, and names what does not agree.

1. Schema: tables, columns, constraints, triggers, functions, guards and grants are those of the migrations.
2. Entries: each leaf is canonical, its hash is its hash, its index its index; every column says what the leaf says;
   every case is decided again from its first entry.
3. Tree: indices without a gap, every state's root and frontier, every full tile, every receipt.
4. Bundles, statements, texts of decisions, facts, grants, what was withheld, signer keys: what entries and signed
   manifests commit to; of a case that was destroyed that nothing can be read any more, and that its rows are there.
5. Numbers of the directions, act ids, and rows that belong to nothing.
6. Checkpoints and cosignatures, and checkpoints that somebody remembers.

A plan cuts this into parts that can run side by side; each part reads the same snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gateway.audit.beside_check import check_details, check_facts, check_notices, find_malformed_grants
from gateway.audit.bundle_check import BundleCheck, check_remaining_keys
from gateway.audit.case_replay import CaseReplay
from gateway.audit.finding import AuditFinding, Findings, Severity
from gateway.audit.key_check import load_keys
from gateway.audit.leaf_form import parse_origin
from gateway.audit.receipt_check import ReceiptCheck
from gateway.audit.restriction_check import check_restrictions
from gateway.audit.schema_check import check_schema
from gateway.audit.seal_check import SealKeys, check_seals, sizes_of_seals
from gateway.audit.statement_check import StatementCheck
from gateway.audit.tree_check import TreeCheck, check_upper_tiles
from gateway.audit.tree_scan import TreeScan
from gateway.core.port.fsck import FsckSource
from gateway.core.pseudonym import Pseudonyms

ENTRIES_A_PART: Final = 1_000_000
"""Heads of the cases of so many entries fit into memory."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the auditor brings along; each thing missing leaves a check out, and the summary says so.

    Args:
        now: aware time.
        receipt_certificates: DER of the gateway's receipt certificates, past ones too.
        pseudonym_key: 32 bytes.
        seals: keys of log and witnesses, checkpoints seen before.
    """

    now: datetime
    receipt_certificates: frozenset[bytes] | None = None
    pseudonym_key: bytes | None = None
    seals: SealKeys = field(default_factory=SealKeys)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the work.

    Args:
        what: cases, tree or whole.
        first: number of the part, or first index.
        last: number of parts, or index after the last; None for the end.
        origin: name of the log.
        sizes: sizes whose roots are wanted.
    """

    what: str
    first: int
    last: int | None
    origin: str = ""
    sizes: frozenset[int] = frozenset()


@dataclass(slots=True)
class Outcome:
    """What came of a part, or of all.

    Args:
        findings: at most as many as are kept.
        total: all findings.
        entries: entries whose leaf, columns and case were checked.
        leaves: entries that were built into the tree.
        bundles: bundles checked.
        gone: bundles of these whose case was destroyed.
        roots: computed roots by size.
    """

    findings: list[AuditFinding] = field(default_factory=list)
    total: int = 0
    entries: int = 0
    leaves: int = 0
    bundles: int = 0
    gone: int = 0
    roots: dict[int, bytes] = field(default_factory=dict)

    def take(self, other: Outcome) -> None:
        """Add what came of another part."""
        self.findings += other.findings
        self.total += other.total
        self.entries += other.entries
        self.leaves += other.leaves
        self.bundles += other.bundles
        self.gone += other.gone
        self.roots |= other.roots


@dataclass(frozen=True, slots=True)
class Plan:
    """All parts of a run.

    Args:
        parts: they can run in any order, side by side.
        origin: name of the log.
        size: of the last state.
        is_readable: False when the schema is so wrong that rows cannot be read.
        outcome: what the schema check found.
    """

    parts: tuple[Part, ...]
    origin: str
    size: int
    is_readable: bool
    outcome: Outcome


async def make_plan(source: FsckSource, known: Known, workers: int) -> Plan:
    """Check the schema and cut the rest into parts.

    Args:
        source: the ledger.
        known: what the auditor brings along.
        workers: parts that run side by side.

    Returns:
        the plan.
    """
    findings = Findings()
    if not await check_schema(source, known.now, findings):
        reason = "tables or columns are missing; the rows were not read"
        findings(AuditFinding("rows-unread", "schema", "", reason, severity=Severity.UNKNOWN))
        return Plan((), "", 0, False, Outcome(findings.kept, findings.total))
    head = await source.head()
    origin = await _origin(source)
    sizes = await sizes_of_seals(source, known.seals)
    count = max(head.size, head.last_seq + 1)
    cases = max(workers, -(-count // ENTRIES_A_PART))
    edges = [0, *(await source.boundaries(workers))[:-1]] if head.size else [0]
    ends: list[int | None] = [*edges[1:], None]
    parts = [Part("cases", at, cases) for at in range(cases)]
    parts += [Part("tree", first, last, origin, sizes) for first, last in zip(edges, ends, strict=True)]
    parts.append(Part("whole", 0, None, origin))
    return Plan(tuple(parts), origin, head.size, True, Outcome(findings.kept, findings.total))


async def _origin(source: FsckSource) -> str:
    leaf = await source.first_leaf()
    return parse_origin(leaf) if leaf is not None else ""


async def run_part(
    source: FsckSource, part: Part, known: Known, progress: Callable[[int], None] | None = None
) -> Outcome:
    """Run one part.

    Args:
        source: the same snapshot as the plan's.
        part: what to do.
        known: what the auditor brings along.
        progress: told how many more entries were checked.

    Returns:
        what came of it.
    """
    findings = Findings()
    outcome = Outcome()
    if part.what == "cases":
        replay = CaseReplay(findings)
        async for page in source.entries(part.first, part.last or 1):
            replay.add(page)
            if progress is not None:
                progress(len(page))
        outcome.entries = replay.checked
    elif part.what == "tree":
        scan = TreeScan(source, part.origin, known.receipt_certificates, part.sizes)
        if await scan.is_sound(part.first, part.last):
            outcome.leaves, outcome.roots = scan.checked, scan.roots
        else:
            receipts = ReceiptCheck(findings, part.origin, known.receipt_certificates)
            tree = TreeCheck(source, receipts, findings, part.sizes)
            await tree.run(part.first, part.last)
            outcome.leaves, outcome.roots = tree.checked, tree.roots
        pseudonyms = Pseudonyms(known.pseudonym_key) if known.pseudonym_key is not None else None
        destroyed = await source.destroyed_cases()
        bundles = BundleCheck(source, findings, pseudonyms, await load_keys(source), destroyed)
        await bundles.run(part.first, part.last)
        await StatementCheck(source, findings, pseudonyms, bundles.keys, destroyed).run(part.first, part.last)
        await check_details(source, part.first, part.last, findings, destroyed)
        await check_facts(source, part.first, part.last, findings)
        await check_restrictions(source, part.first, part.last, findings)
        outcome.bundles, outcome.gone = bundles.checked, bundles.gone
    else:
        await _check_whole(source, findings)
    outcome.findings, outcome.total = findings.kept, findings.total
    return outcome


async def _check_whole(source: FsckSource, findings: Findings) -> None:
    """Questions that one part alone cannot answer; the database sorts, so that nothing piles up here."""
    await load_keys(source, findings)
    await check_notices(source, findings)
    await check_remaining_keys(source, findings)
    await check_upper_tiles(source, (await source.head()).size, findings)
    async for page in source.numbering_errors():
        for seq, number, expected in page:
            reason = f"number {number} of its direction, where {expected} is next"
            findings(AuditFinding("pair-number", "entry", f"seq={seq} column=pair_number", reason, seq))
    async for page in source.repeated_acts():
        for act_id, actor, times in page:
            place = f"act_id={act_id} actor={actor}"
            findings(AuditFinding("act-repeated", "entry", place, f"the act stands {times} times"))
    async for page in source.stray_rows():
        for table, place, reason in page:
            findings(AuditFinding("row-stray", table, place, reason))
    async for page in source.grants():
        for finding in find_malformed_grants(page):
            findings(finding)


async def finish(source: FsckSource, plan: Plan, known: Known, outcomes: Iterable[Outcome]) -> Outcome:
    """Bring the parts together and check the seals against the computed roots.

    Args:
        source: the ledger.
        plan: what was planned.
        known: what the auditor brings along.
        outcomes: of every part.

    Returns:
        everything that was found.
    """
    whole = plan.outcome
    for outcome in outcomes:
        whole.take(outcome)
    if not plan.is_readable:
        return whole
    findings = Findings()
    origin = plan.origin or (known.seals.log.name if known.seals.log else "")
    await check_seals(source, whole.roots, known.seals, origin, known.now, findings)
    whole.take(Outcome(findings.kept, findings.total))
    return whole


async def check_ledger(source: FsckSource, known: Known) -> Outcome:
    """Run everything on one source, one part after the other.

    Args:
        source: the ledger.
        known: what the auditor brings along.

    Returns:
        everything that was found.
    """
    plan = await make_plan(source, known, 1)
    outcomes = [await run_part(source, part, known) for part in plan.parts]
    return await finish(source, plan, known, outcomes)
