"""The board of the DBA game: one prepared ledger, and a superuser whose every move is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from gateway.ledger.embedded import EmbeddedPostgres
from tests.support.postgres import create_database, database_dropped
from tests.tamper.story import Story


@pytest.fixture(scope="session")
def story(postgres_server: EmbeddedPostgres, migrated_template: str) -> Iterator[Story]:
    """A ledger with everything in it; written once, because every move is rolled back."""
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name, template=migrated_template)
        story = Story(postgres_server.dsn(name))
        with ThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(asyncio.run, story.write()).result()
        yield story


@pytest.fixture
async def dba(story: Story) -> AsyncIterator[asyncpg.Connection]:
    """A superuser in a transaction that is rolled back."""
    connection = await asyncpg.connect(story.dsn)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("SET LOCAL fasttrack.migration = 'on'")
    await connection.execute("SET LOCAL search_path = pg_catalog")
    yield connection
    await transaction.rollback()
    await connection.close()
