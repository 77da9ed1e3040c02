"""Signer and witnesses of one's own on this machine: the processes around the gateway of the demo and of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, Self

from certs.layout import PkiLayout
from certs.note import witness_name
from gateway.cli.local_gateway import START_SECONDS, STOP_SECONDS, LocalGatewayError, first_line


class LocalProcess:
    """One long-running ``fasttrack`` command that prints a line of JSON when it is ready.

    It ends with ``stop``, or when this process ends in whatever way, because its standard input does.

    Args:
        name: for its log and for errors.
        arguments: of the command line.
        environ: settings; nothing else of FASTTRACK_* leaks in.
        home: folder of its log.
    """

    def __init__(self, name: str, arguments: list[str], environ: dict[str, str], home: Path) -> None:
        self.name = name
        self.arguments = arguments
        self.log: Final = home / f"{name}.log"
        self.announced: dict[str, Any] = {}
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("FASTTRACK_")}
        self._environ = {**inherited, **environ}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *extra: str) -> Self:
        """Start the process and wait until it is ready.

        Args:
            extra: further arguments, this time only.

        Raises:
            LocalGatewayError: it ended, or did not get ready in time.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway.cli.main", *self.arguments, *extra, "--until-eof"],
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C reaches the whole terminal group; whoever started it decides when it ends.
                start_new_session=True,
            )
        line = first_line(self._process.stdout, START_SECONDS)
        if not line:
            self.kill()
            tail = self.log.read_bytes()[-2000:].decode(errors="replace").strip()
            raise LocalGatewayError(f"the {self.name} did not start: {tail}")
        self.announced = json.loads(line)
        return self

    def wait(self, timeout_seconds: float = STOP_SECONDS) -> int:
        """Wait until it ends by itself.

        Args:
            timeout_seconds: how long.

        Returns:
            its exit status.

        Raises:
            LocalGatewayError: it was not started.
            subprocess.TimeoutExpired: it goes on.
        """
        if self._process is None:
            raise LocalGatewayError(f"the {self.name} was not started")
        code = self._process.wait(timeout_seconds)
        self._reap()
        return code

    def stop(self) -> None:
        """End the process in order. Without effect when it is not running."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap()

    def kill(self) -> None:
        """End the process at once (SIGKILL). Without effect when it is not running."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            self._process = None


def local_signer(
    pki: PkiLayout, database_url: str, home: Path, *, origin: str, interval_seconds: float = 1.0
) -> LocalProcess:
    """Prepare a signer.

    Args:
        pki: with note keys.
        database_url: as the role ``fasttrack_signer``.
        home: folder for state and log.
        origin: name of the log.
        interval_seconds: pause between two looks at the ledger.

    Returns:
        the process; the first start needs ``--init``.
    """
    arguments = ["signer", "--interval", str(interval_seconds)]
    environ = {
        "FASTTRACK_DATABASE_URL": database_url,
        "FASTTRACK_ORIGIN": origin,
        "FASTTRACK_SIGNER_KEY": str(pki.log_key),
        "FASTTRACK_SIGNER_STATE": str(home / "signer.json"),
    }
    return LocalProcess("signer", arguments, environ, home)


def local_witness(
    pki: PkiLayout, target: str, home: Path, *, origin: str, agency: str, listen: str = ""
) -> LocalProcess:
    """Prepare the witness of an agency.

    Args:
        pki: with note keys.
        target: host:port of the gateway.
        home: folder for state and log.
        origin: name of the log.
        agency: short form.
        listen: host:port of add-checkpoint; "" for none.

    Returns:
        the process; the first start needs ``--init``.
    """
    files = pki.agency(agency)
    short = f"witness-{agency.replace(':', '-')}"
    environ = {
        "FASTTRACK_TARGET": target,
        "FASTTRACK_PROFILE": str(files.directory),
        "FASTTRACK_WITNESS_NAME": witness_name(origin, agency),
        "FASTTRACK_WITNESS_KEY": str(files.witness_key),
        "FASTTRACK_LOG_KEY": str(pki.log_verifier),
        "FASTTRACK_WITNESS_STATE": str(home / f"{short}.json"),
        "FASTTRACK_WITNESS_LISTEN": listen,
    }
    return LocalProcess(short, ["witness"], environ, home)
