"""``fasttrack adapters``: the contract that programs rely on, and something readable for people."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.registry import Adapters
from gateway.cli.adapters import app
from tests.adapters.cases import ALL, READABLE

_RUN = CliRunner()
_SAMPLE = READABLE[0]
_WRONG = next(sample for sample in ALL if "19-wrong" in str(sample.folder))


def test_map_with_json_prints_the_whole_outcome() -> None:
    """One JSON object with the exact bytes, the report and the findings; exit status 0."""
    arguments = ["map", "--from", _SAMPLE.sender, "--to", _SAMPLE.receiver, str(_SAMPLE.source), "--json"]
    done = _RUN.invoke(app, arguments)
    answer = json.loads(done.stdout_bytes)
    assert done.exit_code == 0
    assert base64.b64decode(answer["rendition"]) == _SAMPLE.rendition()
    assert (answer["mapping_version"], answer["media_type"], answer["encoding"]) == ("1.0", "application/json", "UTF-8")
    lines = [(line["action"], line["source"], line["target"]) for line in answer["report"]]
    assert lines == _SAMPLE.lines("report", ("action", "source", "target"))
    assert answer["findings"] == []


def test_map_of_a_wrong_record_exits_with_1() -> None:
    """A record with an error has no rendition, and a script sees it by the exit status."""
    arguments = ["map", "--from", _WRONG.sender, "--to", _WRONG.receiver, str(_WRONG.source), "--json"]
    done = _RUN.invoke(app, arguments)
    answer = json.loads(done.stdout_bytes)
    assert done.exit_code == 1
    assert (answer["rendition"], answer["report"], answer["media_type"]) == (None, [], "application/json")
    found = [(finding["code"], finding["severity"], finding["path"]) for finding in answer["findings"]]
    assert found == _WRONG.lines("findings", ("code", "severity", "path"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["map", "--from", "tax", "--to", "court", str(_SAMPLE.source)],
        ["map", "--from", "police", "--to", "tax", str(_SAMPLE.source)],
        ["map", "--from", "police", str(_SAMPLE.source)],
        ["map", "--from", "police", "--to", "court"],
        ["map", "--from", "police", "--to", "court", "no-such-file.xml", "--json"],
    ],
)
def test_map_used_wrongly_exits_with_2(arguments: list[str]) -> None:
    """Unknown agency, missing argument and unreadable file are usage errors."""
    assert _RUN.invoke(app, arguments).exit_code == 2


def test_map_for_people_groups_lines_by_action() -> None:
    """Without ``--json`` the report is shown by action, then the findings, then what was made."""
    arguments = ["map", "--from", _SAMPLE.sender, "--to", _SAMPLE.receiver, str(_SAMPLE.source)]
    done = _RUN.invoke(app, arguments)
    assert done.exit_code == 0
    assert "carried (" in done.stdout and "defaulted (" in done.stdout and "UTF-8" in done.stdout


def test_list_names_every_adapter() -> None:
    """The list has every adapter with its schema version."""
    done = _RUN.invoke(app, ["list", "--json"])
    made = Adapters()
    listed = {entry["name"]: entry["schema_version"] for entry in json.loads(done.stdout_bytes)["adapters"]}
    assert listed == {name: made.schema_version(name) for name in made.names()}
    assert "procuratorate" in _RUN.invoke(app, ["list"]).stdout


def test_map_of_a_folder_is_a_usage_error(tmp_path: Path) -> None:
    """A folder is no file."""
    assert _RUN.invoke(app, ["map", "--from", "police", "--to", "court", str(tmp_path)]).exit_code == 2
