"""Statements: check one, let the ledger decide, give the receipt; and reading them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any, Final

from gateway.core.access.enquiry import STATEMENT_TYPE, to_progress
from gateway.core.clock.extension import EXTENDED, find_unnoticed, judge_extensions
from gateway.core.clock.overdue import judge_overdue
from gateway.core.command import Command, StatedText
from gateway.core.digest import sm3_hex
from gateway.core.entry import EntryKind, from_leaf
from gateway.core.envelope import CLOCK_SKEW
from gateway.core.errors import ErrorCode, Finding, GatewayError, Severity, refuse
from gateway.core.fact.fact import Fact, facts_sha256, to_facts_bytes
from gateway.core.fact.handed_on import KNOWN_AT, take_over
from gateway.core.fact.of_statement import read_statement_facts
from gateway.core.identity import Agency
from gateway.core.page_token import open_page_token, seal_page_token
from gateway.core.port.flow import SignedStatement
from gateway.core.port.ledger import Appended, StoredStatement
from gateway.core.procedure.procedural_act import PROCEDURAL_ACT, act_of
from gateway.core.procedure.track_cause import read_act_cause, read_act_facts
from gateway.core.signed import payload_of
from gateway.core.statement import MAX_AGE, Statement
from gateway.core.statement_form import Register
from gateway.flows.parts import Parts
from gateway.flows.pull import Requested, judge_request
from gateway.flows.request import parse_size, parse_uuid
from gateway.flows.tell import hide_persons

_STILL_RECORDED: Final = frozenset({ErrorCode.KEY_REVOKED, ErrorCode.STATEMENT_TOO_OLD, ErrorCode.STATEMENTS_TOO_MANY})
"""What came in the way since it was recorded; whoever lost the receipt may still ask for it again."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement that is in the ledger.

    Args:
        appended: its entry and receipt.
        warnings: of the checks; none for a replay.
    """

    appended: Appended
    warnings: tuple[Finding, ...] = ()


async def submit_statement(parts: Parts, caller: Agency, statement_jws: str) -> Stated:
    """Commit a statement to the ledger.

    1. signature, chain, key, envelope (``parts.verify_statement``); 2. signer, caller and issuer are one agency;
    3. neither from the future nor too old; 4. the form of its type; 5. the issuer is a party of the case; 6. the
    ledger decides. What is wrong in steps 2 to 5 is reported together.

    Args:
        parts: the filled ports.
        caller: agency of the TLS certificate.
        statement_jws: compact JWS.

    Returns:
        what was committed; for a statement that was submitted before, its first receipt.

    Raises:
        GatewayError: all findings of the checks, or what the ledger refuses.
    """
    try:
        return await _submit(parts, caller, statement_jws)
    except GatewayError as error:
        codes = {finding.code for finding in error.findings if finding.severity is Severity.ERROR}
        recorded = await _find_recorded(parts, caller, statement_jws) if codes <= _STILL_RECORDED else None
        if recorded is None:
            raise
        return recorded


async def _submit(parts: Parts, caller: Agency, statement_jws: str) -> Stated:
    signed = parts.verify_statement(statement_jws, now=parts.clock())
    statement = signed.statement
    case = parts.pseudonyms.case(statement.case_number) if statement.case_number else ""
    findings = await _findings(parts, caller, signed)
    requested = Requested()
    if not any(finding.severity is Severity.ERROR for finding in findings):
        requested = await judge_request(parts, statement)
        findings += requested.findings
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    warnings = [finding for finding in findings if finding.severity is not Severity.ERROR]
    try:
        acted = await _tell(parts, statement, case) if not errors else Acted()
        findings = await _judge_extensions(parts, statement, acted, case)
        findings += await _judge_overdue(parts, statement, case) if not errors else []
        errors += [finding for finding in findings if finding.severity is Severity.ERROR]
        warnings += [finding for finding in findings if finding.severity is not Severity.ERROR]
        if errors:
            raise GatewayError(errors + warnings)  # noqa: TRY301 - so that its entry too names the case
        appended = await parts.writer.append(
            _command(parts, signed, statement_jws, case, requested=requested, acted=acted)
        )
    except GatewayError as error:
        if signed.signer == caller == statement.issuer:
            error.case = case
        raise
    return Stated(appended, () if appended.is_replay else tuple(warnings))


async def _findings(parts: Parts, caller: Agency, signed: SignedStatement) -> list[Finding]:
    statement, now = signed.statement, parts.clock()
    findings: list[Finding] = []
    if statement.issuer != caller:
        findings.append(Finding(ErrorCode.CALLER_NOT_ISSUER, "/issuer", "the caller is another agency than the issuer"))
    if signed.signer != caller:
        what = "the signing certificate belongs to another agency"
        findings.append(Finding(ErrorCode.SIGNER_NOT_CALLER, "statement_jws", what))
    if statement.created_at > now + CLOCK_SKEW:
        what = "more than five minutes ahead of the gateway"
        findings.append(Finding(ErrorCode.STATEMENT_FROM_FUTURE, "/created_at", what))
    if statement.created_at < now - MAX_AGE:
        what = f"signed more than {MAX_AGE.days} days ago; sign it again"
        findings.append(Finding(ErrorCode.STATEMENT_TOO_OLD, "/created_at", what))
    if statement.occurred_at > statement.created_at + CLOCK_SKEW:
        what = "it cannot have happened after it was stated"
        findings.append(Finding(ErrorCode.STATEMENT_FROM_FUTURE, "/occurred_at", what))
    is_own = statement.issuer == caller == signed.signer
    findings += parts.statement_forms.judge(statement, await _register(parts, statement) if is_own else {})
    if statement.case_number and is_own:
        findings += await _standing(parts, statement)
    return findings


async def _register(parts: Parts, statement: Statement) -> Register:
    """The officers' register of the issuer, read only for a form that names officers."""
    form = parts.statement_forms.find(statement.type, statement.version)
    if form is None or not form.names_officers:
        return {}
    return await parts.registers.find(parts.reader, statement.issuer)


