"""The files of a mirror's folder: the SQLite file with its tables, and evidence beside it as plain text."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from gateway.core.port.seal import MemoryLostError

FILE: Final = "mirror.sqlite"
VERSION: Final = 1
_TABLES: Final = (
    "CREATE TABLE about (version INTEGER NOT NULL, origin TEXT NOT NULL, agency TEXT NOT NULL)",
    # Every tree that was followed; the last row is the state.
    "CREATE TABLE head (size INTEGER PRIMARY KEY, root BLOB NOT NULL, frontier BLOB NOT NULL)",
    "CREATE TABLE tile (level INTEGER NOT NULL, place INTEGER NOT NULL, root BLOB NOT NULL, data BLOB NOT NULL,"
    " PRIMARY KEY (level, place)) WITHOUT ROWID",
    "CREATE TABLE edge (level INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE batch (size INTEGER PRIMARY KEY, first_index INTEGER NOT NULL, receipt TEXT NOT NULL)",
    "CREATE TABLE entry (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, case_id TEXT NOT NULL)",
    "CREATE INDEX entry_case ON entry (case_id)",
    "CREATE TABLE beside (seq INTEGER NOT NULL, name TEXT NOT NULL, case_id TEXT NOT NULL, body BLOB NOT NULL,"
    " PRIMARY KEY (seq, name)) WITHOUT ROWID",
    "CREATE INDEX beside_case ON beside (case_id)",
    "CREATE TABLE bundle (handoff TEXT PRIMARY KEY, case_id TEXT NOT NULL, manifest_jws TEXT NOT NULL,"
    " record BLOB NOT NULL)",
    "CREATE TABLE withheld (handoff TEXT NOT NULL, sha256 BLOB NOT NULL, view TEXT NOT NULL,"
    " is_granted INTEGER NOT NULL, PRIMARY KEY (handoff, sha256)) WITHOUT ROWID",
    "CREATE TABLE destroyed (case_id TEXT PRIMARY KEY, seq INTEGER NOT NULL)",
    "CREATE TABLE seal (what TEXT NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL, witness TEXT NOT NULL,"
    " text TEXT NOT NULL, digest BLOB NOT NULL, token BLOB NOT NULL, code INTEGER NOT NULL,"
    " PRIMARY KEY (what, size, at, witness))",
)


def create_mirror(folder: Path, origin: str, agency: str) -> None:
    """Make an empty mirror, once.

    Args:
        folder: made when it is not there, readable by its owner alone.
        origin: name of the log.
        agency: whose mirror it is, short form.

    Raises:
        MemoryLostError: there is a mirror already; nothing was changed.
        OSError: it cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / FILE
    if path.exists():
        raise MemoryLostError("there is a mirror already")
    beside = path.with_name(f"{FILE}.new")
    beside.unlink(missing_ok=True)
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    made = connect(beside.absolute().as_uri())
    try:
        with transaction(made):
            for statement in _TABLES:
                made.execute(statement)
            made.execute("INSERT INTO about VALUES (?, ?, ?)", (VERSION, origin, agency))
    finally:
        made.close()
    beside.replace(path)
    _sync_folder(folder)


def keep_evidence(mirror: Path, name: str, *notes: bytes, suffix: str = ".checkpoint") -> tuple[Path, ...]:
    """Keep notes, or other evidence, beside the file, durably; what is there already stays.

    Args:
        mirror: its folder.
        name: what they prove.
        notes: as they were signed.
        suffix: of the files.

    Returns:
        the files.
    """
    folder = mirror / "evidence"
    folder.mkdir(mode=0o700, exist_ok=True)
    paths = []
    for note in notes:
        path = folder / f"{name}-{sha256(note).hexdigest()[:16]}{suffix}"
        if not path.exists():
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        paths.append(path)
    _sync_folder(folder)
    return tuple(paths)


def connect(uri: str) -> sqlite3.Connection:
    """Open a file of SQLite by its URI; what is committed is on disk, what is deleted is overwritten with zeros."""
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)
    for setting in ("synchronous = FULL", "secure_delete = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {setting}")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # After some errors SQLite has rolled back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def require_version(version: int) -> None:
    """Refuse a file of another version.

    Raises:
        MemoryLostError: it is.
    """
    if version != VERSION:
        raise MemoryLostError("the mirror was written by another version")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
