"""Flows that read what a case held, when the case was destroyed a moment ago."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from gateway.core.access.enquiry import Progress, parse_code
from gateway.core.entry import EntryKind
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.log.destruction import DestructionReason, destroy_case
from gateway.core.port.ledger import Appended, StoredProgress, StoredStatement
from gateway.core.route import RecordKind
from gateway.flows.decide import decide_handoff
from gateway.flows.enquiry import read_progress
from gateway.flows.pull import verify_recording
from gateway.flows.stated import LEGAL_REVIEW, find_stated
from gateway.flows.submit import submit_bundle
from tests.support.bundle import new_case_number
from tests.support.fake_parts import COURT, POLICE, World, fake_sign

CODE = "ABCD-EFGH-1234"


async def _destroyed(world: World) -> tuple[str, UUID]:
    """A case that was handed over and then destroyed: its number, and the handoff."""
    manifest, record = world.bundle(case_number := new_case_number())
    await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    await world.ledger.append(destroy_case(world.parts.pseudonyms.case(case_number), DestructionReason.ORDERED))
    return case_number, manifest.bundle_id


@dataclass(frozen=True, slots=True)
class _Readings:
    """A reader that knows one handoff, or one statement, of a destroyed case."""

    world: World
    kind: str = ""
    stated: tuple[StoredStatement, ...] = ()

    def __getattr__(self, name: str) -> object:
        return getattr(self.world.ledger, name)

    async def handoff(self, handoff: UUID) -> object:
        """The handoff, as if it had brought an indictment to the court."""
        stored = await self.world.ledger.handoff(handoff)
        return replace(stored, row=replace(stored.row, kind=self.kind, receiver=str(COURT))) if stored else None

    async def statements(self, **_: object) -> Sequence[StoredStatement]:
        """What was stated, on one page."""
        return self.stated


async def test_acceptance_of_a_destroyed_case_is_refused_by_the_ledger() -> None:
    """A court that accepts an indictment hears that the case was destroyed, though nothing of it can be judged."""
    world = World()
    _, handoff = await _destroyed(world)
    parts = replace(world.parts, reader=_Readings(world, RecordKind.INDICTMENT))  # type: ignore[arg-type]
    with pytest.raises(GatewayError) as caught:
        await decide_handoff(
            parts, COURT, handoff_id=str(handoff), consumer="c", act_id="0193a3b0-0000-7000-8000-000000000001",
            decision=EntryKind.ACCEPTED, deficiencies=(), reasons=(),
        )  # fmt: skip
    assert caught.value.code is ErrorCode.CASE_DESTROYED


async def test_reviews_of_a_destroyed_case_are_none() -> None:
    """A transfer of a destroyed case is then refused for that reason, and not for a statement that nobody can open."""
    world = World()
    case_number, handoff = await _destroyed(world)
    case = world.parts.pseudonyms.case(case_number)
    appended = Appended(0, b"", b"", world.clock(), "")
    stated = StoredStatement(handoff, str(POLICE), LEGAL_REVIEW, case, "", "", appended, is_destroyed=True)
    parts = replace(world.parts, reader=_Readings(world, stated=(stated,)))  # type: ignore[arg-type]
    assert await find_stated(parts, LEGAL_REVIEW, POLICE, case_number) == ()


async def test_recording_of_a_destroyed_case_is_refused_with_its_handoff() -> None:
    """A party that asks for a recording hears that the case was destroyed, and the refusal is an entry of the case."""
    world = World()
    _, handoff = await _destroyed(world)
    with pytest.raises(GatewayError) as caught:
        await verify_recording(world.parts, POLICE, handoff_id=str(handoff), sha256="ab" * 32)
    assert (caught.value.code, caught.value.handoff) == (ErrorCode.CASE_DESTROYED, handoff)


async def test_enquiry_into_a_case_destroyed_meanwhile_is_answered_like_a_wrong_code() -> None:
    """Between reading the answer and the record a case may be destroyed; nobody learns that there was one."""
    world = World()
    case_number, _ = await _destroyed(world)
    digest = world.parts.pseudonyms.enquiry(parse_code(CODE))
    told = Progress(stage="FILED", since="2026-01-02")
    world.ledger.told[digest] = StoredProgress(digest, world.parts.pseudonyms.case(case_number), told)
    with pytest.raises(GatewayError) as caught:
        await read_progress(world.parts, POLICE, CODE)
    assert caught.value.code is ErrorCode.ENQUIRY_UNKNOWN