async def _standing(parts: Parts, statement: Statement) -> list[Finding]:
    """A case that was never handed over is the police's own; of any other only its parties may state something."""
    form = parts.statement_forms.find(statement.type, statement.version)
    if form is None or form.is_open(statement):
        return []
    case = parts.pseudonyms.case(statement.case_number)
    if not await parts.reader.is_party(case, statement.issuer) and await parts.reader.is_case_open(case):
        what = "the issuer is no party of this case"
        return [Finding(ErrorCode.STATEMENT_NOT_BY_PARTY, "/case_number", what)]
    return [] if not form.most_of_case else await _most_of_case(parts, statement, case, form.most_of_case)


async def _most_of_case(parts: Parts, statement: Statement, case: str, most: int) -> list[Finding]:
    """What a judgement looks at has an end, so that nobody can make it look for ever."""
    issuer, name = str(statement.issuer), statement.type
    found = await parts.reader.statements(case=case, issuer=issuer, type_name=name, after_index=-1, limit=most)
    if len(found) < most or statement.statement_id in {row.statement_id for row in found}:
        return []
    what = f"at most {most} statements of this type of an agency about a case"
    return [Finding(ErrorCode.STATEMENTS_TOO_MANY, "/case_number", what)]


@dataclass(frozen=True, slots=True)
class Acted:
    """What a statement brings beside itself.

    Args:
        cause: of a procedural act, for the tracks of the persons; None for another statement.
        facts: for the clocks, by pseudonym.
    """

    cause: dict[str, Any] | None = None
    facts: tuple[Fact, ...] = ()


async def _tell(parts: Parts, statement: Statement, case: str) -> Acted:
    if statement.type == PROCEDURAL_ACT:
        return await _act(parts, statement, case)
    told = hide_persons(read_statement_facts(statement), parts.pseudonyms, statement.case_number)
    return Acted(facts=tuple(told))


