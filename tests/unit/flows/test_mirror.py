"""Who is given what of the log: the gateway's side of mirroring, with fakes."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest

from gateway.core.entry import OWN_KINDS, EntryKind, leaf_hash
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import Agency, parse_agency
from gateway.core.log.mirror import (
    BESIDE,
    MAX_PAGE_BYTES,
    BatchRow,
    EntryRow,
    StoredBundle,
    brings_bundle,
    is_seen_by,
    may_read,
)
from gateway.core.port.ledger import LedgerReader, TreeHead
from gateway.flows.mirror import list_entries, list_seals
from tests.support.fake_parts import COURT, POLICE, PROCURATORATE, World

OVERSIGHT = parse_agency("ov:110000")
HANDOFF = UUID(int=7)


def row(index: int, kind: EntryKind, *, actor: str = "ps:110108", parties: tuple[str, str] | None = None) -> EntryRow:
    """An entry between police and procuratorate."""
    leaf = f"leaf {index}".encode()
    sender, receiver = parties or ("ps:110108", "pr:110108")
    return EntryRow(index, leaf, leaf_hash(leaf), kind, actor, sender, receiver, HANDOFF, dict.fromkeys(BESIDE, b"x"))


class Head:
    """A reader that knows how large the ledger is."""

    def __init__(self, size: int) -> None:
        self.size = size

    async def head(self) -> TreeHead:
        """The present tree."""
        return TreeHead(self.size, bytes(32))

    async def is_party(self, case: str, agency: Agency) -> bool:
        """Police and procuratorate are parties of every case."""
        return agency in (POLICE, PROCURATORATE)


def world_of(*rows: EntryRow) -> World:
    """Ports over some entries."""
    world = World()
    world.mirror.rows = list(rows)
    world.mirror.bundles[HANDOFF] = StoredBundle(HANDOFF, "manifest", b"record")
    world.mirror.batches = tuple(BatchRow(index, index + 1, f"jws {index}") for index in range(len(rows)))
    world.reader = cast(LedgerReader, Head(len(rows)))  # type: ignore[assignment]
    return world


@pytest.mark.parametrize(
    ("agency", "is_seen", "is_reader"),
    [(POLICE, True, True), (PROCURATORATE, True, True), (COURT, False, False), (OVERSIGHT, True, False)],
    ids=str,
)
def test_entry_when_asked_for_is_shown_to_parties_and_oversight(agency: Agency, is_seen: bool, is_reader: bool) -> None:
    """A third agency gets the hash alone; oversight the leaf, which it may query anyway, and nothing beside it."""
    entry = row(0, EntryKind.ACCEPTED, actor="pr:110108")
    assert (is_seen_by(entry, agency), may_read(entry, agency)) == (is_seen, is_reader)


@pytest.mark.parametrize("kind", sorted(OWN_KINDS))
def test_entry_of_the_gateway_itself_is_everybodys(kind: EntryKind) -> None:
    """What came into force is public."""
    assert is_seen_by(row(0, kind, actor="gateway", parties=("", "")), COURT)


def test_refused_call_without_a_handoff_is_its_actors_alone() -> None:
    """Nobody learns from a mirror what others tried."""
    entry = row(0, EntryKind.CALL_REFUSED, actor="ct:110108", parties=("", ""))
    assert [is_seen_by(entry, agency) for agency in (COURT, POLICE, OVERSIGHT)] == [True, False, True]


@pytest.mark.parametrize("kind", list(EntryKind))
def test_bundle_comes_with_the_submit_for_its_sender(kind: EntryKind) -> None:
    """A receiver reads by Fetch, which holds back what it may not see; its mirror is no way round that."""
    entry = row(0, kind)
    assert brings_bundle(entry, POLICE) is (kind is EntryKind.SUBMITTED)
    assert not any(brings_bundle(entry, agency) for agency in (PROCURATORATE, COURT, OVERSIGHT))


async def test_page_when_listed_has_every_hash_and_the_callers_entries() -> None:
    """The hashes are all there; what is not the caller's has no leaf."""
    ours = row(0, EntryKind.SUBMITTED)
    theirs = row(1, EntryKind.SUBMITTED, actor="ps:110105", parties=("ps:110105", "pr:110108"))
    key = row(2, EntryKind.KEY_REGISTERED, actor="gateway", parties=("", ""))
    page = await list_entries(world_of(ours, theirs, key).parts, POLICE, 0, 3, 0)
    assert page.leaf_hashes == (ours.leaf_hash, theirs.leaf_hash, key.leaf_hash)
    assert [entry.index for entry in page.entries] == [0, 2]
    assert page.entries[0].bundle is not None and set(page.entries[0].beside) == set(BESIDE)
    assert set(page.entries[1].beside) == {"certificate"}
    assert [batch.size for batch in page.batches] == [1, 2, 3]


