"""``fasttrack adapters explain`` and ``matrix``: true of what the adapters do, and helpful when asked wrongly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import adapters
from adapters.registry import Adapters
from gateway.cli.adapters import app
from gateway.core.errors import GatewayError
from tests.adapters.cases import READABLE, Sample

_RUN = CliRunner()
_ADAPTERS = Adapters(formats=())
_DOCUMENT = Path(next(iter(adapters.__path__))) / "MATRIX.md"


@pytest.mark.parametrize("field", ["/YSQS/XYRLB/XYR[2]/LXDH", "/YSQS/XYRLB/XYR[]/LXDH", "person.phone"])
def test_explain_path_and_canonical_name_find_the_same_leaf(field: str) -> None:
    """A leaf is found by its path, with or without an index, and by the canonical field that it holds."""
    (leaf,) = _ADAPTERS.explain(field, agency="police")
    assert leaf.place.path == "/YSQS/XYRLB/XYR[]/LXDH"
    assert {(way.agency, way.version) for way in leaf.ways} == {
        ("procuratorate", "2.0"),
        ("court", "1.1"),
        ("justice", "1.4"),
    }


def test_explain_tag_finds_every_leaf_with_it() -> None:
    """A tag that persons and victims share is explained for both."""
    found = _ADAPTERS.explain("LXDH", agency="police")
    assert [leaf.place.fields for leaf in found] == [("person.phone",), ("victim.phone",)]


@pytest.mark.parametrize("sample", READABLE, ids=lambda sample: sample.name)
def test_explain_agrees_with_the_report(sample: Sample) -> None:
    """A leaf that a report carries is explained as arriving in that kind; one explained as lost has no target."""
    reading, rendition = _ADAPTERS.map(sample.source.read_bytes(), sender=sample.sender, receiver=sample.receiver)
    targets: dict[str, bool] = {}
    for line in rendition.report:
        if line.source:
            targets[line.source] = targets.get(line.source, False) or bool(line.target)
    assert reading.header is not None
    for path, has_target in targets.items():
        try:
            leaves = _ADAPTERS.explain(path, agency=sample.sender)
        except GatewayError:
            # An element or member that the interface does not have.
            assert not has_target
            continue
        ways = [way for leaf in leaves for way in leaf.ways if (way.agency, way.version) == _published(sample.receiver)]
        if has_target:
            assert any(sample.kind in way.arrives_in for way in ways), path
        if all(sample.kind in way.lost_in for way in ways):
            assert not has_target, path


def _published(name: str) -> tuple[str, str]:
    return name, _ADAPTERS.schema_version(name)


def test_explain_says_withheld_towards_justice_and_dropped_elsewhere() -> None:
    """What has no place is withheld by purpose towards justice, and dropped elsewhere."""
    by_agency = {way.agency: way for way in _ADAPTERS.explain("facts.text", agency="police")[0].ways}
    assert (by_agency["justice"].loss, by_agency["justice"].lost_in) == ("withheld", ("ASSESSMENT_REQUEST",))
    dropped = {way.agency: way for way in _ADAPTERS.explain("gap.reason", agency="police")[0].ways}
    assert dropped["court"].loss == "dropped" and dropped["court"].places == ()


def test_explain_names_codes_without_a_counterpart() -> None:
    """A value that only the sender's table has arrives as raw text; it is named beforehand."""
    way = next(way for way in _ADAPTERS.explain("MZ", agency="police")[0].ways if way.agency == "court")
    assert way.no_code_for


def test_explain_unknown_field_names_near_ones() -> None:
    """A typing error is status 2 with the field that was meant."""
    done = _RUN.invoke(app, ["explain", "LXDHH"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "did you mean LXDH" in done.output
    assert _RUN.invoke(app, ["explain", "XM", "--of", "tax"]).exit_code == 2
    assert _RUN.invoke(app, ["explain", "XM", "--version", "9"]).exit_code == 2


def test_explain_answers_people_and_programs() -> None:
    """The table has leaf, type, cardinality and codes of each agency; JSON has the same."""
    table = _RUN.invoke(app, ["explain", "SCBZ"])
    assert table.exit_code == 0
    assert "/SFSC" in table.stdout and "withheld in ASSESSMENT_REQUEST" in table.stdout
    answer = json.loads(_RUN.invoke(app, ["explain", "SCBZ", "--json"]).stdout)
    assert answer["leaves"][0]["place"]["table"] == "procedure"
    assert answer["leaves"][0]["ways"][0]["arrives_in"] == ["RETRANSFER", "TRANSFER"]


def test_matrix_document_is_the_output_of_the_command() -> None:
    """``fasttrack adapters matrix > adapters/MATRIX.md`` would change nothing."""
    assert _RUN.invoke(app, ["matrix"]).stdout == _DOCUMENT.read_text("utf-8")


def test_matrix_has_every_leaf_of_every_schema() -> None:
    """Nothing that an agency's table says of a canonical field is left out."""
    answer = json.loads(_RUN.invoke(app, ["matrix", "--json"]).stdout)
    for name in _ADAPTERS.names():
        for version in _ADAPTERS.versions(name):
            shown = {path for row in answer["fields"] for path in row["leaves"][f"{name} {version}"]}
            rows = _ADAPTERS.adapter(name, version).format.field_rows
            assert shown == {row.path for row in rows if row.type != "list" and row.field}
