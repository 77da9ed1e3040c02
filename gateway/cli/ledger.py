"""``fasttrack ledger``: what oversight reads, and proofs that are verified on this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.connection import SettingsError
from gateway.cli.output import console, print_json, print_table, to_plain
from gateway.core.entry import EntryKind

if TYPE_CHECKING:
    from gateway.core.identity import Agency
    from gateway.rpc.client import GatewayClient
    from gateway.rpc.client_wire import LedgerEntry

app = typer.Typer(help="Query the ledger and verify proofs (oversight).", no_args_is_help=True)


def from_entry(row: LedgerEntry) -> dict[str, Any]:
    """Turn an entry into a plain object.

    Args:
        row: an entry, verified against its hash.

    Returns:
        what an inspector asks for, with leaf (canonical text) and leaf_hash (hexadecimal).
    """
    entry = row.entry
    return {
        "index": entry.index,
        "kind": entry.kind.value,
        "recorded_at": entry.recorded_at,
        "actor": entry.actor,
        "sender": entry.sender,
        "receiver": entry.receiver,
        "pair_number": entry.pair_number,
        "handoff": entry.handoff,
        "handoff_kind": entry.handoff_kind,
        "handoff_state": entry.handoff_state,
        "case_pseudonym": entry.case,
        "case_sequence": entry.case_sequence,
        "case_stage": entry.case_state.stage.value if entry.case_state else "",
        "transitions": entry.transitions,
        "refusal_codes": entry.refusal_codes,
        "leaf": row.leaf.decode("ascii"),
        "leaf_hash": row.leaf_hash,
    }


def _print_entries(title: str, rows: list[LedgerEntry]) -> None:
    print_table(
        title,
        ("entry", "when", "what", "handoff", "from", "to", "by", "stage", "transitions"),
        [
            (
                item.index,
                item.recorded_at,
                item.kind,
                item.handoff_kind,
                item.sender,
                item.receiver,
                item.actor,
                item.case_state.stage.value if item.case_state else "",
                " ".join(item.transitions) or " ".join(map(str, item.refusal_codes)),
            )
            for item in (row.entry for row in rows)
        ],
    )


@gateway_command(app, "query")
async def query(
    session: Session,
    *,
    kind: Annotated[list[EntryKind] | None, typer.Option("--kind", help="What the entry records; repeatable.")] = None,
    sender: Annotated[str, typer.Option("--sender", help="Sending agency.")] = "",
    receiver: Annotated[str, typer.Option("--receiver", help="Receiving agency.")] = "",
    actor: Annotated[str, typer.Option("--actor", help="Agency that acted.")] = "",
    case: Annotated[str, typer.Option("--case", help="Police case number; the ledger knows only its pseudonym.")] = "",
    handoff: Annotated[UUID | None, typer.Option("--handoff", help="The handoff.")] = None,
    since: Annotated[datetime | None, typer.Option("--since", help="Earliest time, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="Latest time, UTC, not included.")] = None,
    after_index: Annotated[int, typer.Option("--from-index", min=0, help="Lowest index.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Entries at most.")] = 100,
) -> None:
    """List entries that match all conditions, in order of their index."""
    from gateway.rpc.client_ledger import EntryQuery  # noqa: PLC0415 - loads what only a call needs

    condition = EntryQuery(
        kinds=tuple(kind or ()),
        sender=_agency(sender, "--sender"),
        receiver=_agency(receiver, "--receiver"),
        actor=_agency(actor, "--actor"),
        case_number=case,
        handoff=handoff,
        recorded_from=since.replace(tzinfo=UTC) if since else None,
        recorded_to=until.replace(tzinfo=UTC) if until else None,
        index_from=after_index,
    )
    rows: list[LedgerEntry] = []
    async with session.client() as client:
        async for row in client.query_entries(condition, page_size=min(limit, 1000)):
            rows.append(row)
            if len(rows) == limit:
                break
    if session.is_json:
        print_json({"entries": [from_entry(row) for row in rows]})
    else:
        _print_entries(f"{len(rows)} entries", rows)


@gateway_command(app, "case")
async def case(
    session: Session,
    case_number: Annotated[str, typer.Argument(help="Police case number.")],
) -> None:
    """Show the whole way of one case; its chain of hashes is checked."""
    async with session.client() as client:
        timeline = await client.get_case_timeline(case_number)
    if session.is_json:
        print_json(
            {
                "stage": timeline.stage,
                "file_holder": timeline.file_holder,
                "entries": [from_entry(row) for row in timeline.entries],
            }
        )
        return
    rows = list(timeline.entries)
    _print_entries(f"{len(rows)} entries, chain verified", rows)
    if rows:
        console().print(f"stage {timeline.stage}, file held by {timeline.file_holder or 'nobody'}")


@gateway_command(app, "proof")
async def proof(
    session: Session,
    index: Annotated[int | None, typer.Option("--index", min=0, help="Entry that is to be in the tree.")] = None,
    receipt: Annotated[
        Path | None, typer.Option("--receipt", help="Receipt whose entry is to be in the tree.", exists=True)
    ] = None,
    first_size: Annotated[
        int | None, typer.Option("--first-size", min=1, help="Earlier tree that the later one is to extend.")
    ] = None,
    tree_size: Annotated[int, typer.Option("--tree-size", min=0, help="Size of the tree; 0 for the present one.")] = 0,
) -> None:
    """Get a proof and verify it here: that an entry is in the tree, or that a tree extends an earlier one."""
    if [index is not None, receipt is not None, first_size is not None].count(True) != 1:
        raise SettingsError(
            "what is to be proved?",
            "give one of --index N, --receipt FILE (entry in tree) or --first-size N (tree in tree)",
        )
    async with session.client() as client:
        if first_size is not None:
            result = await _prove_consistency(client, first_size, tree_size)
        elif receipt is not None:
            result = await _prove_receipt(client, receipt, tree_size)
        else:
            result = await _prove_inclusion(client, index or 0, None, tree_size)
    if session.is_json:
        print_json(result)
    else:
        console().print(str(result["statement"]))
        console().print(f"  root {to_plain(result['root_hash'])}")


async def _prove_receipt(client: GatewayClient, path: Path, tree_size: int) -> dict[str, Any]:
    from gateway.cli.evidence import read_receipt  # noqa: PLC0415 - as above
    from gateway.core.entry import from_leaf, leaf_hash  # noqa: PLC0415 - as above
    from gateway.core.errors import GatewayError  # noqa: PLC0415 - as above
    from gateway.rpc.client_error import EvidenceRejected  # noqa: PLC0415 - as above

    jws, leaf = read_receipt(path)
    try:
        client.verifier.verify_receipt(jws, leaf=leaf, is_fresh=False)
    except GatewayError as error:
        raise EvidenceRejected(f"the receipt does not verify: {error}") from error
    return await _prove_inclusion(client, from_leaf(leaf).index, leaf_hash(leaf), tree_size)


async def _prove_inclusion(
    client: GatewayClient, index: int, leaf_hash: bytes | None, tree_size: int
) -> dict[str, Any]:
    found = await client.prove_inclusion(index, tree_size=tree_size, leaf_hash=leaf_hash)
    return {
        "verified": True,
        "statement": f"entry {index} is in the tree of {found.tree_size} entries (verified)",
        "entry_index": index,
        "tree_size": found.tree_size,
        "leaf_hash": found.leaf_hash,
        "root_hash": found.root_hash,
        "hashes": found.hashes,
    }


async def _prove_consistency(client: GatewayClient, first_size: int, tree_size: int) -> dict[str, Any]:
    found = await client.prove_consistency(first_size, second_size=tree_size)
    return {
        "verified": True,
        "statement": f"the tree of {found.second_size} entries extends the tree of {first_size} (verified)",
        "first_size": first_size,
        "first_root_hash": found.first_root_hash,
        "tree_size": found.second_size,
        "root_hash": found.second_root_hash,
        "hashes": found.hashes,
    }


def _agency(text: str, option: str) -> Agency | None:
    from gateway.core.identity import parse_agency  # noqa: PLC0415 - as above

    return parse_agency(text, option) if text else None
