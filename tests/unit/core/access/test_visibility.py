"""Who sees what: every document code, kind of material and form has a row for every kind of reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from adapters.codes.table import load_table
from gateway.core.access.visibility import (
    SEALED_MEDIA_TYPE,
    ReaderKind,
    Subject,
    View,
    find_withheld,
    load_visibility,
    parse_visibility,
    reader_of,
    view_in_bundle,
)
from gateway.core.case.case import MaterialReference
from gateway.core.form.catalog import published_forms
from gateway.core.form.definition import Form, FormKind
from gateway.core.identity import Role
from gateway.core.manifest import Manifest, Material
from gateway.core.route import ROUTES, RecordKind
from gateway.core.rule import RuleFileError, load_rules
from tests.support.bundle import to_material, transfer_manifest

ON = date(2026, 2, 5)
TABLE = load_visibility()
CODES = sorted(
    {
        code
        for agency in ("police", "procuratorate", "court", "justice")
        for code in load_table("document", agency).written
    }
)
JUSTICE = (ReaderKind.ASSESSOR, ReaderKind.CORRECTOR, ReaderKind.DEFENCE)


@pytest.mark.parametrize("reader", ReaderKind)
@pytest.mark.parametrize("subject", [*CODES, *Subject])
def test_visibility_every_code_and_reader_has_a_row(subject: str, reader: ReaderKind) -> None:
    """No document code that an agency may write is left to chance, for no kind of reader."""
    (row,) = (row for row in TABLE.rows[subject] if row.rule.is_valid(ON))
    assert reader in row.see
    assert row.rule.article


@pytest.mark.parametrize("form", [form for form in published_forms() if form.key.kind is FormKind.ANNEX])
def test_visibility_every_annex_says_who_sees_it(form: Form) -> None:
    """A published annex names its readers; nobody else gets it, oversight and parties never."""
    media_type = form.media_type
    said = {reader.role for reader in form.readers if reader.view in ("all", "on_request")}
    for reader in ReaderKind:
        role = "ja" if reader in JUSTICE else reader.value
        seen = TABLE.of_form(media_type, reader)
        assert (seen is not View.NONE) is (role in said)


def test_visibility_without_a_row_nobody_sees_it() -> None:
    """An unknown code, form or day before every row means denied."""
    for reader in ReaderKind:
        assert TABLE.of_code("D99", reader, ON) is View.NONE
        assert TABLE.of_code("D01", reader, date(1990, 1, 1)) is View.NONE
        assert TABLE.of_form("application/vnd.fasttrack.gossip.v1+json", reader) is View.NONE


def test_visibility_justice_never_has_the_whole_file_nor_a_sealed_volume() -> None:
    """Judicial administration sees what it needs: no transcript, no freeze, no recording, no protected identity."""
    for reader in JUSTICE:
        assert TABLE.of_code(Subject.SEALED, reader, ON) is View.NONE
        assert TABLE.of_code(Subject.MEDIA, reader, ON) is View.NONE
        assert TABLE.of_code("D17", reader, ON) is View.NONE
        assert TABLE.of_code(Subject.RECORD, reader, ON) is View.LEAST
    for reader in (ReaderKind.ASSESSOR, ReaderKind.CORRECTOR):
        assert TABLE.of_code("D13", reader, ON) is View.NONE
    assert TABLE.of_code("D13", ReaderKind.DEFENCE, ON) is View.REQUEST


def test_visibility_the_narrowest_code_counts() -> None:
    """Nobody sees a transcript because somebody called it a judgment too."""
    view = TABLE.of_material("application/pdf", ["D50", "D13"], ReaderKind.CORRECTOR, ON)
    assert view is View.NONE
    assert TABLE.of_material("application/pdf", ["D50"], ReaderKind.CORRECTOR, ON) is View.ALL


@pytest.mark.parametrize(("kind", "sender", "receiver"), sorted(ROUTES))
def test_visibility_every_route_has_a_kind_of_reader(kind: str, sender: str, receiver: str) -> None:
    """Whoever may receive a handoff reads it in one capacity."""
    del sender
    role = {"police": Role.POLICE, "procuratorate": Role.PROCURATORATE, "court": Role.COURT, "justice": Role.JUSTICE}
    assert reader_of(role[receiver], RecordKind(kind)) in ReaderKind


def _manifest(**changes: Any) -> Manifest:
    paper = to_material(b"paper", document_code="D13")
    media = replace_material(to_material(b"media", number=2, document_code=""), "audio/wav")
    sealed = replace_material(to_material(b"sealed", number=3, document_code="D44"), SEALED_MEDIA_TYPE)
    return transfer_manifest(b"record", "A1101080000002026010001", materials=(paper, media, sealed), **changes)


def replace_material(material: Material, media_type: str) -> Material:
    return material._replace(media_type=media_type)


def test_visibility_withholds_media_from_the_procuratorate_until_it_asks() -> None:
    """A procuratorate is granted the papers and the sealed volume of a transfer; media it must ask for."""
    manifest = _manifest()
    assert find_withheld(TABLE, manifest, (), ON) == {manifest.materials[1].sha256: View.REQUEST}


def test_visibility_withholds_from_an_assessor_what_it_does_not_need() -> None:
    """For an assessment justice gets neither transcript, media nor sealed volume, and no record that says more."""
    manifest = _manifest(receiver="ja:110108", kind=RecordKind.ASSESSMENT_REQUEST)
    expected = {material.sha256: View.NONE for material in manifest.materials}
    assert find_withheld(TABLE, manifest, (), ON) == {**expected, manifest.native_record.sha256: View.LEAST}


def test_visibility_knows_what_travelled_before_from_the_record() -> None:
    """A digest that is only listed as unchanged is judged by the code that the record gives it, and is none without."""
    known, unknown = "1" * 64, "2" * 64
    manifest = replace(
        _manifest(receiver="ja:110108", kind=RecordKind.EXECUTION), materials=(), unchanged=(known, unknown)
    )
    references = [MaterialReference(known, "/x", "D50", "1")]
    withheld = find_withheld(TABLE, manifest, references, ON)
    assert withheld == {unknown: View.NONE, manifest.native_record.sha256: View.LEAST}


def test_visibility_of_a_digest_that_stands_twice_is_the_narrowest() -> None:
    """Who lists a material as unchanged too, or under a second code, opens nothing by it."""
    manifest = _manifest(receiver="ja:110108", kind=RecordKind.EXECUTION)
    paper = manifest.materials[0]
    judgment = replace(manifest, materials=(paper._replace(document_code="D50"),))
    assert paper.sha256 not in find_withheld(TABLE, judgment, (), ON)
    twice = replace(judgment, unchanged=(paper.sha256,))
    assert find_withheld(TABLE, twice, (), ON)[paper.sha256] is View.NONE


def test_visibility_of_a_recording_that_travelled_before_is_that_of_media() -> None:
    """A recording of the record has no document code; it stays one when it is only listed as unchanged."""
    manifest = replace(_manifest(), materials=(), unchanged=("1" * 64,))
    references = [MaterialReference("1" * 64, "/x", "", "")]
    assert find_withheld(TABLE, manifest, references, ON) == {"1" * 64: View.REQUEST}
    asked = view_in_bundle(TABLE, manifest, references, sha256="1" * 64, reader=ReaderKind.DEFENCE, on=ON)
    assert asked is View.NONE
    assert view_in_bundle(TABLE, manifest, references, sha256="3" * 64, reader=ReaderKind.COURT, on=ON) is None


def test_visibility_a_row_that_forgets_a_reader_is_refused() -> None:
    """A table that says nothing of somebody is no table."""
    rules = load_rules("visibility", required=("title", "see"))
    first = rules.rows[0]
    shorter = {reader: view for reader, view in first.content["see"].items() if reader != "party"}
    odd = {**first.content["see"], "ps": "some"}
    for see in (shorter, odd):
        rows = (replace(first, content={**first.content, "see": see}), *rules.rows[1:])
        with pytest.raises(RuleFileError, match="D01"):
            parse_visibility(replace(rules, rows=rows), ())
