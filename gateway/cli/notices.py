"""``fasttrack notices``: what the caller is told of statutory limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.output import console, print_json, print_table

if TYPE_CHECKING:
    from gateway.rpc.client_notice import ClockNotice

app = typer.Typer(help="List or follow warnings and breaches of statutory limits.")


def _plain(notice: ClockNotice) -> dict[str, Any]:
    return {
        "entry_index": notice.index,
        "recorded_at": notice.recorded_at,
        "case_number": notice.case_number,
        "clock": notice.clock,
        "step": notice.step,
        "title": notice.title,
        "article": notice.article,
        "owner": notice.owner,
        "level": notice.level,
        "due": notice.due,
        "person_key": notice.person_key,
        "person_pseudonym": notice.person_pseudonym,
        "leaf": notice.leaf.decode("ascii"),
        "leaf_hash": notice.leaf_hash,
    }


def _person(notice: ClockNotice) -> str:
    return notice.person_key or notice.person_pseudonym[:8] or "file"


@gateway_command(app, "notices")
async def notices(
    session: Session,
    is_watching: Annotated[bool, typer.Option("--watch", help="Follow them as they come, one line each.")] = False,
    after: Annotated[int, typer.Option("--after", min=0, help="With --watch: cursor of the last item seen.")] = 0,
    count: Annotated[int, typer.Option("--count", min=0, help="With --watch: stop after so many; 0 for never.")] = 0,
) -> None:
    """List the warnings and breaches of limits that concern you, oldest first.

    Yours are the limits that you have to keep; the supervising procuratorate is told of every breach in its cases. With
    --watch each line tells its cursor: start again with --after CURSOR and nothing is lost or shown twice.
    """
    if is_watching:
        await _watch(session, after, count)
        return
    async with session.client() as client:
        rows = [row async for row in client.list_notices()]
    if session.is_json:
        print_json({"items": [_plain(row) for row in rows]})
        return
    print_table(
        f"{len(rows)} notices",
        ("entry", "recorded", "level", "clock", "due", "case", "person", "owner", "limit", "article"),
        [
            (
                row.index,
                row.recorded_at,
                row.level,
                f"{row.clock} {row.step}".strip(),
                row.due,
                row.case_number,
                _person(row),
                row.owner,
                row.title,
                row.article,
            )
            for row in rows
        ],
    )


async def _watch(session: Session, after: int, count: int) -> None:
    seen = 0
    async with session.client() as client:
        async for row, cursor in client.watch_notices(after):
            if session.is_json:
                print_json({**_plain(row), "cursor": cursor})
            else:
                clock = f"{row.clock} {row.step}".strip()
                console().print(
                    f"{cursor:>6}  {row.level:<9} {clock:<6} due {row.due or 'unknown':<24} "
                    f"{row.case_number} {_person(row)}  {row.title} ({row.article})",
                    markup=False,
                )
            seen += 1
            if count and seen >= count:
                return
