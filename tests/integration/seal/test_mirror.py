"""The whole disaster by the command line: a backup is restored, the signer refuses it, mirrors put it right."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest

from gateway.cli.exit_code import ExitCode
from gateway.ledger.embedded import EmbeddedPostgres
from tests.integration.ledger.act import as_role
from tests.integration.mirror.conftest import dump, superuser
from tests.integration.seal.conftest import ORIGIN, WITNESSES, SealedLog
from tests.support.bundle import PDF, bundle_of, load_issued, new_case_number
from tests.support.command import Finished, fasttrack, fasttrack_here
from tests.support.gateway import RunningGateway
from tests.support.postgres import create_database, database_dropped
from tests.support.wire import Desk

AGENCIES = ("ps:110108", "pr:110108", "ov:110000")
AT_WORK = WITNESSES[:2]
"""Witnesses that run; two of three are the quorum."""


@contextmanager
def backup_of(server: EmbeddedPostgres, dsn: str) -> Iterator[str]:
    """Copy a database to which nobody is connected, by DSN of the superuser."""
    with database_dropped(server) as name:
        create_database(server, name, template=re.findall(r"/(test_[0-9a-f]{32})\?", dsn)[0])
        yield server.dsn(name)


def mirror(log: SealedLog, agency: str, *extra: str, target: str = "") -> Finished:
    """Copy up to the newest checkpoint, as an agency does."""
    environ = log.gateway.environ_of(agency) | ({"FASTTRACK_TARGET": target} if target else {})
    return fasttrack("mirror", "--dir", folder(log, agency), "--once", "--json", *extra, environ=environ)


def folder(log: SealedLog, agency: str) -> Path:
    """Where the mirror of an agency is."""
    return log.home / "mirror" / agency.replace(":", "-")


async def rebuild(log: SealedLog, dsn: str, *extra: object, agencies: tuple[str, ...] = AGENCIES) -> Finished:
    """Put back what a database lost, as the operator does."""
    sources = [item for agency in agencies for item in ("--from", folder(log, agency))]
    pki = log.gateway.pki
    certificate = ("--receipt-cert", pki.receipt_certificate)
    options = (*sources, "--policy", pki.witness_policy, *certificate, "--json", *extra)
    return await asyncio.to_thread(
        fasttrack_here,
        "rebuild",
        *options,
        environ={
            "FASTTRACK_DATABASE_URL": dsn,
            "FASTTRACK_VAULT_URL": log.gateway.vault_url,
            "FASTTRACK_MASTER_KEY_FILE": str(pki.master_key),
            "FASTTRACK_PSEUDONYM_KEY_FILE": str(pki.pseudonym_key),
        },
    )


def sign_once(log: SealedLog, dsn: str) -> Finished:
    """Let the signer look at a database once."""
    environ = {
        "FASTTRACK_DATABASE_URL": as_role(dsn, "fasttrack_signer"),
        "FASTTRACK_ORIGIN": ORIGIN,
        "FASTTRACK_SIGNER_KEY": str(log.gateway.pki.log_key),
        "FASTTRACK_SIGNER_STATE": str(log.home / "signer" / "signer.json"),
    }
    return fasttrack("signer", "--once", "--json", environ=environ)


async def work(gateway: RunningGateway) -> None:
    """One handoff to its end, one that waits, and a call that is refused."""
    files = gateway.pki.agency("ps:110108")
    signer = load_issued(files.sign_certificate, files.sign_key)
    async with Desk(gateway, "ps:110108") as police, Desk(gateway, "pr:110108") as procuratorate:
        await police.upload(PDF)
        first, jws, record = bundle_of(new_case_number(), signer)
        await police.submit(jws, record)
        await procuratorate.accept(first.bundle_id)
        _, jws, record = bundle_of(new_case_number(), signer)
        await police.submit(jws, record)
        with pytest.raises(grpc.aio.AioRpcError):
            await police.fetch(first.bundle_id)


async def sealed(log: SealedLog) -> int:
    """Wait until everything is signed and cosigned by the two witnesses; gives the size."""
    connection = await asyncpg.connect(log.gateway.dsn)
    try:
        async with asyncio.timeout(30):
            while True:
                size = await connection.fetchval("SELECT max(size) FROM ledger.state")
                count = await connection.fetchval(
                    "SELECT count(DISTINCT witness) FROM ledger.cosignature WHERE size = $1", size
                )
                if count == len(AT_WORK):
                    return int(size)
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


def stop_all(log: SealedLog) -> None:
    """Stop every process, so that nobody is connected to the database."""
    for process in log.processes:
        process.stop()
    log.gateway.stop()


async def test_ledger_restored_from_a_backup_is_made_whole_by_mirrors(
    log: SealedLog, postgres_server: EmbeddedPostgres
) -> None:
    """The signer refuses the backup; after the rebuild every row is bit for bit what it was, and the signer goes on."""
    await work(log.gateway)
    log.gateway.stop()
    with backup_of(postgres_server, log.gateway.dsn) as backup:
        log.gateway.start()
        log.start_all(AT_WORK)
        await work(log.gateway)
        size = await sealed(log)
        for agency in AGENCIES:
            copied = mirror(log, agency, "--init")
            assert (copied.code, copied.object["mirrored"]) == (ExitCode.OK, size), copied.errors
        stop_all(log)
        before = await dump(log.gateway.dsn)

        refused = sign_once(log, backup)
        assert refused.code == ExitCode.EVIDENCE and "smaller_tree" in refused.errors.lower()
        tried = await rebuild(log, backup, "--dry-run")
        assert (tried.code, tried.object["is_written"]) == (ExitCode.OK, False), tried.errors
        hole = await rebuild(log, backup, agencies=("pr:110108",))
        assert hole.code == ExitCode.REFUSED
        assert {item["where"] for item in hole.object["missing"]} == {"bundle"}
        assert sign_once(log, backup).code == ExitCode.EVIDENCE

        done = await rebuild(log, backup)
        assert done.code == ExitCode.OK, done.errors + done.output
        assert done.object["to_size"] == size and done.object["missing"] == done.object["findings"] == []
        assert await dump(backup) == before
        assert sign_once(log, backup).code == ExitCode.OK
        again = await rebuild(log, backup)
        assert (again.code, sum(again.object["inserted"].values())) == (ExitCode.OK, 0)

        role = as_role(backup, "fasttrack_gateway")
        with RunningGateway(log.gateway.pki, backup, role, log.home / "again") as gateway:
            await work(gateway)
            assert sign_once(log, backup).code == ExitCode.OK
            went_on = mirror(log, "ps:110108", target=gateway.target)
            assert went_on.object["mirrored"] > size


async def test_mirror_when_the_log_forks_ends_with_four_and_names_the_evidence(
    log: SealedLog, postgres_server: EmbeddedPostgres
) -> None:
    """A mirror that refuses says why on the command line, and one without its folder does not start."""
    signer = log.signer().start("--init")
    await log.submit()
    lost = mirror(log, "ps:110108")
    assert lost.code == ExitCode.EVIDENCE and "--init" in json.loads(lost.errors.splitlines()[-1])["error"]
    await wait_for_checkpoint(log)
    assert mirror(log, "ps:110108", "--init").code == ExitCode.OK
    signer.stop()
    async with superuser(log.gateway.dsn) as connection:
        await connection.execute("DELETE FROM ledger.checkpoint")
    shrunk = mirror(log, "ps:110108")
    assert shrunk.code == ExitCode.EVIDENCE
    message = json.loads(shrunk.errors.splitlines()[-1])["error"]
    evidence = [Path(line.strip()) for line in message.splitlines()[1:]]
    assert "shrunk" in message and evidence and all(path.is_file() for path in evidence)


async def test_mirror_when_asked_wrongly_or_alone_says_so(log: SealedLog) -> None:
    """Bad settings are 2, no gateway is 3, another agency's folder is 4."""
    assert mirror(log, "ps:110108", "--follow").code == ExitCode.USAGE
    assert mirror(log, "ps:110108", "--init").code == ExitCode.OK
    target: dict[str, Any] = {"FASTTRACK_PROFILE": str(log.gateway.pki.agency("ps:110108").directory)}
    missing = fasttrack("mirror", "--dir", log.home / "x", "--init", environ=target)
    assert missing.code == ExitCode.USAGE and "--target" in missing.errors
    other = fasttrack(
        "mirror", "--dir", folder(log, "ps:110108"), "--once", environ=log.gateway.environ_of("pr:110108")
    )
    assert other.code == ExitCode.EVIDENCE
    log.gateway.stop()
    assert mirror(log, "ps:110108", target="127.0.0.1:1").code == ExitCode.UNREACHABLE


async def wait_for_checkpoint(log: SealedLog) -> None:
    """Wait until something is signed."""
    connection = await asyncpg.connect(log.gateway.dsn)
    async with asyncio.timeout(30):
        while not await connection.fetchval("SELECT count(*) FROM ledger.checkpoint"):
            await asyncio.sleep(0.05)
    await connection.close()
