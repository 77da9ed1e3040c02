"""``fasttrack decide``."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.connection import SettingsError
from gateway.cli.handoff import DEFAULT_CONSUMER, ActId, Consumer, Handoff
from gateway.cli.output import console, print_json

if TYPE_CHECKING:
    from gateway.rpc.client_answer import Deficiency, Reason

app = typer.Typer()


class Choice(StrEnum):
    """The three decisions, as they are typed."""

    ACCEPT = "accept"
    SUPPLEMENT = "supplement"
    REFUSE = "refuse"


_DEFICIENCY: Final = re.compile(
    r"(?:(?P<code>[A-Z][0-9]{2,3})?(?:/(?P<person>[0-9A-Z-]{1,40}))?:)?\s*(?P<text>.+)", re.DOTALL
)
_REASON: Final = re.compile(r"(?P<code>[A-Za-z0-9._-]{1,64}):\s*(?P<text>.+)", re.DOTALL)


@gateway_command(app, "decide")
async def decide(
    session: Session,
    *,
    handoff: Handoff,
    decision: Annotated[Choice, typer.Argument(help="What you decide.")],
    consumer: Consumer = DEFAULT_CONSUMER,
    deficiency: Annotated[
        list[str] | None,
        typer.Option("--deficiency", help="What is missing: 'text', 'D13: text' or 'D13/PERSONKEY: text'; repeatable."),
    ] = None,
    reason: Annotated[
        list[str] | None, typer.Option("--reason", help="Why it is refused: CODE: text; repeatable.")
    ] = None,
    act_id: ActId = None,
) -> None:
    """Accept a handoff, ask for a supplement, or refuse it.

    Claim and fetch it first. A supplement needs --deficiency, a refusal needs --reason; both go to the sender and never
    into the ledger.
    """
    deficiencies, reasons = parse_deficiencies(deficiency or ()), parse_reasons(reason or ())
    _require_detail(decision, bool(deficiencies), bool(reasons))
    from gateway.cli.evidence import from_receipt  # noqa: PLC0415 - loads what only a call needs
    from gateway.rpc.client_answer import Decision  # noqa: PLC0415 - as above

    async with session.client() as client:
        receipt = await client.decide(
            handoff, consumer, Decision(decision.value), deficiencies=deficiencies, reasons=reasons, act_id=act_id
        )
    if session.is_json:
        print_json({"decision": decision, "receipt": from_receipt(receipt)})
    else:
        console().print(f"{receipt.entry.kind.value}, ledger entry {receipt.entry_index}")


def _require_detail(decision: Choice, has_deficiencies: bool, has_reasons: bool) -> None:
    wanted = {Choice.ACCEPT: (False, False), Choice.SUPPLEMENT: (True, False), Choice.REFUSE: (False, True)}[decision]
    if (has_deficiencies, has_reasons) != wanted:
        raise SettingsError(
            f"the options do not fit the decision {decision}",
            "accept takes neither option, supplement needs --deficiency alone, refuse needs --reason alone",
        )


def parse_deficiencies(texts: list[str] | tuple[str, ...]) -> list[Deficiency]:
    """Read what is missing.

    Args:
        texts: ``D13/R123: text``, ``D13: text`` or text.

    Returns:
        one deficiency each.

    Raises:
        SettingsError: a text is empty.
    """
    from gateway.rpc.client_answer import Deficiency  # noqa: PLC0415 - as above

    found = [_DEFICIENCY.fullmatch(text) for text in texts]
    if not all(found):
        raise SettingsError("--deficiency is empty", "say what is missing: --deficiency 'D13: page 2 is not legible'")
    return [
        Deficiency(match["code"] or "", match["person"] or "", match["text"]) for match in found if match is not None
    ]


def parse_reasons(texts: list[str] | tuple[str, ...]) -> list[Reason]:
    """Read reasons.

    Args:
        texts: ``CODE: text``.

    Returns:
        one reason each.

    Raises:
        SettingsError: a text has no code.
    """
    from gateway.rpc.client_answer import Reason  # noqa: PLC0415 - as above

    found = [_REASON.fullmatch(text) for text in texts]
    if not all(found):
        raise SettingsError(
            "--reason needs a code and a text", "write it as --reason 'NOT-COMPETENT: another court is competent'"
        )
    return [Reason(match["code"], match["text"]) for match in found if match is not None]
