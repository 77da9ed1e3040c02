"""The field tables and the formal schemas: complete, up to date, and true of what is written."""

from __future__ import annotations

import csv
import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from lxml import etree

from adapters.engine.formal import FILES, formal_schema
from adapters.engine.schema import load_rows
from adapters.registry import Adapters
from gateway.core.route import ROUTES
from tests.adapters.cases import READABLE, Sample

_ADAPTERS = Adapters()
_FOLDER = Path(str(resources.files("adapters")))
_COUNTS = {"police": 195, "procuratorate": 233, "court": 179, "justice": 51}


@pytest.mark.parametrize("agency", _ADAPTERS.names())
def test_field_table_has_every_leaf_of_the_interface_once(agency: str) -> None:
    """The table has as many leaves as the interface says, and none of them twice."""
    leaves = [row.path for row in load_rows(agency) if row.type != "list"]
    assert len(leaves) == len(set(leaves)) == _COUNTS[agency]


@pytest.mark.parametrize("agency", _ADAPTERS.names())
def test_formal_schema_file_is_up_to_date(agency: str) -> None:
    """``python -m adapters.engine.formal`` would write the file that is there."""
    assert (_FOLDER / agency / "schema" / FILES[agency]).read_text("utf-8") == formal_schema(agency)


@pytest.mark.parametrize("sample", READABLE, ids=lambda sample: sample.name)
def test_formal_schema_accepts_the_rendition(sample: Sample) -> None:
    """What is written is valid by the receiver's formal schema."""
    data = sample.rendition()
    assert data is not None
    schema = (_FOLDER / sample.receiver / "schema" / FILES[sample.receiver]).read_bytes()
    if sample.receiver in ("police", "court"):
        text = data.decode(_ADAPTERS.encoding(sample.receiver)).split("?>", 1)[1]
        etree.XMLSchema(etree.fromstring(schema)).assertValid(etree.fromstring(text))
    else:
        jsonschema.validate(json.loads(data), json.loads(schema))


@pytest.mark.parametrize("agency", ["procuratorate", "justice"])
def test_formal_json_schema_refuses_an_unknown_member(agency: str) -> None:
    """The schema is closed: a member that the interface does not have is not valid."""
    sample = next(sample for sample in READABLE if sample.receiver == agency)
    value = json.loads(sample.rendition() or b"")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**value, "x": 1}, json.loads(formal_schema(agency)))


def test_every_route_has_a_plan_at_both_ends() -> None:
    """Sender and receiver of every route have fields for its kind."""
    for kind, sender, receiver in ROUTES:
        for name in (sender, receiver):
            assert _ADAPTERS.adapter(name).plan(kind).by_name["record.kind"]


@pytest.mark.parametrize("path", sorted((_FOLDER / "codes").glob("*.*.csv")), ids=lambda path: path.name)
def test_code_table_has_unique_codes(path: Path) -> None:
    """A code stands for one thing, and at most one code is the other code."""
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    assert len({row["code"] for row in rows}) == len(rows)
    standards = [row["standard"] for row in rows]
    assert len(set(standards)) == len(standards)
    assert all(row["code"] and row["name"] and row["standard"] for row in rows)