@pytest.mark.parametrize(
    ("agency", "case", "type_name", "is_given"),
    [
        (PROCURATORATE, "c" * 32, "procedural-act", True),
        (COURT, "c" * 32, "procedural-act", False),
        (OVERSIGHT, "c" * 32, "procedural-act", False),
        (PROCURATORATE, "", "procedural-act", False),
        (PROCURATORATE, "c" * 32, "given-up-type", False),
    ],
    ids=["party", "role but no party", "no role", "no case", "unknown type"],
)
async def test_statement_is_given_to_whom_its_form_lets_read_it(
    agency: Agency, case: str, type_name: str, is_given: bool
) -> None:
    """A mirror holds what StatementService would give: to a party of the case whose role the form names."""
    jws = jws_of({"type": type_name, "version": 1, "issuer": str(POLICE)})
    stated = replace(
        row(0, EntryKind.STATED, parties=("", "")), beside={"statement_jws": jws, "facts": b"[]"}, case=case
    )
    entries = (await list_entries(world_of(stated).parts, agency, 0, 1, 0)).entries
    assert [set(entry.beside) for entry in entries if entry.beside] == [{"statement_jws"}] * is_given
    assert len(entries) == (is_given or agency == OVERSIGHT)
    (own,) = (await list_entries(world_of(stated).parts, POLICE, 0, 1, 0)).entries
    assert set(own.beside) == {"statement_jws", "facts"}


def jws_of(payload: dict[str, object]) -> bytes:
    """Something of the form of a signed statement."""
    return b"h." + base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=") + b".s"


async def test_page_when_records_are_large_ends_early() -> None:
    """The page ends with the entry that fills it, and its batches with it."""
    world = world_of(*(row(index, EntryKind.SUBMITTED) for index in range(5)))
    world.mirror.bundles[HANDOFF] = StoredBundle(HANDOFF, "m", bytes(MAX_PAGE_BYTES // 2))
    page = await list_entries(world.parts, POLICE, 0, 5, 0)
    assert len(page.leaf_hashes) == len(page.entries) == 2
    assert [batch.size for batch in page.batches] == [1, 2]


async def test_page_when_statements_are_large_ends_early() -> None:
    """What lies beside entries counts like what a bundle brings: a page never grows beyond what a call may carry."""
    large = {"facts": bytes(MAX_PAGE_BYTES // 2)}
    world = world_of(*(replace(row(index, EntryKind.STATED, parties=("", "")), beside=large) for index in range(5)))
    page = await list_entries(world.parts, POLICE, 0, 5, 0)
    assert len(page.leaf_hashes) == len(page.entries) == 3


@pytest.mark.parametrize(
    ("first", "size", "page"), [(-1, 1, 0), (2, 1, 0), (0, 2, 0), (0, -1, 0), (0, 1, 257), (0, 1, -1)]
)
async def test_page_when_out_of_range_is_refused(first: int, size: int, page: int) -> None:
    """Only trees that exist can be copied, in pages of at most 256."""
    with pytest.raises(GatewayError) as refused:
        await list_entries(world_of(row(0, EntryKind.SUBMITTED)).parts, POLICE, first, size, page)
    assert refused.value.code is ErrorCode.ARGUMENT_OUT_OF_RANGE


async def test_page_when_everything_is_wrong_names_all_of_it() -> None:
    """One answer has every finding."""
    with pytest.raises(GatewayError) as refused:
        await list_entries(world_of().parts, POLICE, 10, 9, 999)
    assert [finding.path for finding in refused.value.findings] == ["page_size", "first_index", "tree_size"]


@pytest.mark.parametrize(("size", "skip", "page"), [(-1, 0, 0), (2**63, 0, 0), (0, -1, 0), (0, 2**31, 0), (0, 0, 1001)])
async def test_seals_when_out_of_range_are_refused(size: int, skip: int, page: int) -> None:
    """Limits on everything from outside."""
    with pytest.raises(GatewayError) as refused:
        await list_seals(World().parts, size, skip, page)
    assert refused.value.code is ErrorCode.ARGUMENT_OUT_OF_RANGE
