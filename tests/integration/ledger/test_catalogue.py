"""The schema that fsck expects is the one that the migrations make."""

from __future__ import annotations

import json
from pathlib import Path

import gateway.ledger
from gateway.ledger.fsck_source import load_catalogue, open_source
from gateway.ledger.migrate import migrate

CATALOGUE = Path(gateway.ledger.__file__).parent / "sql" / "catalogue.json"


async def test_catalogue_is_what_the_migrations_make(empty_database_url: str) -> None:
    """Delete sql/catalogue.json and run this test to write it anew after a new migration; review the difference."""
    await migrate(empty_database_url)
    async with open_source(empty_database_url) as source:
        found = await source.catalogue()
    if not CATALOGUE.exists():
        CATALOGUE.write_text(json.dumps(found, indent=0) + "\n", encoding="utf-8")
    assert found == load_catalogue()
