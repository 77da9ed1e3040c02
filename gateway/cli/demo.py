"""``fasttrack demo``: one case through all agencies, on this machine, over real gRPC with mutual TLS."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.command import JSON_OPTION
from gateway.cli.exit_code import ExitCode
from gateway.cli.failure import fail, run
from gateway.cli.output import print_json

app = typer.Typer()


@app.command("demo")
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on running until Ctrl-C, and print commands to try.")
    ] = False,
    svg: Annotated[
        Path | None, typer.Option("--svg", "--picture", help="Write a picture of the terminal to this file.")
    ] = None,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Run one case through police, procuratorate, court and justice on this machine.

    Starts PostgreSQL in a temporary folder, makes certificates, starts the gateway as a process of its own, and hands
    the dangerous-driving case over nine times as five different callers. Needs no network and leaves nothing behind.
    """
    run(_demo(keep=keep, svg=svg, is_json=is_json), is_json=is_json)


async def _demo(*, keep: bool, svg: Path | None, is_json: bool) -> None:
    from gateway.cli.local_gateway import LocalGatewayError  # noqa: PLC0415 - as below
    from gateway.ledger.embedded import EmbeddedPostgresError  # noqa: PLC0415 - as below

    try:
        await _play(keep=keep, svg=svg, is_json=is_json)
    except (EmbeddedPostgresError, LocalGatewayError) as error:
        hint = "try again; TMPDIR names a folder with 200 MB free that every account may pass through"
        fail(ExitCode.UNREACHABLE, f"the demo did not start: {error}", hint, is_json=is_json)


async def _play(*, keep: bool, svg: Path | None, is_json: bool) -> None:
    from gateway.cli.demo_case import load_acts  # noqa: PLC0415 - grpc and asyncpg load slowly, --help needs neither
    from gateway.cli.demo_screen import Screen  # noqa: PLC0415 - as above
    from gateway.cli.demo_seal import open_crew  # noqa: PLC0415 - as above
    from gateway.cli.demo_stage import open_stage  # noqa: PLC0415 - as above
    from gateway.cli.demo_story import open_cast, play_act, play_ending, play_seal  # noqa: PLC0415 - as above

    started = time.perf_counter()
    # A supervisor ends a process with SIGTERM; it must clean up as after Ctrl-C.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
    screen = Screen(picture=svg is not None, is_silent=is_json)
    screen.opening()
    async with open_stage() as stage, open_crew(stage) as crew:
        screen.stage(stage, time.perf_counter() - started)
        async with open_cast(stage) as cast:
            played = []
            for act in load_acts(stage.home / "agencies"):
                played.append(await play_act(cast, act))
                screen.act(played[-1])
            ending = await play_ending(cast, played[0])
            await crew.ready()
            sealed = [item for done in played for item in await play_seal(cast, done)]
        screen.ending(ending)
        screen.sealed(sealed)
        seconds = time.perf_counter() - started
        receipts = sum(len(done.receipts) for done in played)
        tree_size = ending.inclusion.tree_size
        screen.close(len(played), receipts, tree_size, seconds)
        if svg is not None:
            screen.save(svg)
        if is_json:
            print_json(
                {
                    "handoffs": len(played),
                    "receipts_verified": receipts,
                    "receipts_sealed": len(sealed),
                    "proof_verified": True,
                    "tree_size": tree_size,
                    "seconds": round(seconds, 3),
                }
            )
        if keep:
            (Screen(to_errors=True) if is_json else screen).commands(stage, played[0].case_number)
            await _until_interrupted()


async def _until_interrupted() -> None:
    """Ctrl-C is how a demo that was kept is meant to end, so it is no failure."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
