"""``fasttrack adapters remap``: receiver and sender prove that the entry's digests come out of the original again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import fasttrack_here
from tests.support.gateway import RunningGateway
from tests.support.outbox import Outbox

PS, PR = "ps:110108", "pr:110108"


def _ask(gateway: RunningGateway, agency: str, *arguments: object, code: int = 0) -> dict[str, Any]:
    done = fasttrack_here(*arguments, "--json", environ=gateway.environ_of(agency))
    assert done.code == code, done.errors or done.output
    return done.object


def _fetched(gateway: RunningGateway, outbox: Outbox, folder: Path) -> dict[str, Any]:
    """Hand a transfer over and fetch it; the receipt of the fetch."""
    submitted = _ask(gateway, PS, "submit", outbox.record, "--materials", outbox.materials)
    handoff = submitted["receipt"]["handoff"]
    receipt: dict[str, Any] = _ask(gateway, PR, "fetch", handoff, "--claim", "--out", folder)["receipt"]
    return receipt


def test_receiver_remaps_by_index_handoff_and_folder(gateway: RunningGateway, tmp_path: Path) -> None:
    """All three ways compare the same entry, also after the decision, and add nothing to the ledger."""
    receipt = _fetched(gateway, Outbox(tmp_path), tmp_path / "case")
    _ask(gateway, PR, "decide", receipt["handoff"], "accept")
    before = _ask(gateway, PR, "receipt", receipt["handoff"])["receipts"]
    answers = [
        _ask(gateway, PR, "adapters", "remap", receipt["entry_index"]),
        _ask(gateway, PR, "adapters", "remap", receipt["handoff"]),
        fasttrack_here("adapters", "remap", "--folder", tmp_path / "case", "--json").object,
    ]
    assert answers[0] == answers[1] == answers[2]
    leaf = json.loads(receipt["leaf"])
    (entry,) = answers[0]["entries"]
    assert answers[0]["is_equal"] and entry["entry_index"] == receipt["entry_index"]
    assert (entry["rendition_sha256"], entry["report_sha256"]) == (leaf["rendition_sha256"], leaf["report_sha256"])
    assert (entry["mapping_version"], entry["schema"]) == ("1.0", "procuratorate 2.0")
    assert _ask(gateway, PR, "receipt", receipt["handoff"])["receipts"] == before


def test_sender_remaps_its_own_original(gateway: RunningGateway, tmp_path: Path) -> None:
    """The sender needs no copy from the gateway; another file than the original is not equal, status 4."""
    outbox = Outbox(tmp_path)
    receipt = _fetched(gateway, outbox, tmp_path / "case")
    arguments = ("adapters", "remap", receipt["handoff"], "--record")
    assert _ask(gateway, PS, *arguments, outbox.record)["is_equal"]
    other = tmp_path / "other.xml"
    other.write_bytes(outbox.record.read_bytes().replace("测试人甲".encode("gb18030"), "测试人乙".encode("gb18030")))
    assert not _ask(gateway, PS, *arguments, other, code=4)["is_equal"]
    assert _ask(gateway, PS, "adapters", "remap", receipt["handoff"], code=2)["hint"].startswith("name your own file")


def test_folder_that_was_changed_is_no_evidence(gateway: RunningGateway, tmp_path: Path) -> None:
    """A record that the sender did not sign, or an entry of another act, is refused before anything is compared."""
    receipt = _fetched(gateway, Outbox(tmp_path), tmp_path / "case")
    arguments = ("adapters", "remap", "--folder", tmp_path / "case")
    assert _ask(gateway, PR, *arguments, receipt["entry_index"])["is_equal"]
    assert _ask(gateway, PR, *arguments, receipt["entry_index"] + 1, code=2)
    kept = tmp_path / "case/receipt.json"
    genuine = kept.read_text("utf-8")
    leaf = json.loads(receipt["leaf"])
    kept.write_text(genuine.replace(leaf["rendition_sha256"], "0" * 64), encoding="utf-8")
    assert _ask(gateway, PR, *arguments, code=4)
    kept.write_text(genuine, encoding="utf-8")
    record = tmp_path / "case/record.xml"
    record.write_bytes(record.read_bytes().replace(b"20240602", b"20240603"))
    assert _ask(gateway, PR, *arguments, code=4)


@pytest.mark.parametrize("arguments", [[], ["x"], ["999999"]], ids=["nothing", "no id", "no such entry"])
def test_remap_of_nothing_is_a_usage_error(gateway: RunningGateway, arguments: list[str]) -> None:
    """What cannot be meant is status 2 with a hint."""
    assert _ask(gateway, PR, "adapters", "remap", *arguments, code=2)["hint"]


def test_record_of_the_later_schema_is_handed_over_and_remapped(gateway: RunningGateway, tmp_path: Path) -> None:
    """A police system that has moved to schema 3.3 submits beside those of 3.2; the entry names the mapping."""
    outbox = Outbox(tmp_path)
    text = outbox.record.read_bytes().decode("gb18030").replace('version="3.2"', 'version="3.3"')
    outbox.record.write_bytes(text.replace("</XM>", "</XM><YDDH>19900000001</YDDH>", 1).encode("gb18030"))
    receipt = _fetched(gateway, outbox, tmp_path / "case")
    assert json.loads(receipt["leaf"])["mapping_version"] == "1.1"
    rendition = json.loads((tmp_path / "case/rendition.json").read_bytes())
    assert rendition["XYR"][0]["LXDH"] == "19900000001"
    answer = _ask(gateway, PR, "adapters", "remap", receipt["entry_index"])
    assert answer["is_equal"] and answer["entries"][0]["mapping_version"] == "1.1"
    assert _ask(gateway, PS, "adapters", "remap", receipt["handoff"], "--record", outbox.record)["is_equal"]
