"""Oversight: entries by filter, the timeline of a case, proofs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from gateway.core.entry import EntryKind, from_leaf
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.identity import parse_agency
from gateway.core.page_token import open_page_token, seal_page_token
from gateway.core.port.ledger import EntryFilter, StoredEntry, TreeHead
from gateway.flows.parts import Parts
from gateway.flows.request import parse_size, parse_uuid, require_range

MAX_PAGE: Final = 1000
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Conditions as oversight writes them; empty ones do not count (see ``EntryFilter`` in ledger.proto)."""

    kinds: Sequence[EntryKind] = ()
    sender: str = ""
    receiver: str = ""
    actor: str = ""
    case_number: str = ""
    handoff_id: str = ""
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    index_from: int = 0
    index_to: int = 0


@dataclass(frozen=True, slots=True)
class EntryPage:
    """A page of entries, the token of the next page ("" on the last), and the present tree."""

    entries: list[StoredEntry]
    next_page_token: str
    head: TreeHead


async def query_entries(parts: Parts, query: Query, page_size: int, page_token: str) -> EntryPage:
    """List entries that match a query, in order of their index.

    Args:
        parts: the filled ports.
        query: conditions.
        page_size: 1 to 1,000, 0 for 100.
        page_token: of the page before with the same query, "" for the first.

    Returns:
        the page.

    Raises:
        GatewayError: ARGUMENT_INVALID and ARGUMENT_OUT_OF_RANGE, all at once; PAGE_TOKEN_INVALID.
    """
    condition = _condition(parts, query)
    limit = parse_size(page_size, "page_size", default=100, most=MAX_PAGE)
    return await _page(parts, condition, limit, page_token)


async def _page(parts: Parts, condition: EntryFilter, limit: int, page_token: str) -> EntryPage:
    sealed = f"entries {condition!r}".encode()
    key = parts.pseudonyms.page_key()
    after = open_page_token(key, page_token, sealed)
    entries = await parts.reader.entries(condition, after_index=after, limit=limit + 1)
    token = seal_page_token(key, entries[limit - 1].index, sealed) if len(entries) > limit else ""
    return EntryPage(entries[:limit], token, await parts.reader.head())


def _agency(text: str, path: str) -> str:
    return str(parse_agency(text, path)) if text else ""


def _condition(parts: Parts, query: Query) -> EntryFilter:
    findings: list[Finding] = []

    def tried(read: Callable[[], T], default: T) -> T:
        try:
            return read()
        except GatewayError as error:
            findings.extend(error.findings)
            return default

    agencies = [
        tried(partial(_agency, text, f"filter.{name}"), "")
        for name, text in (("sender", query.sender), ("receiver", query.receiver), ("actor", query.actor))
    ]
    handoff = tried(lambda: parse_uuid(query.handoff_id, "filter.handoff_id") if query.handoff_id else None, None)
    tried(lambda: require_range(query.index_from, query.index_to, "filter.index_from"), None)
    if query.recorded_from and query.recorded_to and query.recorded_to < query.recorded_from:
        findings.append(Finding(ErrorCode.ARGUMENT_OUT_OF_RANGE, "filter.recorded_to", "the end is before the start"))
    if findings:
        raise GatewayError(findings)
    return EntryFilter(
        kinds=tuple(sorted(set(query.kinds))),
        sender=agencies[0],
        receiver=agencies[1],
        actor=agencies[2],
        case=parts.pseudonyms.case(query.case_number) if query.case_number else "",
        handoff=handoff,
        recorded_from=query.recorded_from,
        recorded_to=query.recorded_to,
        index_from=query.index_from,
        index_to=query.index_to or None,
    )


@dataclass(frozen=True, slots=True)
class Timeline:
    """Entries of a case, where it stands, who holds the file, and the token of the next page."""

    entries: list[StoredEntry]
    stage: str
    holder: str
    next_page_token: str


async def read_timeline(parts: Parts, case_number: str, page_size: int, page_token: str) -> Timeline:
    """Read the entries of a case in order.

    Args:
        parts: the filled ports.
        case_number: police case number.
        page_size: 1 to 1,000, 0 for 1,000.
        page_token: of the page before, "" for the first.

    Returns:
        the timeline; empty for a case that the ledger does not know.

    Raises:
        GatewayError: ARGUMENT_INVALID, ARGUMENT_OUT_OF_RANGE, PAGE_TOKEN_INVALID.
    """
    if not case_number:
        raise refuse(ErrorCode.ARGUMENT_INVALID, "case_number", "a police case number")
    limit = parse_size(page_size, "page_size", default=MAX_PAGE, most=MAX_PAGE)
    page = await _page(parts, EntryFilter(case=parts.pseudonyms.case(case_number)), limit, page_token)
    stage = holder = ""
    if page.entries:
        state = from_leaf(page.entries[-1].leaf).case_state
        if state is not None:
            stage, holder = state.stage.value, state.holder
    return Timeline(page.entries, stage, holder, page.next_page_token)


@dataclass(frozen=True, slots=True)
class Proof:
    """A path with the root that it leads to; the fields of ``GetProofResponse`` in ledger.proto."""

    hashes: list[bytes]
    tree_size: int
    root_hash: bytes
    leaf_hash: bytes = b""
    first_size: int = 0
    first_root_hash: bytes = b""


async def prove_inclusion(parts: Parts, entry_index: int, tree_size: int) -> Proof:
    """Prove that an entry is in a tree (RFC 6962, section 2.1.1).

    Args:
        parts: the filled ports.
        entry_index: from 0.
        tree_size: size of the tree, 0 for the present one.

    Returns:
        the proof.

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE unless entry_index < tree_size <= present size.
    """
    size = tree_size or (await parts.reader.head()).size
    # The reader knows without asking that a tree is there which was there before.
    if not 0 <= entry_index < size:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "inclusion.entry_index", "an entry of a tree that exists")
    hashes, root, leaf_hash = await parts.reader.inclusion(entry_index, size)
    return Proof(hashes, size, root, leaf_hash=leaf_hash)


async def prove_consistency(parts: Parts, first_size: int, second_size: int) -> Proof:
    """Prove that one tree extends another (RFC 6962, section 2.1.2).

    Args:
        parts: the filled ports.
        first_size: size of the earlier tree, from 1.
        second_size: size of the later tree, 0 for the present one.

    Returns:
        the proof.

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE unless 1 <= first_size <= second_size <= present size.
    """
    second = second_size or (await parts.reader.head()).size
    if not 1 <= first_size <= second:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "consistency.first_size", "two trees that exist, smaller first")
    hashes, first_root, second_root = await parts.reader.consistency(first_size, second)
    return Proof(hashes, second, second_root, first_size=first_size, first_root_hash=first_root)
