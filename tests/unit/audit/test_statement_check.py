"""What a gateway that lies about its statements cannot hide from fsck."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from gateway.audit.finding import Findings
from gateway.audit.statement_check import StatementCheck
from gateway.core.digest import sha256_hex, sm3_hex
from gateway.core.entry import Entry, EntryKind, to_leaf
from gateway.core.port.fsck import FsckSource
from gateway.core.procedure.lifecycle import CaseState
from gateway.core.pseudonym import Pseudonyms
from gateway.core.signed import payload_bytes_of
from gateway.trust.chain import thumbprint
from tests.support.bundle import make_statement, new_case_number, sign_stated
from tests.support.pki import MemoryPki

PSEUDONYMS = Pseudonyms(bytes(32))
SIGNER = MemoryPki().signer()


class Source:
    """A ledger with one statement."""

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.row = row

    async def statements(self, start: int, stop: int | None) -> AsyncIterator[list[tuple[Any, ...]]]:
        """The one."""
        yield [self.row]

    async def progress(self, indices: Sequence[int]) -> list[Any]:
        """Nothing is told to parties."""
        return []

    async def missing_grants(self, grants: Sequence[Any]) -> list[int]:
        """Nothing is granted."""
        return []


async def _found(signed_case: str, entry_case: str, pseudonyms: Pseudonyms | None = PSEUDONYMS) -> list[str]:
    """What is found of a statement that names one case, or none, in an entry of another, or of none."""
    statement = make_statement({}, signed_case)
    jws = sign_stated(statement, SIGNER)
    case = PSEUDONYMS.case(entry_case) if entry_case else ""
    entry = Entry(
        index=0, origin="test.example/log", kind=EntryKind.STATED, recorded_at=datetime(2026, 3, 2, tzinfo=UTC),
        actor=str(statement.issuer), act_id=str(statement.statement_id), salt=bytes(32),
        content_sha256=sha256_hex(payload_bytes_of(jws)), case=case, case_sequence=1 if case else 0,
        case_state=CaseState() if case else None, signer_key=thumbprint(SIGNER.certificate),
        statement_type=statement.type, statement_sha256=sha256_hex(jws.encode()), statement_sm3=sm3_hex(jws.encode()),
    )  # fmt: skip
    number = (signed_case or entry_case).encode()
    row = (
        0, to_leaf(entry), 0, str(statement.statement_id), str(statement.issuer), statement.type, case or None,
        number if case else None, jws.encode(), "",
    )  # fmt: skip
    report = Findings()
    await StatementCheck(cast(FsckSource, Source(row)), report, pseudonyms).run(0, None)
    return sorted({finding.check for finding in report.kept} - {"statement-key"})


@pytest.mark.parametrize("is_keyed", [True, False])
async def test_statement_in_the_entry_of_its_case_is_clean(is_keyed: bool) -> None:
    """What is as it was signed is found to be so, with the pseudonym key and without."""
    number = new_case_number()
    for case in (number, ""):
        assert await _found(case, case, PSEUDONYMS if is_keyed else None) == []


async def test_statement_in_the_entry_of_another_case_is_found_with_the_key() -> None:
    """Nobody puts what was said of one case into another."""
    assert await _found(new_case_number(), new_case_number()) == ["statement-pseudonym"]


@pytest.mark.parametrize("is_keyed", [True, False])
async def test_statement_about_no_case_in_the_entry_of_one_is_found(is_keyed: bool) -> None:
    """A statement that names no case is put into none, and that needs no key to be seen."""
    found = await _found("", new_case_number(), PSEUDONYMS if is_keyed else None)
    assert "statement-entry" in found
