"""From a checked statement to an entry with a receipt, and who may read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from gateway.core.digest import sha256_hex
from gateway.core.entry import EntryKind
from gateway.core.errors import GatewayError
from gateway.core.form.definition import Concern
from gateway.core.identity import Role, parse_agency
from gateway.core.log.destruction import DestructionReason, destroy_case
from gateway.core.procedure.act_table import load_acts
from gateway.core.statement import Statement, to_payload
from gateway.core.statement_form import StatementForm, StatementForms
from gateway.flows.state import list_statements, read_statement, submit_statement
from gateway.flows.submit import submit_bundle
from tests.support.bundle import make_statement, new_case_number
from tests.support.fake_parts import COURT, POLICE, PROCURATORATE, World, fake_sign, fake_sign_statement

ACT = {"act": "property_listed", "documents": [{"code": "D18"}]}


def _statement(world: World, case_number: str, **changes: Any) -> Statement:
    return make_statement(ACT, case_number, **{"created_at": world.clock(), "occurred_at": world.clock(), **changes})


def _sign(statement: Statement) -> str:
    return fake_sign_statement(to_payload(statement), str(statement.issuer))


async def _opened(world: World) -> str:
    """A case that was handed from the police to the procuratorate."""
    case_number = new_case_number()
    manifest, record = world.bundle(case_number)
    await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    return case_number


async def _refused(world: World, caller: Any, statement: Statement, signer: str = "") -> list[tuple[str, str]]:
    before = len(world.ledger.entries)
    jws = fake_sign_statement(to_payload(statement), signer or str(statement.issuer))
    with pytest.raises(GatewayError) as caught:
        await submit_statement(world.parts, caller, jws)
    assert len(world.ledger.entries) == before
    return [(finding.code.name, finding.path) for finding in caught.value.findings]


async def test_statement_is_one_entry_with_digests_and_without_text() -> None:
    """What was stated is in the leaf only as digests and the name of its form."""
    world, case_number = World(), new_case_number()
    jws = _sign(statement := _statement(world, case_number))
    stated = await submit_statement(world.parts, POLICE, jws)
    entry = world.ledger.entry()
    assert (entry.kind, entry.act_id, entry.handoff) == (EntryKind.STATED, str(statement.statement_id), "")
    assert (entry.statement_type, entry.statement_sha256) == ("procedural-act", sha256_hex(jws.encode()))
    assert entry.case == world.parts.pseudonyms.case(case_number)
    assert case_number.encode() not in stated.appended.leaf


async def test_statement_again_gives_the_first_receipt_also_when_old_or_key_revoked() -> None:
    """A lost reply costs nothing, whatever happened since; nothing is written twice."""
    world = World()
    jws = _sign(_statement(world, new_case_number()))
    first = await submit_statement(world.parts, POLICE, jws)
    for days, is_revoked in ((0, False), (31, False), (0, True)):
        world.clock.advance(days=days)
        world.is_key_revoked = is_revoked
        again = await submit_statement(world.parts, POLICE, jws)
        assert (again.appended.is_replay, again.appended.receipt_jws) == (True, first.appended.receipt_jws)
    assert len(world.ledger.entries) == 1


async def test_statement_of_somebody_else_from_elsewhen_is_refused_with_all_findings() -> None:
    """Identity, time and form are judged together."""
    world = World()
    statement = make_statement(
        {}, created_at=world.clock() + timedelta(hours=1), occurred_at=world.clock() + timedelta(hours=2)
    )
    assert await _refused(world, PROCURATORATE, statement, "ct:110108") == [
        ("CALLER_NOT_ISSUER", "/issuer"),
        ("SIGNER_NOT_CALLER", "statement_jws"),
        ("STATEMENT_FROM_FUTURE", "/created_at"),
        ("STATEMENT_FROM_FUTURE", "/occurred_at"),
        ("STATEMENT_CASE_MISSING", "/case_number"),
        ("FORM_FIELD_MISSING", "/body/act"),
    ]


async def test_refusal_names_the_case_only_when_the_statement_is_the_callers_own() -> None:
    """Whoever sends what another signed makes no entry in a case: he may have found its number anywhere."""
    world = World()
    case_number = await _opened(world)
    statement = _statement(world, case_number, type="gone")
    for caller, case in ((POLICE, world.parts.pseudonyms.case(case_number)), (COURT, "")):
        with pytest.raises(GatewayError) as caught:
            await submit_statement(world.parts, caller, _sign(statement))
        assert caught.value.case == case


async def test_statement_about_a_destroyed_case_is_refused_by_the_ledger() -> None:
    """Nothing is stated any more of a case whose key is gone, not even what nobody would seal."""
    world = World()
    case_number = await _opened(world)
    await world.ledger.append(destroy_case(world.parts.pseudonyms.case(case_number), DestructionReason.ORDERED))
    assert await _refused(world, POLICE, _statement(world, case_number)) == [("CASE_DESTROYED", "/case_number")]


async def test_statement_signed_long_ago_is_refused_but_may_tell_of_long_ago() -> None:
    """An old signature is a replay from somewhere; an old event is history."""
    world = World()
    long_ago = world.clock() - timedelta(days=31)
    statement = _statement(world, new_case_number(), created_at=long_ago, occurred_at=long_ago)
    assert await _refused(world, POLICE, statement) == [("STATEMENT_TOO_OLD", "/created_at")]
    await submit_statement(world.parts, POLICE, _sign(replace(statement, created_at=world.clock())))


async def test_statement_about_a_case_of_others_is_refused() -> None:
    """Once a case was handed over only its parties state something about it."""
    world = World()
    case_number = await _opened(world)
    statement = _statement(world, case_number, issuer="ps:110105")
    assert await _refused(world, statement.issuer, statement) == [("STATEMENT_NOT_BY_PARTY", "/case_number")]


async def test_statement_is_read_by_the_parties_of_its_case_only() -> None:
    """Issuer and parties see it in the list and one by one; a stranger neither."""
    world = World()
    case_number = await _opened(world)
    statement = _statement(world, case_number)
    await submit_statement(world.parts, POLICE, _sign(statement))
    which = {"case_number": case_number, "type_name": "", "page_size": 0, "page_token": ""}
    for reader in (POLICE, PROCURATORATE):
        rows, token = await list_statements(world.parts, reader, **which)  # type: ignore[arg-type]
        assert [row.statement_id for row in rows] == [statement.statement_id] and not token
        assert (await read_statement(world.parts, reader, str(statement.statement_id))).case_number == case_number
    for call in (
        list_statements(world.parts, COURT, **which),  # type: ignore[arg-type]
        read_statement(world.parts, COURT, str(statement.statement_id)),
    ):
        with pytest.raises(GatewayError, match="NOT_A_PARTY") as caught:
            await call
        assert caught.value.case == world.parts.pseudonyms.case(case_number)


async def test_statement_list_goes_page_by_page() -> None:
    """Nothing is lost between two pages, and a token serves its own question only."""
    world, case_number = World(), new_case_number()
    wanted = [_statement(world, case_number) for _ in range(5)]
    for statement in wanted:
        await submit_statement(world.parts, POLICE, _sign(statement))
    seen, token = [], ""
    while True:
        rows, token = await list_statements(
            world.parts, POLICE, case_number="", type_name="procedural-act", page_size=2, page_token=token
        )
        seen += [row.statement_id for row in rows]
        if not token:
            break
        kept = token
    assert seen == [statement.statement_id for statement in wanted]
    with pytest.raises(GatewayError, match="PAGE_TOKEN_INVALID"):
        await list_statements(world.parts, POLICE, case_number="", type_name="", page_size=2, page_token=kept)
    with pytest.raises(GatewayError, match="ARGUMENT_INVALID"):
        await list_statements(world.parts, POLICE, case_number="", type_name="nothing", page_size=2, page_token="")


async def test_statement_list_of_who_is_no_party_holds_its_own_on_every_page() -> None:
    """An agency that spoke of a case before it was handed over finds what it stated, however much others did."""
    note = StatementForm(
        name="note", version=1, title="x", issuers=frozenset({Role.POLICE}), readers=frozenset({Role.POLICE}),
        concern=Concern.CASE, check=lambda statement, register: (),
    )  # fmt: skip
    world, case_number = World(forms=StatementForms((note,))), new_case_number()
    other = parse_agency("ps:110105")
    issuers = (POLICE, POLICE, other, POLICE, other)
    stated = [_statement(world, case_number, type="note", issuer=issuer) for issuer in issuers]
    for statement in stated:
        await submit_statement(world.parts, statement.issuer, _sign(statement))
    seen, token = [], ""
    while True:
        rows, token = await list_statements(
            world.parts, other, case_number=case_number, type_name="", page_size=1, page_token=token
        )
        seen += [row.statement_id for row in rows]
        if not token:
            break
    assert seen == [statement.statement_id for statement in stated if statement.issuer == other]


async def test_statement_that_is_not_there_is_unknown() -> None:
    """An id that nobody used is said to be unknown."""
    with pytest.raises(GatewayError, match="STATEMENT_UNKNOWN"):
        await read_statement(World().parts, POLICE, "018f0000-0000-7000-8000-000000000000")


@pytest.mark.parametrize(("act", "is_refused"), [("property_listed", False), ("case_not_filed", True)])
async def test_act_that_does_not_name_its_documents_is_warned_of_or_refused_by_its_row(
    act: str, is_refused: bool
) -> None:
    """Which paper goes with an act, and what its absence is, the table says."""
    world, case_number = World(), new_case_number()
    body = {"act": act}
    now = world.clock()
    statement = make_statement(body, case_number, created_at=now, occurred_at=now)
    if is_refused:
        assert await _refused(world, POLICE, statement) == [("ACT_DOCUMENT_MISSING", "/body/documents")]
        return
    stated = await submit_statement(world.parts, POLICE, _sign(statement))
    assert [(item.code.name, item.severity) for item in stated.warnings] == [("ACT_DOCUMENT_MISSING", "warning")]
    assert "D18" in stated.warnings[0].message


async def test_act_on_a_day_on_which_its_row_is_not_in_force_is_refused() -> None:
    """The law of the day on which it happened counts, not that of the day on which it is stated."""
    world = World()
    (row,) = [row for name, row in load_acts().items() if name == "property_listed"]
    before = datetime.combine(row.rule.valid_from, time(), UTC) - timedelta(days=1)
    statement = _statement(world, new_case_number(), occurred_at=before)
    assert await _refused(world, POLICE, statement) == [("ACT_NOT_IN_FORCE", "/occurred_at")]
    # In China the first day begins eight hours before it does in UTC.
    first = _statement(world, new_case_number(), occurred_at=before + timedelta(hours=16))
    await submit_statement(world.parts, POLICE, _sign(first))


async def test_recipient_of_what_is_no_service_is_refused() -> None:
    """Only a judgment is served on somebody."""
    world = World()
    body = {**ACT, "recipient": "VICTIM"}
    now = world.clock()
    statement = make_statement(body, new_case_number(), created_at=now, occurred_at=now)
    assert await _refused(world, POLICE, statement) == [("STATEMENT_FIELD_INVALID", "/body/recipient")]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"recipient": "VICTIM"}, "STATEMENT_FIELD_MISSING"),
        ({"recipient": "PROCURATORATE", "victims": ["V1"]}, "STATEMENT_FIELD_INVALID"),
        ({"victims": ["V1"]}, "STATEMENT_FIELD_INVALID"),
    ],
)
async def test_service_on_victims_names_them_and_no_other_service_does(body: dict[str, Any], told: str) -> None:
    """Of several victims nobody could tell which of them still waits for the judgment."""
    world = World()
    now = world.clock()
    served = {"act": "judgment_served", "persons": ["R1"], "documents": [{"code": "D51"}], **body}
    statement = make_statement(served, new_case_number(), issuer=str(COURT), created_at=now, occurred_at=now)
    assert await _refused(world, COURT, statement) == [(told, "/body/victims")]


async def test_statements_that_judgements_look_at_are_taken_up_to_a_number() -> None:
    """Nobody makes the gateway read for ever at each transfer; what was taken gives its receipt all the same."""
    form = replace(next(iter(World().forms)), most_of_case=3)
    world, number = World(forms=StatementForms((form,))), new_case_number()
    taken = [_statement(world, number) for _ in range(3)]
    for statement in taken:
        await submit_statement(world.parts, POLICE, _sign(statement))
    assert await _refused(world, POLICE, _statement(world, number)) == [("STATEMENTS_TOO_MANY", "/case_number")]
    assert (await submit_statement(world.parts, POLICE, _sign(taken[0]))).appended.is_replay
    assert await submit_statement(world.parts, POLICE, _sign(_statement(world, new_case_number())))
