"""Every command against a real gateway, with the exit statuses that the page promises."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from certs.pki import make_pki
from gateway.core.digest import sha256_hex
from gateway.core.errors import ErrorCode
from tests.support.command import Finished, command_environ, fasttrack, fasttrack_here
from tests.support.gateway import RunningGateway
from tests.support.outbox import Outbox
from tests.support.wire import is_of_procedure

PS, PR, OV = "ps:110108", "pr:110108", "ov:110000"


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """A transfer that nobody has handed over yet."""
    return Outbox(tmp_path)


class Commands:
    """Runs commands as an agency."""

    def __init__(self, gateway: RunningGateway) -> None:
        self.gateway = gateway

    def run(self, agency: str, *arguments: object) -> Finished:
        """Run a command for people."""
        return fasttrack_here(*arguments, environ=self.gateway.environ_of(agency))

    def ask(self, agency: str, *arguments: object, code: int = 0) -> dict[str, Any]:
        """Run a command with --json and give its object."""
        done = self.run(agency, *arguments, "--json")
        assert done.code == code, done.errors or done.output
        return done.object

    def submit(self, outbox: Outbox, *arguments: object) -> dict[str, Any]:
        """Hand the transfer over."""
        return self.ask(PS, "submit", outbox.record, "--materials", outbox.materials, *arguments)


@pytest.fixture
def commands(gateway: RunningGateway) -> Commands:
    """Commands against the gateway of this module."""
    return Commands(gateway)


def names(result: dict[str, Any]) -> list[str]:
    """Names of the findings of an answer."""
    return [finding["name"] for finding in result["findings"]]


def test_submit_twice_hands_over_once(commands: Commands, outbox: Outbox, tmp_path: Path) -> None:
    """The second run of the same submit finds the id of the first beside the record and gives the same receipt."""
    receipt = tmp_path / "receipt.json"
    first = commands.submit(outbox, "--receipt", receipt)
    assert (first["sender"], first["receiver"], first["kind"]) == (PS, PR, "TRANSFER")
    assert (first["replayed"], first["uploaded"], first["materials"]) == (False, 1, 1)
    assert json.loads(receipt.read_text())["jws"] == first["receipt"]["jws"]
    second = commands.submit(outbox)
    assert (second["replayed"], second["uploaded"]) == (True, 0)
    assert second["receipt"] == first["receipt"]


def test_submit_new_of_the_same_message_is_refused(commands: Commands, outbox: Outbox) -> None:
    """A second handoff of the same message number is refused, and the hint says where the first one is seen."""
    commands.submit(outbox)
    done = commands.run(PS, "submit", outbox.record, "--materials", outbox.materials, "--new")
    assert done.code == 1
    assert ErrorCode.IDEMPOTENCY_KEY_REUSED.name in done.errors
    assert "next: this record was handed over before" in done.errors


def test_submit_for_people_shows_where_it_went(commands: Commands, outbox: Outbox) -> None:
    """A person reads who got what, and that the receipt was verified; errors are warnings of the rules only."""
    done = commands.run(PS, "submit", outbox.record, "--materials", outbox.materials)
    assert done.code == 0
    assert all(is_of_procedure(ErrorCode[line.split()[0]]) for line in done.errors.splitlines())
    assert "TRANSFER handed over: ps:110108 -> pr:110108" in done.output
    assert "verified, ledger entry" in done.output


def test_submit_without_a_material_names_it_and_sends_nothing(commands: Commands, outbox: Outbox) -> None:
    """A document that is nowhere is named by its path in the record, before anything is handed over."""
    result = commands.ask(PS, "submit", outbox.record, code=2)
    assert "/YSQS/WSLB/WS" in result["error"]
    assert "--materials" in result["hint"]


def test_submit_of_a_record_with_errors_lists_all_of_them(commands: Commands, outbox: Outbox) -> None:
    """What is wrong with the record is found on this machine, all at once, with paths of the sender's schema."""
    data = outbox.record.read_bytes().replace(b"<XB>1</XB>", b"<XB>7</XB>")
    data = data.replace(b"<LARQ>20240602", b"<LARQ>20241302")
    outbox.record.write_bytes(data)
    result = commands.ask(PS, "submit", outbox.record, "--materials", outbox.materials, code=1)
    assert {"CODE_NOT_IN_TABLE", "BAD_FORMAT"} <= set(names(result))
    assert any(finding["path"].startswith("/YSQS/XYRLB/XYR") for finding in result["findings"])


