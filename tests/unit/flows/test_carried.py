"""Unchanged documents of a bundle, read from the earlier bundles of its case."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from gateway.core.access.visibility import View
from gateway.core.case.case import Recording
from gateway.core.case.record import Reading
from gateway.core.errors import ErrorCode, refuse
from gateway.flows.carried import find_carried
from gateway.flows.decide import withdraw_handoff
from gateway.flows.parts import Parts
from gateway.flows.submit import submit_bundle
from gateway.rpc.client_bundle import make_uuid7
from tests.support.bundle import new_case_number
from tests.support.fake_parts import POLICE, FakeAdapters, World, fake_sign

START = datetime(2026, 1, 1, tzinfo=UTC)
HEARD = Recording(device="1", start=START, end=START + timedelta(hours=1), sha256="")


@dataclass
class RecordingAdapters(FakeAdapters):
    """Every digest of a record is that of a recording; ``broken`` versions cannot be read any more."""

    reads: int = 0
    broken: set[str] = field(default_factory=set)

    def read(self, data: bytes, *, sender: str, receiver: str, version: str = "") -> Reading:
        """Read a record and count it."""
        self.reads += 1
        reading = super().read(data, sender=sender, receiver=receiver, version=version)
        assert reading.case is not None and reading.header is not None
        if reading.header.message_no in self.broken:
            raise refuse(ErrorCode.SCHEMA_VERSION_UNKNOWN, "/x")
        named = tuple(replace(HEARD, sha256=one.sha256) for one in reading.digests)
        digests = tuple(one._replace(document_code="") for one in reading.digests)
        return Reading(sender, reading.header, replace(reading.case, recordings=named), reading.findings, digests)


async def _submit(world: World, parts: Parts, number: str, message: str, digests: list[str], *unchanged: str) -> None:
    manifest, record = world.bundle(number, digests=digests, header={"message_no": message})
    manifest = replace(manifest, bundle_id=make_uuid7(), idempotency_key=message, unchanged=(*digests, *unchanged))
    await submit_bundle(parts, POLICE, fake_sign(manifest), record)
    handoff = str(manifest.bundle_id)
    await withdraw_handoff(parts, POLICE, handoff_id=handoff, act_id=str(make_uuid7()), reason="sent again")


async def test_recording_that_only_an_earlier_record_names_stays_one_that_is_asked_for() -> None:
    """Whoever leaves a recording out of the record does not open it to the receiver by that."""
    world = World()
    parts = replace(world.parts, adapters=RecordingAdapters())
    digest, number = await world.give(POLICE, b"RIFF"), new_case_number()
    await _submit(world, parts, number, "1", [digest])
    await _submit(world, parts, number, "2", [], digest)
    bundles = [command.bundle for command in world.ledger.commands if command.bundle is not None]
    assert [bundle.withheld for bundle in bundles] == [{digest: View.REQUEST}] * 2


async def test_record_that_names_everything_itself_costs_no_look_at_earlier_ones() -> None:
    """The usual bundle pays nothing; another has what it needs read, and what cannot be read is passed over."""
    world, adapters = World(), RecordingAdapters(broken={"4"})
    parts = replace(world.parts, adapters=adapters)
    one, other, number = await world.give(POLICE, b"1"), await world.give(POLICE, b"2"), new_case_number()
    await _submit(world, parts, number, "1", [one])
    await _submit(world, parts, number, "2", [other])
    await _submit(world, parts, number, "3", [one, other])
    assert adapters.reads == 3, "each record once, when it came"
    manifest, record = world.bundle(number)
    manifest = replace(manifest, bundle_id=make_uuid7(), unchanged=(other, "0" * 64))
    case = adapters.read(record, sender="", receiver="").case
    adapters.reads = 0
    carried = await find_carried(parts, manifest, case)
    assert [item.path for item in carried] == ["/unchanged/0"]
    assert adapters.reads == 3, "nobody names the second digest, so all were read"
    assert await find_carried(parts, manifest, None) == ()
