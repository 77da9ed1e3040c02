"""Making and dropping databases of the embedded server from fixtures."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import asyncpg

from gateway.ledger.embedded import EmbeddedPostgres

SETTINGS: Final = {
    # These guard against loss of power, which no test tries; a killed process loses nothing without them.
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "300",
}


def create_database(server: EmbeddedPostgres, name: str, template: str = "template1") -> None:
    """Make a database as a copy of another one, to which nobody may be connected."""
    _run(_execute(server.dsn("postgres"), f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))


@contextmanager
def database_dropped(server: EmbeddedPostgres) -> Iterator[str]:
    """Name a database that does not exist yet, and drop it at the end together with the connections left open on it."""
    name = f"test_{uuid.uuid4().hex}"
    try:
        yield name
    finally:
        _run(_execute(server.dsn("postgres"), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def migrate_database(dsn: str) -> None:
    """Bring a database to the newest schema by the gateway's own migrations."""
    from gateway.ledger.migrate import migrate

    _run(migrate(dsn))


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _run(work: Coroutine[Any, Any, object]) -> None:
    # A thread of its own: the test's event loop may exist already in this one, and must stay untouched.
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result()
