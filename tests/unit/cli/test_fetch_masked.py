"""What ``fasttrack fetch`` writes of masked copies: under digests that somebody signed, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from gateway.cli.fetch import _write_masked
from gateway.rpc.client_answer import Fetched, FetchedRendition, MaskedCopy
from tests.support.bundle import PDF, new_case_number, to_material, transfer_manifest


def test_masked_copies_are_written_under_digests_of_the_manifest_and_of_statements(tmp_path: Path) -> None:
    """A copy of something that the manifest does not name is not written, and no name leads out of the folder."""
    material = to_material(PDF)
    manifest = transfer_manifest(b"x", new_case_number(), created_at=datetime.now(UTC), materials=(material,))
    rendition = FetchedRendition(b"", "application/json", "UTF-8", "1", "0" * 64, "0" * 64)
    fetched = Fetched("", b"", rendition, (), (), cast(Any, None))
    copy = MaskedCopy(material.id, material.sha256, "application/vnd.fasttrack-masked.reception.v1+json", b"{}")
    copies = (
        copy,
        replace(copy, sha256="b" * 64),
        replace(copy, material_id="other"),
        replace(copy, material_id="", sha256="c" * 64),
        replace(copy, material_id="", sha256="../../x"),
    )
    written = _write_masked(replace(fetched, masked=copies), manifest, tmp_path)
    assert [str(file.relative_to(tmp_path)) for file in written] == [
        f"materials/{material.sha256}.masked.json",
        f"statements/{'c' * 64}.masked.json",
    ]
    assert {file.read_bytes() for file in written} == {b"{}"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["materials", "statements"]
