"""Composition of the stamper: the process that gets a time-stamp token for each new checkpoint.

It is a process of its own because it is the only one that speaks to somebody outside: neither the key of the log nor
the records of the agencies are where an answer of a stranger is parsed, and whatever becomes of it, exchange and
signing do not notice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gateway.core.port.timestamp import StoredToken, TimestampGap
from gateway.flows.timestamp import Stamper, run_stamper
from gateway.telemetry import StampTelemetry, set_up_exporters

_LOG: Final = logging.getLogger("gateway.stamper")


def now() -> datetime:
    """The time now, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StamperSettings:
    """Settings of a stamper; the options of ``fasttrack stamper``.

    Args:
        database_url: as the role ``fasttrack_gateway``.
        url: of the time-stamp authority, http or https.
        roots: its CAs, PEM.
        interval_seconds: pause between two looks at the ledger.
    """

    database_url: str
    url: str
    roots: Path
    interval_seconds: float = 60.0


async def run_stamper_process(
    settings: StamperSettings, stop: asyncio.Event, ready: Callable[[], Any], *, is_once: bool
) -> TimestampGap | None:
    """Run a stamper.

    Args:
        settings: of the process.
        stop: set it to stop.
        ready: called once, when settings and database are good.
        is_once: look at the ledger once.

    Returns:
        with ``is_once``, the gap when the authority gave no token; else None.

    Raises:
        OSError, ValueError: the roots or the address cannot be used, or the database not be reached.
        GatewayError: with ``is_once``, LEDGER_UNAVAILABLE.
    """
    from gateway.ledger.checkpoint import CheckpointStore  # noqa: PLC0415 - --help needs no database driver
    from gateway.ledger.pool import open_pool  # noqa: PLC0415 - as above
    from gateway.ledger.timestamp import TokenStore  # noqa: PLC0415 - as above
    from gateway.trust.timestamp import TimestampAuthority, load_roots, verify_token  # noqa: PLC0415 - as above

    set_up_exporters()
    observer = StampTelemetry(_LOG)
    roots = load_roots(settings.roots.read_bytes())
    authority = TimestampAuthority(settings.url, roots)
    pool = await open_pool(settings.database_url, application_name="fasttrack stamper", max_connections=1)
    try:
        stamper = Stamper(
            checkpoints=CheckpointStore(pool),
            store=TokenStore(pool),
            request_token=authority.request_token,
            verify_token=lambda token, digest: verify_token(token, digest, roots),
            clock=now,
        )
        ready()
        if not is_once:
            await run_stamper(stamper, observer, stop, interval_seconds=settings.interval_seconds)
            return None
        result = await stamper.stamp()
        if isinstance(result, StoredToken):
            observer.stamped(result.size)
        if not isinstance(result, TimestampGap):
            return None
        observer.missed(result.code, result.size)
        return result
    finally:
        await pool.close()
