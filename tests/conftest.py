"""Fixtures that every test may use: one real PostgreSQL per test process, and a fresh database per test.

Migrations run once into a template; each test gets a copy of it (about 50 ms) and may do with it what it likes.

Several test processes share the files, not the tests: what a file starts for itself is started once. Files that take
long begin first, so that no process is left alone with one of them at the end; the rest comes in random order.
"""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from gateway.ledger.embedded import EmbeddedPostgres
from tests.support.postgres import SETTINGS, create_database, data_folder, database_dropped, migrate_database

TEMPLATE = "fasttrack_template"

if threading.current_thread() is threading.main_thread():
    # A shell that starts the tests in the background has them ignore Ctrl-C, and every process they start would inherit
    # that; some of the tests are about Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


# No test measures time: how long an example takes to be drawn or run says how busy the machine is.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


LONG = (
    "tamper/test_dba_game",
    "crash/test_rounds",
    "e2e/test_demo",
    "crash/test_kill_gateway",
    "integration/mirror/test_refuse",
    "integration/mirror/test_rebuild",
    "integration/seal/test_sealed",
    "integration/seal/test_mirror",
    "integration/seal/test_stamper",
    "integration/seal/test_signer",
    "integration/seal/test_split_view",
    "integration/vault/test_destroy",
)
"""Files that take ten seconds or more, longest first."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each test process whole files, in the order of ``pytest_collection_modifyitems``."""
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files in front; how the tests of a file follow each other stays random."""
    place = {Path(__file__).parent / f"{name}.py": at for at, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path, len(LONG)))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """Run one embedded PostgreSQL for this test process, on a unix socket and on 127.0.0.1."""
    # Not below pytest's own folder: each start of pytest closes that one to other accounts, and as root the server
    # runs under another account.
    with tempfile.TemporaryDirectory(prefix="fasttrack-test-", ignore_cleanup_errors=True, dir=data_folder()) as folder:
        # Outside the usual place of temporary files nobody opens the way to that account for us.
        Path(folder).chmod(0o711)
        with EmbeddedPostgres(Path(folder) / "data", SETTINGS) as server:
            yield server


@pytest.fixture(scope="session")
def migrated_template(postgres_server: EmbeddedPostgres) -> str:
    """Name the database that holds the whole schema and no rows."""
    create_database(postgres_server, TEMPLATE)
    migrate_database(postgres_server.dsn(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """Give this test a migrated database of its own, by DSN of the superuser."""
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name, template=migrated_template)
        yield postgres_server.dsn(name)


@pytest.fixture
def empty_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """Give this test a database of its own without any schema, by DSN of the superuser."""
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name)
        yield postgres_server.dsn(name)