def test_validate_records_nothing(commands: Commands, outbox: Outbox) -> None:
    """Validate says that a submit would be accepted, and the receiver sees nothing of it."""
    result = commands.ask(PS, "validate", outbox.record, "--materials", outbox.materials)
    assert result["acceptable"] is True
    waiting = commands.ask(PR, "inbox", "list")["items"]
    assert outbox.case_number not in [item["case_number"] for item in waiting]


def test_validate_for_another_receiver_than_the_records_is_refused(commands: Commands, outbox: Outbox) -> None:
    """A finding of the gateway is exit status 1 and stands in the output with code and path."""
    result = commands.ask(PS, "validate", outbox.record, "--materials", outbox.materials, "--to", "pr:110105", code=1)
    assert result["acceptable"] is False
    assert ("MANIFEST_RECORD_MISMATCH", "/receiver") in [(row["name"], row["path"]) for row in result["findings"]]


def test_handoff_whole_way_ends_accepted(commands: Commands, outbox: Outbox, tmp_path: Path) -> None:
    """List, watch, claim, fetch and decide lead from a submit to an accepted case, and both sides read the receipts."""
    submitted = commands.submit(outbox)
    handoff = submitted["handoff"]
    item = next(item for item in commands.ask(PR, "inbox", "list")["items"] if item["handoff"] == handoff)
    assert (item["state"], item["sender"], item["pair_number"]) == ("offered", PS, submitted["pair_number"])
    seen = commands.ask(PR, "inbox", "watch", "--after", item["entry_index"], "--count", 1)
    assert seen["handoff"] == handoff
    assert commands.ask(PR, "claim", handoff, "--consumer", "desk-1")["receipt"]["kind"] == "claimed"
    out = tmp_path / "case"
    fetched = commands.ask(PR, "fetch", handoff, "--consumer", "desk-1", "--out", out, "--materials")
    assert (out / "record.xml").read_bytes() == outbox.record.read_bytes()
    assert sha256_hex((out / "manifest.jws").read_bytes()) == item["bundle_sha256"]
    assert sha256_hex((out / "rendition.json").read_bytes()) == fetched["rendition_sha256"]
    assert json.loads((out / "rendition.json").read_text())["AJBH"] == outbox.case_number
    assert len(json.loads((out / "report.json").read_text())) == sum(fetched["report"].values())
    assert json.loads((out / "receipt.json").read_text())["kind"] == "fetched"
    assert (out / "materials" / f"{outbox.sha256}.pdf").read_bytes() == outbox.document
    decided = commands.ask(PR, "decide", handoff, "accept", "--consumer", "desk-1")
    assert decided["receipt"]["kind"] == "accepted"
    status = commands.ask(PS, "receipt", handoff)
    assert status["state"] == "accepted"
    assert [receipt["kind"] for receipt in status["receipts"]] == ["submitted", "claimed", "fetched", "accepted"]
    assert status["receipts"][0]["jws"] == submitted["receipt"]["jws"]


def test_decide_supplement_tells_the_sender_what_is_missing(commands: Commands, outbox: Outbox, tmp_path: Path) -> None:
    """The deficiency list goes to the sender, split into document, person and text."""
    handoff = commands.submit(outbox)["handoff"]
    commands.ask(PR, "fetch", handoff, "--claim", "--out", tmp_path / "case")
    commands.ask(
        PR, "decide", handoff, "supplement", "--deficiency", "D13/R1101080000002024060121: page 2 is missing",
        "--deficiency", "a translation",
    )  # fmt: skip
    status = commands.ask(PS, "receipt", handoff)
    assert status["state"] == "supplement_asked"
    assert status["deficiencies"] == [
        {"document_code": "D13", "person_key": "R1101080000002024060121", "text": "page 2 is missing"},
        {"document_code": "", "person_key": "", "text": "a translation"},
    ]


