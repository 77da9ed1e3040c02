"""Statements over the wire: signed, recorded, read by those who may."""

from __future__ import annotations

import base64
from pathlib import Path

from gateway.core.digest import sha256_hex
from gateway.core.entry import from_leaf
from gateway.core.errors import ErrorCode
from gateway.core.statement import to_payload
from gateway.v1 import exchange_pb2, ledger_pb2, statement_pb2
from tests.rpc.conftest import Signers
from tests.support.bundle import bundle_of, make_statement, new_case_number, sign, sign_stated
from tests.support.command import fasttrack_here
from tests.support.gateway import RunningGateway
from tests.support.wire import Desk, Refused

ACT = {"act": "property_listed"}


async def test_statement_is_recorded_and_read_by_both_parties(
    police: Desk, procuratorate: Desk, oversight: Desk, signers: Signers
) -> None:
    """One entry, one receipt; the other party reads the same bytes, oversight the metadata."""
    case_number = new_case_number()
    statement = make_statement(ACT, case_number)
    jws = sign_stated(statement, signers.police)
    answer = await police.state(jws)
    again = await police.state(jws)
    assert (again.replayed, again.receipt.jws) == (True, answer.receipt.jws)
    leaf = from_leaf(answer.receipt.leaf)
    assert (leaf.kind, leaf.act_id, leaf.statement_sha256) == (
        "stated", str(statement.statement_id), sha256_hex(jws.encode()),
    )  # fmt: skip
    _, manifest_jws, record = bundle_of(case_number, signers.police)
    await police.submit(manifest_jws, record)
    listed = await procuratorate.statement.ListStatements(statement_pb2.ListStatementsRequest(case_number=case_number))
    assert [item.statement_jws for item in listed.items] == [jws]
    request = statement_pb2.GetStatementRequest(statement_id=str(statement.statement_id))
    got = await procuratorate.statement.GetStatement(request)
    assert got.item.receipt == answer.receipt
    (entry,) = await oversight.entries(kinds=[ledger_pb2.ENTRY_KIND_STATED], case_number=case_number)
    assert (entry.statement_type, entry.index) == ("procedural-act", answer.receipt.entry_index)
    receipts = await police.exchange.GetReceipt(
        exchange_pb2.GetReceiptRequest(statement_id=str(statement.statement_id))
    )
    assert list(receipts.receipts) == [answer.receipt] and len(receipts.sealed_proofs) == 1


async def test_statement_read_by_a_stranger_is_refused_and_recorded(
    police: Desk, court: Desk, signers: Signers, refused: Refused
) -> None:
    """A denied read is an entry of the case like every refusal."""
    case_number = new_case_number()
    statement = make_statement(ACT, case_number)
    await police.state(sign_stated(statement, signers.police))
    one = statement_pb2.GetStatementRequest(statement_id=str(statement.statement_id))
    many = statement_pb2.ListStatementsRequest(case_number=case_number)
    await refused(court, court.call(court.statement.GetStatement, one), ErrorCode.NOT_A_PARTY)
    await refused(court, court.call(court.statement.ListStatements, many), ErrorCode.NOT_A_PARTY)
    both = exchange_pb2.GetReceiptRequest(statement_id=str(statement.statement_id), handoff_id="x")
    await refused(court, court.call(court.exchange.GetReceipt, both), ErrorCode.ARGUMENT_INVALID)


async def test_statement_wrongly_signed_is_refused(police: Desk, signers: Signers, refused: Refused) -> None:
    """The signature is judged as that of a bundle; a bundle is no statement."""
    statement = make_statement(ACT, new_case_number())
    jws = sign_stated(statement, signers.police)
    head, payload, _ = jws.split(".")
    forged = base64.urlsafe_b64encode(bytes(64)).rstrip(b"=").decode()
    manifest, _, _ = bundle_of(new_case_number(), signers.police)
    huge = sign_stated(to_payload(statement) | {"body": {"text": "x" * (513 * 1024)}}, signers.police)
    for text, code in (
        (f"{head}.{payload}.{forged}", ErrorCode.SIGNATURE_INVALID),
        (sign_stated(statement, signers.unregistered), ErrorCode.KEY_NOT_REGISTERED),
        (sign_stated(statement, signers.revoked), ErrorCode.KEY_REVOKED),
        (sign(manifest, signers.police), ErrorCode.JWS_TYPE_WRONG),
        (f"{head}.{payload}", ErrorCode.JWS_MALFORMED),
        (huge, ErrorCode.STATEMENT_TOO_LARGE),
    ):
        found = [ErrorCode.KEY_REVOKED] if code is ErrorCode.KEY_REVOKED else [code]
        await refused(police, police.state(text), *found)


async def test_statement_id_for_another_statement_is_refused(police: Desk, signers: Signers, refused: Refused) -> None:
    """An id stands for what was signed with it, for ever."""
    statement = make_statement(ACT, new_case_number())
    await police.state(sign_stated(statement, signers.police))
    other = make_statement({"act": "property_disposed"}, statement.case_number, statement_id=statement.statement_id)
    await refused(police, police.state(sign_stated(other, signers.police)), ErrorCode.STATEMENT_ID_REUSED)


def test_statement_command_states_lists_and_shows(gateway: RunningGateway, tmp_path: Path) -> None:
    """A file becomes a signed statement; run again it is the same one; what is wrong is said with its path."""
    body, case_number = tmp_path / "act.json", new_case_number()
    body.write_text('{"act": "property_listed"}')
    environ = gateway.environ_of("ps:110108")
    call = ("statement", "submit", body, "--type", "procedural-act", "--case", case_number, "--json")
    first = fasttrack_here(*call, environ=environ)
    assert first.code == 0, first.errors
    again = fasttrack_here(*call, environ=environ)
    assert again.object["replayed"] is True
    assert again.object["receipt"]["entry_index"] == first.object["receipt"]["entry_index"]
    listed = fasttrack_here("statement", "list", "--case", case_number, "--json", environ=environ)
    assert [item["statement"] for item in listed.object["items"]] == [first.object["statement"]]
    shown = fasttrack_here("statement", "show", first.object["statement"], environ=environ)
    assert shown.code == 0 and "property_listed" in shown.output
    body.write_text('{"act": 7}')
    wrong = fasttrack_here(*call, environ=environ)
    assert wrong.code == 1 and "/body/act" in wrong.output + wrong.errors
    no_type = fasttrack_here("statement", "submit", body, environ=environ)
    assert no_type.code == 2 and "--type" in no_type.errors
