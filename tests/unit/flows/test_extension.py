"""Extensions of limits, from a statement through the flow into the clocks of the case."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.clock import Clock, find_due
from gateway.core.clock.due import Counting
from gateway.core.clock.fold import Fold, fold_facts
from gateway.core.clock.table import load_clock_table
from gateway.core.errors import ErrorCode, GatewayError, Severity
from gateway.core.fact.fact import Fact, to_moment_text
from gateway.core.fact.of_record import to_account_key
from gateway.core.form.book import load_form_book
from gateway.core.form.definition import FormKey, FormKind
from gateway.core.identity import parse_agency
from gateway.core.procedure.procedural_act import procedural_act_form
from gateway.core.statement import Statement, to_payload
from gateway.core.statement_form import StatementForms, published_statement_form
from gateway.flows.state import Stated, submit_statement
from gateway.flows.tell import hide_persons, with_facts
from tests.support.bundle import make_statement, new_case_number
from tests.support.fake_ledger import FakeClock
from tests.support.fake_parts import World, fake_sign_statement
from tests.support.form_scene import PERSON, changed_example

TABLE = load_clock_table()
COUNTING = Counting(load_calendar(), TABLE.settings)
GRANT: dict[str, Any] = {"act": "limit_extended", "documents": [{"code": "D10", "no": "1"}, {"code": "D30", "no": "2"}]}
ACCOUNT = {"bank": "测试银行", "account": "6222020000000001"}
ACCOUNT_KEY = to_account_key(**ACCOUNT)
BEGUN = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)


def _world() -> World:
    book = load_form_book()
    forms = [
        published_statement_form(book, book.forms[FormKey(FormKind.STATEMENT, name, 1)])
        for name in ("freeze-renewal", "legal-review", "owner-change")
    ]
    return World(clock=FakeClock(BEGUN), forms=StatementForms((procedural_act_form(book), *forms)))


async def _know(world: World, number: str, *facts: Fact) -> None:
    """The ledger hears of facts now, whoever tells them."""
    await _state(world, number, {"act": "property_listed"}, PS)
    hidden = hide_persons(facts, world.parts.pseudonyms, number)
    world.ledger.commands[-1] = with_facts(world.ledger.commands[-1], hidden)


async def _state(world: World, number: str, body: dict[str, Any], issuer: str, form: str = "procedural-act") -> Stated:
    now = world.clock()
    statement: Statement = make_statement(body, number, type=form, issuer=issuer, created_at=now, occurred_at=now)
    return await submit_statement(world.parts, parse_agency(issuer), fake_sign_statement(to_payload(statement), issuer))


def _body(clock: str, extension: str, organ: str, post: str = "", **changes: Any) -> dict[str, Any]:
    decided = {"officer": "110001", **({"post": post} if post else {})}
    return {**GRANT, "clock": clock, "extension": extension, "organ": organ, "decided_by": decided, **changes}


async def _fold(world: World, number: str) -> Fold:
    return fold_facts(await world.parts.reader.case_facts(world.parts.pseudonyms.case(number)), TABLE, COUNTING)


def _one(fold: Fold, kind: str) -> Clock:
    [clock] = [clock for key, clock in fold.book.running.items() if key[1] == kind]
    return clock


async def _refused(call: Any) -> list[tuple[ErrorCode, str]]:
    with pytest.raises(GatewayError) as caught:
        await call
    return [(finding.code, finding.path) for finding in caught.value.findings]


DAY = date(2025, 3, 3)
NAMED = Fact(kind="named", at=DAY, person=PERSON, inputs={"procedure": "ORDINARY"})
PS, PR, CT = "ps:110108", "pr:110108", "ct:110108"
COUNTED: dict[str, tuple[tuple[Fact, ...], dict[str, Any], str, str]] = {
    "K03": (
        (Fact(kind="report_accepted", at=DAY),),
        _body("K03", "county_head", PS, "COUNTY_HEAD"), PS, "2025-04-02",
    ),
    "K09": (
        (Fact(kind="detained", at=DAY, person=PERSON),),
        _body("K09", "special", PS, "COUNTY_HEAD", length="4D", persons=[PERSON]), PS, "2025-03-10",
    ),
    "K11": (
        (Fact(kind="arrested", at=DAY, person=PERSON),),
        _body("K11", "complex", "pr:110100", persons=[PERSON]), PS, "2025-06-03",
    ),
    "K43": (
        (Fact(kind="frozen", at=DAY, person=ACCOUNT_KEY, inputs={"whole_account": True, "asset": "DEPOSIT"}),),
        _body("K43", "continued", PS, account=ACCOUNT), PS, "2025-06-03",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", COUNTED)
async def test_extension_that_is_stated_in_time_makes_the_limit_longer(kind: str) -> None:
    """From the signed act to the last day of the limit, for file, person and account."""
    known, body, issuer, due = COUNTED[kind]
    world, number = _world(), new_case_number()
    await _know(world, number, *known)
    before = find_due(_one(await _fold(world, number), kind), COUNTING)
    world.clock.advance(days=1)
    stated = await _state(world, number, body, issuer)
    after = find_due(_one(await _fold(world, number), kind), COUNTING)
    assert stated.warnings == ()
    assert before is not None and after is not None and str(before.at) < str(after.at) == due


@pytest.mark.parametrize("kind", COUNTED)
async def test_extension_after_the_limit_has_passed_is_refused_and_changes_nothing(kind: str) -> None:
    """A breach is never cured afterwards; the refusal names the limit."""
    known, body, issuer, _ = COUNTED[kind]
    world, number = _world(), new_case_number()
    await _know(world, number, *known)
    before = _one(await _fold(world, number), kind)
    world.clock.advance(days=70)
    entries = len(world.ledger.entries)
    assert await _refused(_state(world, number, body, issuer)) == [(ErrorCode.CLOCK_ACT_TOO_LATE, "/body/extension")]
    assert (len(world.ledger.entries), _one(await _fold(world, number), kind)) == (entries, before)


@pytest.mark.parametrize(("kind", "is_warned"), [("K09", True), ("K11", True), ("K23", False), ("K03", False)])
async def test_extension_in_custody_without_a_notice_of_the_changed_term_is_a_warning(
    kind: str, is_warned: bool
) -> None:
    """No custody transfer is made for it, but the detention centre must learn until when it holds the person (T08)."""
    world, number = _world(), new_case_number()
    on_bail = (NAMED, *(Fact(kind=word, at=DAY, person=PERSON) for word in ("pr_received", "bailed")))
    known, body, issuer, _ = {**COUNTED, "K23": (on_bail, _body("K23", "complex", PR, persons=[PERSON]), PR, "")}[kind]
    await _know(world, number, *known)
    stated = await _state(world, number, {**body, "documents": [{"code": "D10"}]}, issuer)
    warned = [(found.code, found.path) for found in stated.warnings]
    assert warned == [(ErrorCode.ACT_DOCUMENT_MISSING, "/body/documents")] * is_warned
    assert len(_one(await _fold(world, number), kind).granted) == 1, "it counts all the same"


async def test_extension_of_a_limit_that_nobody_told_of_is_a_warning_and_counts_when_it_is_told() -> None:
    """The detention may reach the ledger with the transfer; the extension was told in time."""
    world, number = _world(), new_case_number()
    _, body, issuer, due = COUNTED["K09"]
    stated = await _state(world, number, body, issuer)
    assert [(found.code, found.severity) for found in stated.warnings] == [
        (ErrorCode.CLOCK_NOT_RUNNING, Severity.WARNING)
    ]
    await _know(world, number, Fact(kind="detained", at=BEGUN - timedelta(hours=1), person=PERSON))
    found = find_due(_one(await _fold(world, number), "K09"), COUNTING)
    assert found is not None and str(found.at) == due


async def test_extension_by_others_than_the_law_names_is_refused_with_all_findings() -> None:
    """Who grants, who tells, who decided, and by which document are data of the clock."""
    world, number = _world(), new_case_number()
    body = _body("K09", "special", "ct:110108", "HANDLER", length="4D", account=ACCOUNT, documents=[])
    assert await _refused(_state(world, number, body, "pr:110108")) == [
        (ErrorCode.ACT_NOT_BY_ISSUER, "/issuer"),
        (ErrorCode.STATEMENT_FIELD_INVALID, "/body/organ"),
        (ErrorCode.STATEMENT_FIELD_INVALID, "/body/decided_by/post"),
        (ErrorCode.STATEMENT_FIELD_MISSING, "/body/documents/0"),
        (ErrorCode.STATEMENT_FIELD_MISSING, "/body/persons"),
        (ErrorCode.STATEMENT_FIELD_INVALID, "/body/account"),
    ]


@pytest.mark.parametrize(
    ("clock", "extension", "code", "path"),
    [
        ("K99", "complex", ErrorCode.CLOCK_UNKNOWN, "/body/clock"),
        ("K22", "complex", ErrorCode.CLOCK_ACT_NOT_ALLOWED, "/body/extension"),
        ("K42", "renewed", ErrorCode.ACT_NOT_BY_ISSUER, "/issuer"),
    ],
)
async def test_extension_that_the_table_does_not_know_is_refused(
    clock: str, extension: str, code: ErrorCode, path: str
) -> None:
    """No limit is made longer by a word that the law does not have, nor a freeze without its legal review."""
    body = _body(clock, extension, PS) | ({"account": ACCOUNT} if clock == "K42" else {})
    assert await _refused(_state(_world(), new_case_number(), body, PS)) == [(code, path)]


async def test_second_extension_of_one_kind_is_refused() -> None:
    """Four kinds come after complex, and each once."""
    world, number = _world(), new_case_number()
    known, body, issuer, _ = COUNTED["K11"]
    await _know(world, number, *known)
    world.clock.advance(days=1)
    later = {**body, "extension": "four_kinds"}
    assert await _refused(_state(world, number, later, issuer)) == [
        (ErrorCode.CLOCK_ACT_NOT_ALLOWED, "/body/extension")
    ]
    await _state(world, number, body, issuer)
    world.clock.advance(days=1)
    await _state(world, number, later, issuer)
    world.clock.advance(days=1)
    assert await _refused(_state(world, number, body, issuer)) == [(ErrorCode.CLOCK_ACT_NOT_ALLOWED, "/body/extension")]


def _renewal(at: datetime, old: str = "2025-09-03", new: str = "2026-03-03") -> dict[str, Any]:
    changes = {"/decided_at": at.isoformat(), "/old_expiry": old, "/new_expiry": new}
    return changed_example(FormKind.STATEMENT, "freeze-renewal", changes)


async def test_renewal_of_a_freeze_makes_it_longer_only_before_it_has_lapsed() -> None:
    """K42 is renewed by its own statement, with its legal review; a freeze that has lapsed stays lapsed."""
    world, number = _world(), new_case_number()
    frozen = Fact(kind="frozen", at=DAY, person=ACCOUNT_KEY, inputs={"asset": "DEPOSIT", "approver": "COUNTY_HEAD"})
    await _know(world, number, frozen)
    world.clock.advance(days=150)
    await _state(world, number, _renewal(world.clock()), PS, "freeze-renewal")
    renewed = _one(await _fold(world, number), "K42")
    due = find_due(renewed, COUNTING)
    assert due is not None and str(due.at) == "2026-03-03"
    world.clock.advance(days=300)
    late = _renewal(world.clock(), "2026-03-03", "2026-09-03")
    assert (ErrorCode.CLOCK_ACT_TOO_LATE, "/body/decided_at") in await _refused(
        _state(world, number, late, PS, "freeze-renewal")
    )
    assert _one(await _fold(world, number), "K42") == renewed


async def test_legal_review_and_handing_over_by_statement_run_their_clocks() -> None:
    """K46 from submission to opinion, K05 from the finding to the hand-over."""
    world, number = _world(), new_case_number()
    for form in ("legal-review", "owner-change"):
        await _state(world, number, changed_example(FormKind.STATEMENT, form, {}), PS, form)
    ended = {clock.rule.id: clock for clock in (await _fold(world, number)).book.ended}
    assert {kind: to_moment_text(clock.stopped_at or DAY) for kind, clock in ended.items()} == {
        "K46": "2024-06-03T00:00:00.000Z", "K05": "2024-06-03T00:00:00.000Z",
    }  # fmt: skip
