"""A fifth schema that this project knows nothing of: installed as a package, found, checked, used."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import adapters
from tests.adapters.cases import READABLE
from tests.support.command import Finished, fasttrack

EXAMPLE = Path(__file__).parents[1] / "plugin_example"
PAGE = Path(next(iter(adapters.__path__))) / "ADD_AN_AGENCY.md"
_REQUEST = next(s for s in READABLE if (s.sender, s.kind) == ("procuratorate", "ASSESSMENT_REQUEST"))
_SAMPLES = EXAMPLE / "fasttrack_bureau/samples"

Run = Callable[..., Finished]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``fasttrack`` on a machine where the example is installed, in a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    source = folder.with_name("source")
    subprocess.run(["cp", "-r", EXAMPLE, source], check=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*install, folder, source], check=True, capture_output=True)

    def call(*arguments: object, cwd: Path | None = None) -> Finished:
        root = Path(__file__).parents[2]
        return fasttrack(*arguments, environ={"PYTHONPATH": f"{folder}:{root}"}, cwd=cwd)

    return call


def test_plugin_is_listed_with_its_version(run: Run) -> None:
    """Installing a package is all that it takes."""
    listed = {entry["name"]: entry for entry in run("adapters", "list", "--json").object["adapters"]}
    assert list(listed)[:4] == ["police", "procuratorate", "court", "justice"]
    assert (listed["bureau"]["versions"], listed["bureau"]["is_plugin"]) == (["1.0"], True)
    assert not listed["police"]["is_plugin"]


def test_plugin_keeps_the_contract(run: Run) -> None:
    """The worked example passes every promise, and says so with status 0."""
    done = run("adapters", "check", "bureau", "--json")
    assert done.code == 0
    assert done.object["is_kept"] and len(done.object["promises"]) == 8


def test_record_goes_to_the_plugin_and_comes_back(run: Run, tmp_path: Path) -> None:
    """A published agency's record is rendered in the plug-in's schema, and the plug-in's record in a published one."""
    done = run("adapters", "map", _REQUEST.source, "--from", "procuratorate", "--to", "bureau", "--json")
    assert done.code == 0
    rendition = json.loads(base64.b64decode(done.object["rendition"]))
    assert (rendition["kind"], rendition["to"], done.object["mapping_version"]) == (
        "commission",
        "bureau",
        "bureau-1.0",
    )
    assert {line["action"] for line in done.object["report"]} >= {"carried", "withheld", "defaulted"}
    opinion = _SAMPLES / "assessment_opinion.json"
    back = run("adapters", "map", opinion, "--from", "bureau", "--to", "procuratorate", "--json")
    assert back.code == 0
    assert json.loads(base64.b64decode(back.object["rendition"]))["BBH"] == "2.0"


def test_kind_that_the_plugin_lacks_is_not_routed_to_it(run: Run) -> None:
    """A receiver whose schema has no such record gets none, and the sender learns it."""
    execution = next(s for s in READABLE if (s.sender, s.kind, s.receiver) == ("court", "EXECUTION", "justice"))
    done = run("adapters", "map", execution.source, "--from", "court", "--to", "bureau", "--json")
    assert done.code == 1
    assert [finding["code"] for finding in done.object["findings"]] == ["KIND_NOT_ROUTED"]


def test_plugin_stands_in_explain_and_matrix(run: Run) -> None:
    """Where a field goes is shown for the plug-in like for all others."""
    ways = run("adapters", "explain", "person.name", "--json").object["leaves"][0]["ways"]
    assert [way["places"][0]["path"] for way in ways if way["agency"] == "bureau"] == ["/people[]/name"]
    assert "bureau 1.0" in run("adapters", "matrix", "--json").object["schemas"]


def test_plugin_that_is_not_installed_is_checked_from_its_folder(tmp_path: Path) -> None:
    """Whoever writes an adapter checks it before packing it."""
    root = Path(__file__).parents[2]
    arguments = ("adapters", "check", "fasttrack_bureau.source:FORMAT", "--json")
    assert fasttrack(*arguments, environ={"PYTHONPATH": str(root)}, cwd=EXAMPLE).code == 0
    empty = tmp_path / "samples"
    empty.mkdir()
    broken = fasttrack(*arguments, "--samples", empty, environ={"PYTHONPATH": str(root)}, cwd=EXAMPLE)
    assert broken.code == 1 and not broken.object["is_kept"]
    assert fasttrack("adapters", "check", "nobody.source:FORMAT").code == 2
    assert fasttrack("adapters", "check", "nobody").code == 2


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("FORMAT = 1", "is no adapters.engine.format.Format"),
        ("from adapters.police.source import FORMAT", "there is a schema police 3.2 already"),
    ],
    ids=["raises", "no format", "taken"],
)
def test_plugin_that_cannot_be_used_is_named_and_harms_nobody(code: str, words: str, tmp_path: Path) -> None:
    """A broken plug-in is told by ``list``; the built-in adapters go on."""
    (tmp_path / "broken_plugin.py").write_text(code + "\n", encoding="utf-8")
    described = tmp_path / "broken_plugin-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1.0\n", encoding="utf-8")
    (described / "entry_points.txt").write_text("[fasttrack.adapters]\nodd = broken_plugin:FORMAT\n", encoding="utf-8")
    environ = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"}
    done = fasttrack("adapters", "list", "--json", environ=environ)
    assert done.code == 1
    assert len(done.object["adapters"]) == 4
    assert [(plugin["name"], words in plugin["problem"]) for plugin in done.object["broken"]] == [("odd", True)]
    assert fasttrack("adapters", "check", "odd", environ=environ).code == 2
    mapped = fasttrack(
        "adapters", "map", _REQUEST.source, "--from", "procuratorate", "--to", "justice", "--json", environ=environ
    )
    assert mapped.code == 0


def test_page_shows_the_example_as_it_is() -> None:
    """Every file of the example stands on the page word for word, so that what is copied from it works."""
    blocks = dict(re.findall(r"^`([\w./]+)`\n+```\w*\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
    files = {
        str(path.relative_to(EXAMPLE)): path.read_text("utf-8")
        for path in EXAMPLE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert blocks == files