def test_decide_refuse_tells_the_sender_why(commands: Commands, outbox: Outbox, tmp_path: Path) -> None:
    """A refusal carries its reasons to the sender."""
    handoff = commands.submit(outbox)["handoff"]
    commands.ask(PR, "fetch", handoff, "--claim", "--out", tmp_path / "case")
    commands.ask(PR, "decide", handoff, "refuse", "--reason", "NOT-COMPETENT: another procuratorate is")
    done = commands.run(PS, "receipt", handoff)
    assert "refused: NOT-COMPETENT another procuratorate is" in done.output


def test_decide_without_claim_says_to_claim(commands: Commands, outbox: Outbox) -> None:
    """A refusal names the finding, the ledger entry that records it, and the command that comes first."""
    handoff = commands.submit(outbox)["handoff"]
    result = commands.ask(PR, "decide", handoff, "accept", code=1)
    assert names(result) == ["NOT_CLAIMED"]
    assert "fasttrack claim" in result["hint"]
    entry = commands.ask(OV, "ledger", "query", "--from-index", result["entry_index"], "--limit", 1)["entries"][0]
    assert (entry["kind"], entry["refusal_codes"]) == ("call_refused", [int(ErrorCode.NOT_CLAIMED)])


def test_withdraw_takes_the_handoff_back(commands: Commands, outbox: Outbox) -> None:
    """The sender takes a handoff back, and the receiver reads why."""
    handoff = commands.submit(outbox)["handoff"]
    assert commands.ask(PS, "withdraw", handoff, "--reason", "sent too early")["receipt"]["kind"] == "withdrawn"
    status = commands.ask(PR, "receipt", handoff)
    assert (status["state"], status["withdrawal_reason"]) == ("withdrawn", "sent too early")


def test_reconcile_compares_with_the_own_list(commands: Commands, outbox: Outbox, tmp_path: Path) -> None:
    """A complete list is status 0; a handoff that the list lacks, or that the ledger lacks, is status 1."""
    handoff = commands.submit(outbox)["handoff"]
    everything = commands.ask(PS, "reconcile", PR, "sent")
    assert [item["pair_number"] for item in everything["items"]] == list(range(1, everything["last_number"] + 1))
    known = tmp_path / "known.txt"
    known.write_text("\n".join(item["handoff"] for item in everything["items"]))
    assert commands.ask(PR, "reconcile", PS, "received", "--known", known)["not_in_list"] == []
    known.write_text(known.read_text().replace(handoff, "01890000-0000-7000-8000-000000000000"))
    compared = commands.ask(PS, "reconcile", PR, "sent", "--known", known, code=1)
    assert compared["not_in_list"] == [handoff]
    assert compared["not_in_ledger"] == ["01890000-0000-7000-8000-000000000000"]


def test_ledger_commands_show_the_case_and_prove_the_entry(commands: Commands, outbox: Outbox, tmp_path: Path) -> None:
    """Oversight finds the case by its number, and the receipt of the police leads to the root of the tree."""
    receipt = tmp_path / "receipt.json"
    submitted = commands.submit(outbox, "--receipt", receipt)
    index = submitted["receipt"]["entry_index"]
    case = commands.ask(OV, "ledger", "case", outbox.case_number)
    assert (case["stage"], [entry["index"] for entry in case["entries"]]) == ("H1", [index])
    found = commands.ask(OV, "ledger", "query", "--case", outbox.case_number, "--kind", "submitted")["entries"]
    assert [entry["leaf_hash"] for entry in found] == [submitted["receipt"]["leaf_hash"]]
    proof = commands.ask(OV, "ledger", "proof", "--receipt", receipt)
    assert (proof["verified"], proof["leaf_hash"]) == (True, submitted["receipt"]["leaf_hash"])
    older = commands.ask(OV, "ledger", "proof", "--first-size", index + 1)
    assert (older["verified"], older["root_hash"]) == (True, proof["root_hash"])
    assert "is in the tree of" in commands.run(OV, "ledger", "proof", "--index", index).output


