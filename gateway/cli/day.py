"""Days as options give them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import typer


def to_day(text: str, option: str) -> date:
    """Read a day of an option.

    Args:
        text: ``2026-01-02``; "" for today in China.
        option: its name, for the message.

    Raises:
        typer.BadParameter: no day.
    """
    from gateway.core.form.period import CHINA  # noqa: PLC0415 - with the forms

    if not text:
        return datetime.now(UTC).astimezone(CHINA).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("a day, such as 2026-01-02", param_hint=option) from error