async def _judge_extensions(parts: Parts, statement: Statement, acted: Acted, case: str) -> list[Finding]:
    """Tell the issuer of an extension that comes too late; what counts, the fold of the case decides."""
    # What is taken over from another case was judged there.
    if not any(fact.kind == EXTENDED and KNOWN_AT not in fact.inputs for fact in acted.facts):
        return []
    known = await parts.reader.case_facts(case)
    path = "/body/extension" if statement.type == PROCEDURAL_ACT else "/body/decided_at"
    findings = judge_extensions(known, acted.facts, parts.clock(), parts.clocks, parts.counting, path=path)
    named = frozenset(document["code"] for document in statement.body.get("documents", ()))
    return findings + list(find_unnoticed(known, acted.facts, named, parts.clocks, parts.counting))


async def _judge_overdue(parts: Parts, statement: Statement, case: str) -> list[Finding]:
    """An act that belongs to a limit that has passed is no act before."""
    row = act_of(statement) if statement.type == PROCEDURAL_ACT else None
    if row is None or not row.overdue:
        return []
    known, at = await parts.reader.case_facts(case), statement.occurred_at
    return judge_overdue(known, row.overdue, at, parts.clocks, parts.counting, path="/body/act")


async def _act(parts: Parts, statement: Statement, case: str) -> Acted:
    """What a procedural act does to the persons, and what it tells the clocks.

    What another case hands on is written there once and never changes, so it may be read before the lock. The facts
    that go with it are those which that case knows by now; of who was handed on it takes no more acts.
    """
    number, other_number = statement.case_number, statement.body.get("other_case", "")
    other = parts.pseudonyms.case(other_number) if other_number else ""
    given = None
    if statement.body["act"] == "joined":
        given = (await parts.reader.tracks(other)).handed_on.get(case)
        if given is None:
            error = refuse(ErrorCode.LINK_UNKNOWN, "/body/other_case", "that case has handed nobody on to this one")
            error.case = case
            raise error
    cause = read_act_cause(
        statement,
        pseudonym=partial(parts.pseudonyms.person, number),
        other=other,
        there=partial(parts.pseudonyms.person, other_number) if other_number else None,
        given=given,
    )
    if given is not None:
        known, at = await parts.reader.case_facts(other), statement.occurred_at
        events = parts.clocks.person_events
        return Acted(cause, tuple(take_over(known, other=other, case=case, at=at, events=events)))
    tracks = await parts.reader.tracks(case)
    return Acted(cause, tuple(read_act_facts(statement, cause, tracks)))


def _told(parts: Parts, statement: Statement) -> dict[str, Any]:
    """What a party may be told, by the digest of the token; a token that is no SHA-256 is nobody's code."""
    if statement.type != STATEMENT_TYPE:
        return {}
    return {
        "enquiry": parts.pseudonyms.enquiry(statement.body["subject_token"]),
        "progress": to_progress(statement.body),
    }


def _command(
    parts: Parts, signed: SignedStatement, statement_jws: str, case: str, *, requested: Requested, acted: Acted
) -> Command:
    statement = signed.statement
    signed_bytes, facts = statement_jws.encode("ascii"), to_facts_bytes(acted.facts)
    return Command(
        kind=EntryKind.STATED,
        actor=signed.signer,
        act_id=statement.statement_id,
        content_sha256=sha256(signed.payload).hexdigest(),
        case=case,
        signer_key=signed.key_id,
        public_key_sha256=signed.public_key_sha256,
        statement=StatedText(
            statement_jws=statement_jws,
            case_number=statement.case_number,
            materials=requested.materials,
            **_told(parts, statement),
        ),
        statement_type=statement.type,
        statement_sha256=sha256(signed_bytes).hexdigest(),
        statement_sm3=sm3_hex(signed_bytes),
        cause=acted.cause,
        facts=facts,
        facts_sha256=facts_sha256(facts),
    )


