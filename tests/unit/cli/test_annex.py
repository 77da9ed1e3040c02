"""``fasttrack annex``: what forms there are, and whether a file is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.core.form.catalog import published_forms
from gateway.core.form.definition import FormKind
from tests.support.command import fasttrack_here
from tests.support.form_scene import changed_example

SAMPLE = Path(__file__).parents[2] / "adapters" / "samples" / "01-dui-chain"


def _write(tmp_path: Path, name: str, changes: dict[str, Any] | None = None) -> Path:
    file = tmp_path / f"{name}.v1.json"
    file.write_text(json.dumps(changed_example(FormKind.ANNEX, name, changes), ensure_ascii=False), "utf-8")
    return file


def test_list_names_every_published_form() -> None:
    """A client chooses from the list; programs get media types, readers and checks."""
    answer = json.loads(fasttrack_here("annex", "list", "--json").output)
    assert [(form["kind"], form["name"], form["version"]) for form in answer["forms"]] == [
        form.key for form in published_forms()
    ]
    assert all(form["checks"] and form["readers"] for form in answer["forms"])
    assert "recorder-manifest.v1" in fasttrack_here("annex", "list").output


def test_show_when_asked_for_schema_or_example_prints_the_published_file() -> None:
    """What is printed can be given to any validator."""
    form = published_forms()[0]
    assert json.loads(fasttrack_here("annex", "show", form.key.name, "--schema").output) == form.schema
    example = fasttrack_here("annex", "show", f"{form.key.name}.v1", "--example")
    assert (json.loads(example.output), example.code) == (changed_example(form.key.kind, form.key.name), 0)


def test_show_without_options_tells_fields_and_checks() -> None:
    """A person reads what each field means and what is checked."""
    shown = json.loads(fasttrack_here("annex", "show", "reception", "--json").output)
    assert {field["path"]: field["is_required"] for field in shown["fields"]}["receipt.delivery"]
    assert "REPORTER_NOT_MASKED" in fasttrack_here("annex", "show", "reception").output


@pytest.mark.parametrize("arguments", [("no-such-form",), ("reception.v9",), ("reception", "--schema", "--example")])
def test_show_of_an_unknown_form_or_two_things_at_once_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    """A typing error is told before anything else."""
    assert fasttrack_here("annex", "show", *arguments).code == 2


def test_check_of_a_right_file_says_so_and_guesses_its_form(tmp_path: Path) -> None:
    """A file with any name is recognised by its fields."""
    file = _write(tmp_path, "reception").rename(tmp_path / "anything.json")
    done = fasttrack_here("annex", "check", file, "--json")
    assert done.code == 0
    assert json.loads(done.output) == {
        "forms": [{"file": str(file), "form": "annex/reception.v1"}],
        "rules": "forms/2026.1",
        "is_acceptable": True,
        "findings": [],
    }


def test_check_of_a_file_that_refuses_tells_all_findings_with_status_1(tmp_path: Path) -> None:
    """Errors and warnings come at once, with code, place and article."""
    file = _write(tmp_path, "reception", {"/reporter/name": "张三", "/receipt/issued_at": "2024-06-02T10:00:00+08:00"})
    done = fasttrack_here("annex", "check", file, "--json")
    assert done.code == 1
    findings = json.loads(done.output)["findings"]
    assert {(found["name"], found["path"], found["severity"]) for found in findings} == {
        ("REPORTER_NOT_MASKED", "/reporter/name", "error"),
        ("RECEIPT_NOT_ON_THE_SPOT", "/receipt/issued_at", "warning"),
    }
    assert "张三" not in done.output
    assert "next:" in done.errors
    assert "REPORTER_NOT_MASKED 2447 /reporter/name" in fasttrack_here("annex", "check", file).output


def test_check_of_several_files_looks_at_them_as_one_bundle(tmp_path: Path) -> None:
    """A log that names a recording is compared with the manifest beside it; paths begin with the file."""
    log = _write(tmp_path, "case-centre-log", {"/visits/0/interrogations/0/recording_ids": ["REC-9"]})
    done = fasttrack_here("annex", "check", log, _write(tmp_path, "recorder-manifest"), "--json")
    found = {(finding["name"], finding["path"]) for finding in json.loads(done.output)["findings"]}
    assert found == {("RECORDING_UNKNOWN", f"{log.name}#/visits/0/interrogations/0/recording_ids/0")}
    assert done.code == 0


def test_check_with_a_record_compares_with_it(tmp_path: Path) -> None:
    """The police record of the sample names no such person."""
    record = next(SAMPLE.glob("1-transfer/from-police*"))
    log = _write(tmp_path, "case-centre-log", {"/visits/0/person": "R9"})
    done = fasttrack_here("annex", "check", log, "--record", record, "--from", "police", "--json")
    found = {(finding["name"], finding["path"]) for finding in json.loads(done.output)["findings"]}
    assert ("PERSON_NOT_IN_RECORD", "/visits/0/person") in found
    assert done.code == 1
    assert fasttrack_here("annex", "check", log, "--record", record).code == 2


def test_check_with_other_settings_judges_by_them(tmp_path: Path) -> None:
    """An operator tries a profile before using it; a bad one is named."""
    file = _write(tmp_path, "recorder-manifest", {"/recordings/0/platform_offset_seconds": 90})
    settings = tmp_path / "settings.yaml"
    settings.write_text("severity: {CLOCK_DRIFT: error}\n", "utf-8")
    assert fasttrack_here("annex", "check", file).code == 0
    assert fasttrack_here("annex", "check", file, "--settings", settings).code == 1
    settings.write_text("clock_drift_secs: 5\n", "utf-8")
    assert fasttrack_here("annex", "check", file, "--settings", settings).code == 2


def test_check_of_a_file_that_is_no_form_asks_for_its_name(tmp_path: Path) -> None:
    """Nothing is guessed from nothing; a named form says what is wrong."""
    file = tmp_path / "x.json"
    file.write_text("[", "utf-8")
    assert fasttrack_here("annex", "check", file).code == 2
    assert fasttrack_here("annex", "check", file, "--form", "reception").code == 1
    assert fasttrack_here("annex", "check", tmp_path / "none.json").code == 2
    assert fasttrack_here("annex", "check", file, "--on", "yesterday").code == 2
