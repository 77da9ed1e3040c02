"""Two versions of one schema side by side: each is read and written by its own rules, and a rendition names them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.engine import schema
from adapters.engine.schema import load_rows, read_rows
from adapters.registry import BUILT_IN, Adapters, mapping_version
from gateway.cli.adapters import app
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.schema_register import Schema, parse_schema_register
from tests.adapters.cases import READABLE, Sample

_ADAPTERS = Adapters(formats=())
_FROM_POLICE = [sample for sample in READABLE if sample.sender == "police"]
_TO_POLICE = [sample for sample in READABLE if sample.receiver == "police"]
_RUN = CliRunner()


def later(sample: Sample) -> bytes:
    """The source of a police sample as schema 3.3 writes it, with a lawyer's agency."""
    text = sample.source.read_bytes().decode("gb18030").replace("3.2", "3.3", 1)
    head, mark, victims = text.partition("<BHRLB>")
    head = head.replace("<LXDH>", "<YDDH>").replace("</LXDH>", "</YDDH>")
    return (head.replace("<FLBZ ", '<FLBZ JG="示范律师事务所" ') + mark + victims).encode("gb18030")


def test_later_version_is_the_published_one_with_its_changes() -> None:
    """Only what differs is written down: one leaf has another name, one is new, all others are the same lines."""
    before, after = load_rows("police"), load_rows("police.v3_3")
    gone = {row.path for row in before} - {row.path for row in after}
    new = {row.path: row.field for row in after if row.path not in {row.path for row in before}}
    assert gone == {"/YSQS/XYRLB/XYR[]/LXDH"}
    assert new == {
        "/YSQS/XYRLB/XYR[]/YDDH": "person.phone",
        "/YSQS/XYRLB/XYR[]/FLBZLB/FLBZ[]/@JG": "legal.firm",
    }
    assert [row.default for row in after if row.type == "constant"] == ["3.3"]


@pytest.mark.parametrize("line", ["change,/YSQS/NONE,/YSQS/X,,,,,,", "remove,/YSQS/TXX/XXBH,,,,,,,"])
def test_change_that_cannot_be_made_is_an_error(line: str) -> None:
    """A version that changes what is not there, or in a way that nobody knows, is not loaded."""
    import csv

    header = "change,at,path,type,cardinality,table,field,part,default"
    changes = list(csv.DictReader([header, line]))
    with pytest.raises(ValueError, match=r"no leaf|neither"):
        schema._changed(read_rows("adapters.police"), changes)


@pytest.mark.parametrize("sample", _FROM_POLICE, ids=lambda sample: sample.name)
def test_record_of_the_later_version_gives_the_same_rendition_and_the_new_field(sample: Sample) -> None:
    """Both versions are read into the same case: only what the later one says more differs at the receiver."""
    reading = _ADAPTERS.read(later(sample), sender="police", receiver=sample.receiver, version="3.3")
    rendition = _ADAPTERS.render(reading, receiver=sample.receiver)
    assert rendition.data is not None and reading.header is not None
    assert (reading.header.version, rendition.mapping_version) == ("3.3", "1.1")
    expected = sample.rendition()
    assert expected is not None
    ours, theirs = json.loads(rendition.data), json.loads(expected)
    firms = [helped.pop("LSSWS", None) for person in ours.get("XYR", []) for helped in person.get("FLBZ", [])]
    assert ours == theirs
    assert all(firm == "示范律师事务所" for firm in firms)
    carried = {line.target for line in rendition.report if line.action == "carried" and line.source.endswith("/@JG")}
    assert len(carried) == len(firms)


@pytest.mark.parametrize("sample", _TO_POLICE, ids=lambda sample: sample.name)
def test_rendition_in_the_later_version_is_read_back_by_it_alone(sample: Sample) -> None:
    """A receiver with the later version gets it; the published reader says that it does not know it."""
    reading = _ADAPTERS.read(sample.source.read_bytes(), sender=sample.sender, receiver="police")
    rendition = _ADAPTERS.render(reading, receiver="police", version="3.3")
    assert (rendition.schema_version, rendition.mapping_version) == ("3.3", "1.1")
    assert rendition.data is not None
    text = rendition.data.decode("gb18030")
    assert 'version="3.3"' in text and "<XYR><LXDH>" not in text
    assert not _ADAPTERS.adapter("police", "3.3").read_unrouted(rendition.data, sample.kind).has_errors
    found = _ADAPTERS.read(rendition.data, sender="police", receiver=sample.sender).findings
    assert [finding.code for finding in found] == [ErrorCode.UNKNOWN_VERSION]


