"""A gateway of one's own on this machine: the process behind ``fasttrack demo`` and behind the tests."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Final, Self

from certs.layout import PkiLayout

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0


class LocalGatewayError(RuntimeError):
    """The gateway process did not come up; the end of its log is in the message."""


class LocalGateway:
    """One ``fasttrack serve`` process; after a restart it listens on the same port.

    It ends with ``stop``, or when this process ends in whatever way, because its standard input does.
    """

    def __init__(
        self,
        pki: PkiLayout,
        database_url: str,
        vault_url: str,
        home: Path,
        *,
        origin: str = "localhost/fasttrack",
        listen: str = "127.0.0.1:0",
    ) -> None:
        """Prepare a gateway; nothing is started yet.

        Args:
            pki: its certificates and keys.
            database_url: migrated database, as the gateway's role.
            vault_url: database of the case keys, ready for use.
            home: folder for materials and log; made when it is not there.
            origin: name of the log.
            listen: host:port; port 0 takes a free one.
        """
        self._pki = pki
        self._database_url = database_url
        self._vault_url = vault_url
        self._home = home
        self._origin = origin
        self._listen = listen
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def target(self) -> str:
        """host:port; the port is 0 before the first start."""
        return self._listen

    @property
    def pid(self) -> int:
        """Process id.

        Raises:
            LocalGatewayError: it is not running.
        """
        if self._process is None:
            raise LocalGatewayError("the gateway is not running")
        return self._process.pid

    @property
    def log(self) -> Path:
        """What the process writes to standard error."""
        return self._home / "gateway.log"

    @property
    def environ(self) -> dict[str, str]:
        """Settings of the process; what this process has for itself does not leak in."""
        pki, materials = self._pki, self._home / "materials"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FASTTRACK_")}
        return {
            **inherited,
            "FASTTRACK_DATABASE_URL": self._database_url,
            "FASTTRACK_LISTEN": self._listen,
            "FASTTRACK_ORIGIN": self._origin,
            "FASTTRACK_TLS_CERT": str(pki.gateway_tls_certificate),
            "FASTTRACK_TLS_KEY": str(pki.gateway_tls_key),
            "FASTTRACK_TLS_CA": str(pki.tls_ca),
            "FASTTRACK_SIGNING_CA": str(pki.signing_ca),
            "FASTTRACK_SIGNERS_DIR": str(pki.signers),
            "FASTTRACK_RECEIPT_CERT": str(pki.receipt_certificate),
            "FASTTRACK_RECEIPT_KEY": str(pki.receipt_key),
            "FASTTRACK_PSEUDONYM_KEY_FILE": str(pki.pseudonym_key),
            "FASTTRACK_VAULT_URL": self._vault_url,
            "FASTTRACK_MASTER_KEY_FILE": str(pki.master_key),
            "FASTTRACK_MATERIALS_DIR": str(materials),
            **({"FASTTRACK_WITNESS_POLICY": str(pki.witness_policy)} if pki.witness_policy.is_file() else {}),
        }

    def start(self) -> str:
        """Start the process and wait until it serves.

        Returns:
            host:port.

        Raises:
            LocalGatewayError: it ended, or did not answer in time.
        """
        (self._home / "materials").mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway.cli.main", "serve", "--until-eof"],
                env=self.environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C reaches the whole terminal group; whoever started it decides when it ends.
                start_new_session=True,
            )
        line = first_line(self._process.stdout, START_SECONDS)
        if not line:
            self.kill()
            raise LocalGatewayError(f"the gateway did not start: {self._tail()}")
        self._listen = str(json.loads(line)["listening"])
        return self._listen

    def stop(self) -> None:
        """End the process in order: it answers what it has taken. Without effect when it is not running."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap()

    def kill(self) -> None:
        """End the process at once (SIGKILL), as a loss of power would. Without effect when it is not running."""
        if self._process is None:
            return
        self._process.kill()
        self._reap()

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            self._process = None

    def _tail(self) -> str:
        return self.log.read_bytes()[-2000:].decode(errors="replace").strip()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


def first_line(stream: IO[bytes] | None, timeout_seconds: float) -> bytes:
    """Read the first line of a process.

    Args:
        stream: its standard output; None when it has none.
        timeout_seconds: how long to wait.

    Returns:
        the line; empty when the process ends or takes too long.
    """
    if stream is None:
        return b""
    deadline = time.monotonic() + timeout_seconds
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(stream.fileno(), 4096) if ready else b""
        if not piece:
            return b""
        line += piece
    return line
