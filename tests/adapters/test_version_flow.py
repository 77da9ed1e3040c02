"""The version that a manifest names selects the reader, the version that the receiver is registered with the writer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from adapters.registry import Adapters
from gateway.app import adapters
from gateway.app_audit import CaseSource
from gateway.core.entry import HandoffState
from gateway.core.errors import ErrorCode
from gateway.core.port.ledger import InboxRow, StoredHandoff
from gateway.core.schema_register import Schema
from gateway.flows.check import check_bundle
from gateway.flows.fetch import _render
from gateway.ledger.evidence_source import EvidenceReader
from tests.adapters.cases import READABLE
from tests.support.bundle import PDF, new_case_number, segment, to_native_record, transfer_manifest, transfer_record
from tests.support.fake_parts import POLICE, World, fake_sign

_READS = ("entries", "bundles", "statements", "keys", "head", "proof")
_RETURN = next(sample for sample in READABLE if sample.kind == "RETURN")


async def _version_written(registered: dict[str, Schema]) -> tuple[str, str, bytes | None]:
    """Mapping version, schema version and bytes that ps:110108 gets of a RETURN."""
    record = _RETURN.source.read_bytes()
    native = {"schema": "procuratorate", "version": "2.0", "sha256": "", "size": len(record)}
    row = InboxRow(
        uuid4(), "RETURN", "pr:110108", "ps:110108", "", 1, HandoffState.OFFERED, 0, datetime.now(UTC), "", None
    )
    stored = StoredHandoff(row, f"e30.{segment({'native_record': native})}.x", record, ())
    parts = replace(World().parts, adapters=Adapters(formats=(), registered=registered))
    rendition, _ = await _render(parts, stored)
    return rendition.mapping_version, rendition.schema_version, rendition.data


async def test_receiver_gets_the_version_that_it_is_registered_with() -> None:
    """Two agencies of one system get two versions of its schema; whoever is not registered gets the published one."""
    assert await _version_written({}) == ("1.0", "3.2", _RETURN.rendition())
    assert await _version_written({"ps:110105": Schema("police", "3.3")}) == ("1.0", "3.2", _RETURN.rendition())
    rules, version, data = await _version_written({"ps:110108": Schema("police", "3.3")})
    assert (rules, version) == ("1.1", "3.3")
    assert data is not None and b'<YSQS version="3.3">' in data


async def _codes(record_version: str, manifest_version: str, **native: Any) -> set[ErrorCode]:
    """What is found in a transfer whose record and manifest name these versions."""
    world = World()
    await world.give(POLICE, PDF)
    number = new_case_number()
    record = transfer_record(number).replace(b'version="3.2"', f'version="{record_version}"'.encode())
    described = replace(to_native_record(record, version=manifest_version), **native)
    manifest = transfer_manifest(record, number, created_at=world.clock(), native_record=described)
    parts = replace(world.parts, adapters=Adapters(formats=()))
    checked = await check_bundle(parts, POLICE, fake_sign(manifest), record)
    return {finding.code for finding in checked.findings if finding.severity.value == "error"}


@pytest.mark.parametrize(
    ("record", "manifest", "codes"),
    [
        ("3.2", "3.2", set()),
        ("3.3", "3.3", set()),
        ("3.2", "3.3", {ErrorCode.UNKNOWN_VERSION}),
        ("3.3", "3.2", {ErrorCode.UNKNOWN_VERSION}),
        ("3.4", "3.4", {ErrorCode.SCHEMA_VERSION_UNKNOWN}),
    ],
)
async def test_manifest_selects_the_reader(record: str, manifest: str, codes: set[ErrorCode]) -> None:
    """Both versions are accepted, each by its own reader; a record that is not what its manifest says is refused."""
    assert await _codes(record, manifest) & {ErrorCode.UNKNOWN_VERSION, ErrorCode.SCHEMA_VERSION_UNKNOWN} == codes


def test_register_of_the_setting_is_read(tmp_path: Path) -> None:
    """What FASTTRACK_SCHEMA_VERSIONS names is what the gateway goes by; a file that cannot be used stops it."""
    register = tmp_path / "schemas.toml"
    register.write_text('[schema]\n"ps:110105" = "police 3.3"\n', encoding="utf-8")
    assert adapters(register).schema_of("ps:110105") == ("police", "3.3")
    assert adapters().schema_of("ps:110105") == ("police", "3.2")
    register.write_text('[schema]\n"ps:110105" = "police 9"\n', encoding="utf-8")
    adapters.cache_clear()
    with pytest.raises(ValueError, match="ps:110105"):
        adapters(register)


async def test_pack_has_the_rendition_that_the_registered_receiver_got(tmp_path: Path) -> None:
    """An auditor's pack is made by the schemas that the gateway went by, in both directions."""
    register = tmp_path / "schemas.toml"
    register.write_text('[schema]\n"ps:110108" = "police 3.3"\n', encoding="utf-8")
    ledger = cast(EvidenceReader, SimpleNamespace(**dict.fromkeys(_READS)))
    source = CaseSource(ledger, None, register)
    made = source.render(_RETURN.source.read_bytes(), Schema("procuratorate", "2.0"), "ps:110108")
    rules, _, data = await _version_written({"ps:110108": Schema("police", "3.3")})
    assert made is not None and (made.mapping_version, made.data) == (rules, data)
    record = transfer_record(new_case_number()).replace(b'version="3.2"', b'version="3.3"')
    assert source.render(record, Schema("police", "3.3"), "pr:110108") is not None
    assert source.render(record, Schema("police", "3.2"), "pr:110108") is None
    assert source.render(record, Schema("police", "3.3"), "ov:110000") is None


async def test_schema_of_another_system_is_refused() -> None:
    """An agency sends in the schema of its system or the one that it is registered with, in no other."""
    assert ErrorCode.MANIFEST_RECORD_MISMATCH in await _codes("3.2", "2.0", schema="procuratorate", encoding="UTF-8")
    assert ErrorCode.MANIFEST_RECORD_MISMATCH in await _codes("3.2", "1.0", schema="bureau", encoding="UTF-8")