def test_any_version_is_read_by_the_one_that_the_record_names() -> None:
    """A sender's own machine need not be told the version; one that nobody knows stays unknown."""
    sample = _FROM_POLICE[0]
    for data, version in ((sample.source.read_bytes(), "3.2"), (later(sample), "3.3")):
        reading = _ADAPTERS.read_any(data, sender="police", receiver=sample.receiver)
        assert reading.header is not None and reading.header.version == version
    unknown = later(sample).replace(b'version="3.3"', b'version="9.9"')
    found = _ADAPTERS.read_any(unknown, sender="police", receiver=sample.receiver).findings
    assert [(finding.code, finding.path) for finding in found] == [(ErrorCode.UNKNOWN_VERSION, "/YSQS/@version")]


def test_mapping_version_names_the_pair_of_schema_versions() -> None:
    """Published pairs keep 1.0; a pair with a later schema has that schema's mapping version."""
    by_version = {(made.name, made.schema_version): made for made in BUILT_IN}
    police, later_police = by_version["police", "3.2"], by_version["police", "3.3"]
    court = by_version["court", "1.1"]
    assert mapping_version(court, police) == "1.0"
    assert mapping_version(court, later_police) == mapping_version(later_police, court) == "1.1"
    later_ones = [made.mapping_version for made in BUILT_IN if made.mapping_version != "1.0"]
    assert len(set(later_ones)) == len(later_ones)


def test_registered_version_is_that_of_the_agency() -> None:
    """The register says which agency has which version; all others have the published one."""
    made = Adapters(formats=(), registered={"ps:110105": Schema("police", "3.3")})
    assert made.schema_of("ps:110105") == ("police", "3.3")
    assert made.schema_of("ps:110108") == ("police", "3.2")
    assert made.versions("police") == ("3.2", "3.3")
    with pytest.raises(GatewayError):
        made.schema_of("ov:110000")


def test_register_that_names_what_is_not_there_is_refused_at_once() -> None:
    """A gateway does not start with a schema that it lacks, or with one of another role; all are named."""
    wrong = {"ps:110105": Schema("police", "9"), "ct:110105": Schema("police", "3.3")}
    with pytest.raises(ValueError, match=r"ps:110105.*ct:110105"):
        Adapters(formats=(), registered=wrong)


def test_register_is_read_from_toml() -> None:
    """One table, one line for each agency."""
    assert parse_schema_register('[schema]\n"ps:110105" = "police 3.3"\n') == {"ps:110105": ("police", "3.3")}
    assert parse_schema_register("") == {}


@pytest.mark.parametrize(
    "text",
    [
        '[schema]\n"ps:1" = "police 3.3"',
        '[schema]\n"ov:110000" = "police 3.3"',
        '[schema]\n"ps:110105" = "police"',
        '[schema]\n"ps:110105" = 3.3',
        "schema = 1",
        "[other]\n",
        "not toml",
    ],
)
def test_register_in_another_form_is_refused(text: str) -> None:
    """A line that cannot be meant is an error, never the published version in silence."""
    with pytest.raises(ValueError):
        parse_schema_register(text)


def test_map_takes_both_versions(tmp_path: Path) -> None:
    """The command reads and writes the version that it is asked for, the published one otherwise."""
    source = tmp_path / "later.xml"
    source.write_bytes(later(_FROM_POLICE[0]))
    arguments = ["map", "--from", "police", "--to", _FROM_POLICE[0].receiver, str(source), "--json"]
    refused = json.loads(_RUN.invoke(app, arguments).stdout)
    assert [finding["code"] for finding in refused["findings"]] == ["UNKNOWN_VERSION"]
    assert "--from-version 3.3" in _RUN.invoke(app, arguments[:-1]).stdout
    done = json.loads(_RUN.invoke(app, [*arguments, "--from-version", "3.3"]).stdout)
    assert (done["mapping_version"], done["findings"]) == ("1.1", [])
    back = _TO_POLICE[0]
    arguments = ["map", "--from", back.sender, "--to", "police", str(back.source), "--json", "--to-version"]
    assert json.loads(_RUN.invoke(app, [*arguments, "3.3"]).stdout)["mapping_version"] == "1.1"
    assert _RUN.invoke(app, [*arguments, "9.9"]).exit_code == 2
