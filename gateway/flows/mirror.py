"""The gateway's side of mirroring: hashes for everybody, entries for who may see them."""

from __future__ import annotations

from typing import Final

from gateway.core.entry import EntryKind
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.identity import Agency
from gateway.core.log.mirror import (
    MAX_PAGE,
    MAX_PAGE_BYTES,
    MAX_SEALS,
    EntryRow,
    LogPage,
    MirroredEntry,
    SealRow,
    brings_bundle,
    is_seen_by,
    may_read,
    readable,
)
from gateway.core.signed import payload_of
from gateway.flows.parts import Parts
from gateway.flows.request import parse_size

_MAX_SIZE: Final = 2**63 - 1
_MAX_SKIP: Final = 2**31 - 1


async def list_entries(parts: Parts, caller: Agency, first_index: int, tree_size: int, page_size: int) -> LogPage:
    """Give a stretch of the log to a mirror.

    Args:
        parts: the filled ports.
        caller: whose mirror it is.
        first_index: of the first entry wanted.
        tree_size: size of the tree that is copied.
        page_size: 1 to 256, 0 for 256.

    Returns:
        the page; empty when first_index is the size.

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE unless 0 <= first_index <= tree_size <= present size, everything at once.
    """
    findings: list[Finding] = []
    limit = MAX_PAGE
    try:
        limit = parse_size(page_size, "page_size", default=MAX_PAGE, most=MAX_PAGE)
    except GatewayError as error:
        findings.extend(error.findings)
    if not 0 <= first_index <= tree_size:
        findings.append(Finding(ErrorCode.ARGUMENT_OUT_OF_RANGE, "first_index", "0 to tree_size"))
    if not 0 <= tree_size <= (await parts.reader.head()).size:
        findings.append(Finding(ErrorCode.ARGUMENT_OUT_OF_RANGE, "tree_size", "the ledger has no tree of this size"))
    if findings:
        raise GatewayError(findings)
    stop = min(first_index + limit, tree_size)
    found = await parts.mirror.stretch(first_index, stop)
    hashes: list[bytes] = []
    entries: list[MirroredEntry] = []
    used = 0
    parties: dict[str, bool] = {}
    for row in found.rows:
        hashes.append(row.leaf_hash)
        is_reader = await _is_statement_reader(parts, caller, row, parties)
        if is_reader or is_seen_by(row, caller):
            entry = await _entry(parts, caller, row, is_reader=is_reader)
            entries.append(entry)
            used += entry.content_bytes
        if used > MAX_PAGE_BYTES:
            break
    end = first_index + len(hashes)
    return LogPage(tuple(hashes), tuple(entries), tuple(batch for batch in found.batches if batch.size <= end))


async def _is_statement_reader(parts: Parts, caller: Agency, row: EntryRow, parties: dict[str, bool]) -> bool:
    """Whether a statement of another agency is the caller's to read; ``StatementService`` decides by the same form.

    Args:
        parts: the filled ports.
        caller: who asks.
        row: any entry.
        parties: whether the caller is a party of a case, as far as it was asked in this page.
    """
    signed = row.beside.get("statement_jws")
    if row.kind is not EntryKind.STATED or not signed or may_read(row, caller):
        return False
    statement = payload_of(signed.decode("ascii"))
    if not parts.statement_forms.may_read(caller, statement, is_party=bool(row.case)):
        return False
    if row.case not in parties:
        parties[row.case] = await parts.reader.is_party(row.case, caller)
    return parties[row.case]


async def _entry(parts: Parts, caller: Agency, row: EntryRow, *, is_reader: bool) -> MirroredEntry:
    bundle = None
    if row.handoff is not None and brings_bundle(row, caller):
        bundle = await parts.mirror.bundle(row.handoff)
    return MirroredEntry(row.index, row.leaf, readable(row, caller, is_statement_reader=is_reader), bundle)


async def list_seals(parts: Parts, from_size: int, skip: int, page_size: int) -> list[SealRow]:
    """Give checkpoints, cosignatures and time stamps; they are for everybody.

    Args:
        parts: the filled ports.
        from_size: smallest size wanted.
        skip: seals of that size to leave out.
        page_size: 1 to 1,000, 0 for 1,000.

    Returns:
        seals by size and time.

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE.
    """
    limit = parse_size(page_size, "page_size", default=MAX_SEALS, most=MAX_SEALS)
    if not 0 <= from_size <= _MAX_SIZE:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "from_size", "0 or more")
    if not 0 <= skip <= _MAX_SKIP:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "skip", "0 or more")
    return await parts.mirror.seals(from_size, skip, limit)