def test_ledger_proof_of_a_changed_receipt_is_evidence_that_fails(
    commands: Commands, outbox: Outbox, tmp_path: Path
) -> None:
    """A receipt whose leaf was edited by hand does not verify: status 4, and nothing is asked of the gateway."""
    receipt = tmp_path / "receipt.json"
    commands.submit(outbox, "--receipt", receipt)
    value = json.loads(receipt.read_text())
    value["leaf"] = value["leaf"].replace(PR, "pr:110105")
    receipt.write_text(json.dumps(value))
    result = commands.ask(OV, "ledger", "proof", "--receipt", receipt, code=4)
    assert "does not verify" in result["error"]


def test_ledger_for_the_police_is_refused(commands: Commands) -> None:
    """Only oversight reads the ledger."""
    result = commands.ask(PS, "ledger", "query", code=1)
    assert names(result) == ["METHOD_NOT_ALLOWED"]


def test_material_goes_up_once_and_comes_down_whole(commands: Commands, outbox: Outbox, tmp_path: Path) -> None:
    """An upload tells the digests, the second sends nothing, the download is the same file."""
    first = commands.ask(PS, "material", "upload", outbox.page)["materials"]
    assert [(row["sha256"], row["uploaded"]) for row in first] == [(outbox.sha256, True)]
    assert commands.ask(PS, "material", "upload", outbox.page)["materials"][0]["uploaded"] is False
    target = tmp_path / "down.pdf"
    commands.ask(PS, "material", "download", outbox.sha256, "--out", target)
    assert target.read_bytes() == outbox.document
    refused = commands.ask(PR, "material", "download", outbox.sha256, "--out", tmp_path / "theirs.pdf", code=1)
    assert names(refused) == ["MATERIAL_UNKNOWN"]
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith((".part", "theirs.pdf"))] == []


def test_gateway_that_is_not_there_is_status_3(gateway: RunningGateway) -> None:
    """No connection is status 3 with the address and what to look at."""
    environ = {**gateway.environ_of(PS), "FASTTRACK_TARGET": "127.0.0.1:1"}
    done = fasttrack("inbox", "list", "--json", environ=environ)
    assert done.code == done.object["exit_code"] == 3
    assert "127.0.0.1:1" in done.object["hint"]


def test_certificate_of_an_unknown_authority_is_status_3(gateway: RunningGateway, tmp_path: Path) -> None:
    """A caller whose certificate comes from elsewhere gets no connection, and is told to look at the certificates."""
    other = make_pki(tmp_path / "other", now=datetime.now(UTC), agencies=[PS]).agency(PS)
    environ = {
        **gateway.environ_of(PS),
        "FASTTRACK_CERT": str(other.tls_certificate),
        "FASTTRACK_KEY": str(other.tls_key),
    }
    done = fasttrack_here("inbox", "list", environ=environ)
    assert done.code == 3
    assert "--cert" in done.errors


def test_receipt_of_another_signing_ca_is_status_4(gateway: RunningGateway, outbox: Outbox, tmp_path: Path) -> None:
    """A receipt that does not lead to the CA that the caller trusts is not taken for one."""
    other = make_pki(tmp_path / "other", now=datetime.now(UTC), agencies=[PS])
    environ = {**gateway.environ_of(PS), "FASTTRACK_SIGNING_CA": str(other.signing_ca)}
    done = fasttrack_here("submit", outbox.record, "--materials", outbox.materials, environ=environ)
    assert done.code == 4
    assert "does not verify" in done.errors


def test_watch_interrupted_is_status_130_without_traceback(gateway: RunningGateway, outbox: Outbox) -> None:
    """Ctrl-C on a stream is a clean end; every line before it told the cursor to go on from."""
    Commands(gateway).submit(outbox)
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli.main", "inbox", "watch", "--json"],
        env=command_environ(gateway.environ_of(PR)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["cursor"] > 0
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "interrupted" in errors
