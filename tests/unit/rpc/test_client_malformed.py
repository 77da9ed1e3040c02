"""Answers about statements and the progress of a case that no gateway would give."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.core.access.enquiry import Progress
from gateway.core.digest import sha256_hex
from gateway.rpc.client_enquiry import read_progress
from gateway.rpc.client_error import EvidenceRejected
from gateway.rpc.client_receipt import Receipt
from gateway.rpc.client_statement import read_statement
from gateway.v1 import enquiry_pb2 as wire


@pytest.mark.parametrize(
    "jws", ["", "x", "a.b", "e30.!.x", "e30.e30.x", "a.受.b", f"a.{base64.urlsafe_b64encode(b'[' * 9000).decode()}.b"]
)
def test_statement_that_cannot_be_read_is_rejected_as_evidence(jws: str) -> None:
    """Bytes that the ledger recorded and that say nothing are a lie of the gateway, not a fault of the client."""
    receipt = cast(Receipt, SimpleNamespace(entry=SimpleNamespace(statement_sha256=sha256_hex(jws.encode()))))
    with pytest.raises(EvidenceRejected, match="cannot be read"):
        read_statement(jws, receipt)


def test_statement_of_other_text_than_the_ledger_records_is_rejected() -> None:
    """Text that was never signed has another digest, whatever its characters."""
    receipt = cast(Receipt, SimpleNamespace(entry=SimpleNamespace(statement_sha256="0" * 64)))
    with pytest.raises(EvidenceRejected, match="not the one"):
        read_statement("a.受.b", receipt)


@pytest.mark.parametrize(
    "change",
    [{"stage": 99}, {"stage": 0}, {"next_remedy": 99}, {"on": ""}, {"on": "yesterday"}, {"remedy_until": "2026-02-30"}],
    ids=str,
)
def test_progress_that_is_none_is_rejected_as_evidence(change: dict[str, Any]) -> None:
    """A party is told a stage and a day, or that the answer cannot be trusted."""
    with pytest.raises(EvidenceRejected):
        read_progress(wire.GetProgressResponse(**{"stage": 2, "on": "2026-01-02", **change}))


def test_progress_when_whole_is_read() -> None:
    """Remedy and its last day are there only when there are any."""
    assert read_progress(wire.GetProgressResponse(stage=wire.PROGRESS_STAGE_ACCEPTED, on="2026-01-02")) == Progress(
        stage="ACCEPTED", since="2026-01-02"
    )
    whole = wire.GetProgressResponse(
        stage=wire.PROGRESS_STAGE_NOT_FILED,
        on="2026-01-02",
        next_remedy=wire.PROGRESS_REMEDY_PROCURATORATE,
        remedy_until="2026-01-09",
    )
    assert read_progress(whole).remedy_until == "2026-01-09"
