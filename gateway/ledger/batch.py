"""A batch of the batcher: the acts that wait, what each came to, and how their callers hear of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.core.command import Command
from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.core.log.batch_receipt import BatchTree
from gateway.core.port.ledger import Appended
from gateway.ledger.draft import Draft, Recorded, Written
from gateway.ledger.sealed import Seals

_RETRY_AFTER_SECONDS: Final = 1.0


@dataclass(slots=True, eq=False)
class Item:
    """An act that waits.

    Args:
        command: the act.
        answer: what its caller waits for.
    """

    command: Command
    answer: asyncio.Future[Appended]


Outcome = Written | Recorded | GatewayError


@dataclass(slots=True, eq=False)
class Batch:
    """A batch that was decided.

    Args:
        items: its acts.
        draft: its rows.
        outcomes: what each item comes to.
        receipt: one signature for all of them; "" when nobody is owed a receipt.
        tree: over their leaf hashes.
        seals: of the cases whose content it has.
    """

    items: list[Item]
    draft: Draft
    outcomes: list[Outcome]
    receipt: str
    tree: BatchTree | None
    seals: Seals = field(default_factory=dict)


def later(code: ErrorCode, message: str) -> GatewayError:
    """A refusal of what may succeed in a moment."""
    return GatewayError(Finding(code, message=message), retry_after_seconds=_RETRY_AFTER_SECONDS)


def answer(item: Item, appended: Appended) -> None:
    """Tell a caller what was committed; one that has gone is not told."""
    if not item.answer.done():
        item.answer.set_result(appended)


def refuse_all(items: Sequence[Item], error: GatewayError) -> None:
    """Tell callers that they are refused; those that were answered already are not told."""
    for item in items:
        if not item.answer.done():
            # One exception object for each caller: they run at the same time and each adds its traceback.
            item.answer.set_exception(GatewayError(error.findings, retry_after_seconds=error.retry_after_seconds))
