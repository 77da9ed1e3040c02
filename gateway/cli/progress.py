"""Progress bars on standard error, and only where somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.cli.output import console

if TYPE_CHECKING:
    from rich.progress import TaskID

Advance = Callable[[str, int, int], None]
"""Told the name of a transfer, bytes done and bytes in all."""


@contextmanager
def count_progress(text: str) -> Iterator[Callable[[int], None]]:
    """Show how many there are so far, on one line that goes away.

    Args:
        text: what is counted, with ``{}`` for the number.

    Yields:
        a function to be told the number; it shows nothing where nobody looks.
    """
    terminal = console(stderr=True)
    if not terminal.is_terminal:
        yield lambda count: None
        return
    with terminal.status(text.format(0)) as status:
        yield lambda count: status.update(text.format(f"{count:,}"))


@contextmanager
def transfer_progress(*, is_quiet: bool = False) -> Iterator[Advance]:
    """Show one bar for each transfer.

    Args:
        is_quiet: show nothing.

    Yields:
        a function to be told how far each transfer is.
    """
    terminal = console(stderr=True)
    if is_quiet or not terminal.is_terminal:
        yield lambda name, done, total: None
        return
    from rich.progress import (  # noqa: PLC0415 - only a transfer on a terminal needs it
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    tasks: dict[str, TaskID] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=terminal, transient=True) as bars:

        def advance(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield advance
