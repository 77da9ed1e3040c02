"""Decisions: accept, ask for a supplement, refuse; and the sender's withdrawal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gateway.core.command import Command
from gateway.core.entry import EntryKind
from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.core.identity import Agency
from gateway.core.port.ledger import Appended
from gateway.flows.fetch import append_act
from gateway.flows.judge import judge_acceptance
from gateway.flows.parts import Parts
from gateway.flows.request import MAX_TEXT, content_sha256, parse_act, to_canonical

MAX_DEFICIENCIES = 200
MAX_REASONS = 50
_DOCUMENT = re.compile(r"(?:[A-Z][0-9]{2,3})?", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_PERSON = re.compile(r"[0-9A-Z-]{0,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Deficiency:
    """Something missing from a file: document code or "", person key or "", what is asked."""

    document_code: str
    person_key: str
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a handoff is refused: a code in the receiver's terms and the reason in words."""

    code: str
    text: str


async def decide_handoff(
    parts: Parts,
    caller: Agency,
    *,
    handoff_id: str,
    consumer: str,
    act_id: str,
    decision: EntryKind | None,
    deficiencies: Sequence[Deficiency],
    reasons: Sequence[Reason],
) -> Appended:
    """Record a decision on a handoff; where a court accepts an indictment, with what the rules say of it on that day.

    Args:
        parts: the filled ports.
        caller: the receiver.
        handoff_id: the handoff.
        consumer: name of the consumer that holds the lease.
        act_id: idempotency id.
        decision: ACCEPTED, SUPPLEMENT_ASKED or REFUSED; None when the caller named none.
        deficiencies: what is missing, for SUPPLEMENT_ASKED only.
        reasons: why, for REFUSED only.

    Returns:
        the entry.

    Raises:
        GatewayError: DECISION_INCOMPLETE and ARGUMENT_INVALID, all at once, or what the ledger refuses.
    """
    handoff, act = parse_act(handoff_id, act_id, consumer)
    pseudonym = parts.pseudonyms.consumer(str(caller), consumer)
    findings = _judge(decision, deficiencies, reasons)
    if findings or decision is None:
        error = GatewayError(findings)
        error.handoff = handoff
        raise error
    detail = _detail(decision, deficiencies, reasons)
    judged = None
    if decision is EntryKind.ACCEPTED:
        judged = await judge_acceptance(parts, caller, await parts.reader.handoff(handoff))
    return await append_act(
        parts,
        Command(
            kind=decision,
            actor=caller,
            act_id=act,
            content_sha256=content_sha256(
                act=decision.value, handoff=handoff_id, consumer=pseudonym, detail=sha256(detail).hexdigest()
            ),
            handoff=handoff,
            consumer=pseudonym,
            detail=detail,
            detail_sha256=sha256(detail).hexdigest() if detail else "",
            rule_set=judged.rule_set if judged else "",
            rule_result=judged.result.value if judged else "",
            inputs_sha256=judged.inputs_sha256 if judged else "",
        ),
    )


async def withdraw_handoff(parts: Parts, caller: Agency, *, handoff_id: str, act_id: str, reason: str) -> Appended:
    """Record that the sender takes a handoff back.

    Args:
        parts: the filled ports.
        caller: the sender.
        handoff_id: the handoff.
        act_id: idempotency id.
        reason: 1 to 2,000 characters.

    Returns:
        the entry.

    Raises:
        GatewayError: ARGUMENT_INVALID, or what the ledger refuses.
    """
    handoff, act = parse_act(handoff_id, act_id)
    findings = list(_text(reason, "reason"))
    if findings:
        raise GatewayError(findings)
    detail = to_canonical({"reason": reason})
    return await append_act(
        parts,
        Command(
            kind=EntryKind.WITHDRAWN,
            actor=caller,
            act_id=act,
            content_sha256=content_sha256(act="withdraw", handoff=handoff_id, detail=sha256(detail).hexdigest()),
            handoff=handoff,
            detail=detail,
            detail_sha256=sha256(detail).hexdigest(),
        ),
    )


def _judge(decision: EntryKind | None, deficiencies: Sequence[Deficiency], reasons: Sequence[Reason]) -> list[Finding]:
    findings: list[Finding] = []
    if decision is None:
        findings.append(Finding(ErrorCode.DECISION_INCOMPLETE, "decision", "accept, ask for a supplement, or refuse"))
    for name, items, owner, most in (
        ("deficiencies", deficiencies, EntryKind.SUPPLEMENT_ASKED, MAX_DEFICIENCIES),
        ("reasons", reasons, EntryKind.REFUSED, MAX_REASONS),
    ):
        if decision is owner and not 1 <= len(items) <= most:
            findings.append(Finding(ErrorCode.DECISION_INCOMPLETE, name, f"this decision needs 1 to {most} of them"))
        elif decision is not owner and items:
            findings.append(Finding(ErrorCode.ARGUMENT_INVALID, name, "not for this decision"))
    for index, item in enumerate(deficiencies[:MAX_DEFICIENCIES]):
        path = f"deficiencies[{index}]"
        if _DOCUMENT.fullmatch(item.document_code) is None:
            findings.append(Finding(ErrorCode.ARGUMENT_INVALID, f"{path}.document_code", "such as D04, or empty"))
        if _PERSON.fullmatch(item.person_key) is None:
            findings.append(Finding(ErrorCode.ARGUMENT_INVALID, f"{path}.person_key", "a person key, or empty"))
        findings += _text(item.text, f"{path}.text")
    for index, reason in enumerate(reasons[:MAX_REASONS]):
        if _CODE.fullmatch(reason.code) is None:
            findings.append(
                Finding(ErrorCode.ARGUMENT_INVALID, f"reasons[{index}].code", "1 to 64 characters of A-Z a-z 0-9 . _ -")
            )
        findings += _text(reason.text, f"reasons[{index}].text")
    return findings


def _text(text: str, path: str) -> list[Finding]:
    if text.strip() and len(text) <= MAX_TEXT:
        return []
    return [Finding(ErrorCode.ARGUMENT_INVALID, path, f"1 to {MAX_TEXT} characters")]


def _detail(decision: EntryKind, deficiencies: Sequence[Deficiency], reasons: Sequence[Reason]) -> bytes:
    if decision is EntryKind.SUPPLEMENT_ASKED:
        items: list[dict[str, Any]] = [
            {"document_code": item.document_code, "person_key": item.person_key, "text": item.text}
            for item in deficiencies
        ]
        return to_canonical({"deficiencies": items})
    if decision is EntryKind.REFUSED:
        return to_canonical({"reasons": [{"code": reason.code, "text": reason.text} for reason in reasons]})
    return b""
