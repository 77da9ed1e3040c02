"""What the rules said of a record when it was handed over, for its receiver, who decides by it what to ask for.

Entries have the result and a digest of the inputs, not the findings: those hold paths of the record. They are found
again by judging the stored record anew, and told only when rule set and digest are those of the entry; a register or
rule of today is never told as one of then.

Source: domain model, section 0 (5) and 3 (the procuratorate sees whether an officer's qualification is valid);
gateway/core/PROCEDURE.md (severity).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gateway.core.entry import from_leaf
from gateway.core.errors import Finding
from gateway.core.identity import Role
from gateway.core.manifest import Manifest
from gateway.core.port.ledger import StoredHandoff
from gateway.core.route import RecordKind
from gateway.flows.annex import read_annexes
from gateway.flows.carried import find_carried
from gateway.flows.judge import judge_overridden, to_findings
from gateway.flows.parts import Parts
from gateway.flows.stated import LEGAL_REVIEW, find_stated

if TYPE_CHECKING:
    from gateway.core.case.case import Reading

_READERS: Final = frozenset({Role.POLICE, Role.PROCURATORATE, Role.COURT})
_MOMENTS: Final = (timedelta(0), timedelta(minutes=10))
"""A judgement was made a moment before its entry: at midnight that was the day before."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the rules said.

    Args:
        rule_set: id of the rule set, as the entry of the submit names it; "" when nobody judged.
        result: as that entry has it.
        findings: with paths in the sender's file.
        is_complete: whether the findings are those of then; False when they cannot be found again, and none are told.
    """

    rule_set: str = ""
    result: str = ""
    findings: tuple[Finding, ...] = ()
    is_complete: bool = False


async def find_told(parts: Parts, stored: StoredHandoff, manifest: Manifest, reading: Reading) -> Told:
    """Find what the rules said of a handoff when it was submitted.

    Args:
        parts: the filled ports.
        stored: the handoff.
        manifest: of its bundle.
        reading: of its record.

    Returns:
        it; nothing for justice, which needs nothing of it, and for a record that nobody judged.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE, or what opening a statement of the case refuses.
    """
    if manifest.receiver.role not in _READERS or not stored.receipts:
        return Told()
    entry = from_leaf(stored.receipts[0].leaf)
    if not entry.inputs_sha256:
        return Told()
    annexes, _ = await read_annexes(parts, manifest, ())
    carried = await find_carried(parts, manifest, reading.case)
    is_transfer = manifest.kind in (RecordKind.TRANSFER, RecordKind.RETRANSFER)
    register = await parts.registers.find(parts.reader, manifest.sender) if is_transfer else {}
    sender, number, before = manifest.sender, manifest.case_number, entry.index
    reviews = await find_stated(parts, LEGAL_REVIEW, sender, number, before=before) if is_transfer else ()
    for earlier in _MOMENTS:
        outcome = await judge_overridden(
            parts, reading, manifest, entry.recorded_at - earlier, before=before,
            annexes=annexes, carried=carried, register=register, reviews=reviews,
        )  # fmt: skip
        if (outcome.rule_set, outcome.inputs_sha256) == (entry.rule_set, entry.inputs_sha256):
            return Told(entry.rule_set, entry.rule_result, tuple(to_findings(parts, reading, outcome)), True)
    return Told(entry.rule_set, entry.rule_result)