async def _find_recorded(parts: Parts, caller: Agency, statement_jws: str) -> Stated | None:
    """The receipt of a statement that was taken before; nothing is ever written on this way."""
    try:
        signed = parts.verify_statement(statement_jws, now=parts.clock(), is_recorded=True)
    except GatewayError:
        return None
    if not signed.signer == caller == signed.statement.issuer:
        return None
    for stored in await parts.reader.statements_of_id(signed.statement.statement_id):
        entry = from_leaf(stored.appended.leaf)
        asked = (str(caller), sha256(signed.payload).hexdigest(), signed.key_id)
        if (entry.actor, entry.content_sha256, entry.signer_key) == asked:
            return Stated(replace(stored.appended, is_replay=True))
    return None


async def list_statements(
    parts: Parts, caller: Agency, *, case_number: str, type_name: str, page_size: int, page_token: str
) -> tuple[list[StoredStatement], str]:
    """List the statements of a case that the caller may read, or all that it issued.

    Args:
        parts: the filled ports.
        caller: who asks.
        case_number: police case number; "" for what the caller issued itself.
        type_name: "" for any type.
        page_size: 1 to 500, 0 for 50.
        page_token: of the page before, "" for the first.

    Returns:
        statements in order of their entries, and the token of the next page ("" on the last); a page may have fewer
        than were asked for, when the caller may not read all of it.

    Raises:
        GatewayError: NOT_A_PARTY, ARGUMENT_INVALID, ARGUMENT_OUT_OF_RANGE, PAGE_TOKEN_INVALID.
    """
    limit = parse_size(page_size, "page_size", default=50, most=500)
    if type_name:
        parts.statement_forms.require(type_name)
    case = parts.pseudonyms.case(case_number) if case_number else ""
    query = f"statements {caller} {case} {type_name}".encode()
    key = parts.pseudonyms.page_key()
    after = open_page_token(key, page_token, query)
    is_party = bool(case) and await parts.reader.is_party(case, caller)
    # Who is no party of the case sees what it stated itself, on whichever page that would stand.
    issuer = "" if is_party else str(caller)
    rows = await parts.reader.statements(
        case=case, issuer=issuer, type_name=type_name, after_index=after, limit=limit + 1
    )
    if case and not is_party and not rows:
        error = refuse(ErrorCode.NOT_A_PARTY, "case_number", "only the parties of a case may list its statements")
        error.case = case
        raise error
    token = seal_page_token(key, rows[limit - 1].appended.index, query) if len(rows) > limit else ""
    return [row for row in rows[:limit] if _may_read(parts, caller, row, is_party=is_party)], token


async def read_statement(parts: Parts, caller: Agency, statement_id: str) -> StoredStatement:
    """Read one statement.

    Args:
        parts: the filled ports.
        caller: who asks.
        statement_id: as its issuer chose it.

    Returns:
        the statement as it was signed, with its receipt.

    Raises:
        GatewayError: ARGUMENT_INVALID, STATEMENT_UNKNOWN, NOT_A_PARTY; CASE_DESTROYED for its issuer.
    """
    found = await parts.reader.statements_of_id(parse_uuid(statement_id, "statement_id"))
    if not found:
        raise refuse(ErrorCode.STATEMENT_UNKNOWN, "statement_id", "there is no statement with this id")
    for row in found:
        is_party = bool(row.case) and await parts.reader.is_party(row.case, caller)
        if _may_read(parts, caller, row, is_party=is_party):
            return row
        if row.is_destroyed and row.issuer == str(caller):
            error = refuse(ErrorCode.CASE_DESTROYED, "statement_id", "the case that it is about was destroyed")
            error.case = row.case
            raise error
    error = refuse(ErrorCode.NOT_A_PARTY, "statement_id", "the caller may not read this statement")
    error.case = found[0].case
    raise error


def _may_read(parts: Parts, caller: Agency, row: StoredStatement, *, is_party: bool) -> bool:
    if row.is_destroyed:
        return False
    return parts.statement_forms.may_read(caller, payload_of(row.statement_jws), is_party=is_party)
