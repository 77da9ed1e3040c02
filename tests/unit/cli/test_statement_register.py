"""``fasttrack statement register``: a table of officers in, the body of a statement out."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.command import fasttrack_here

HEADER = "officer_no,level,post,status,obtained_on,valid_to\n"
UNIT = ("--unit", "110108000000", "--as-of", "2024-06-01")


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "officers.csv"
    file.write_text(HEADER + text, "utf-8")
    return file


def test_register_of_a_right_table_writes_a_body_that_its_form_accepts(tmp_path: Path) -> None:
    """What it writes can be checked and submitted as it is."""
    file = _file(tmp_path, "110001,MEDIUM,UNIT_HEAD,VALID,2022-01-01,2026-12-31\n")
    body = tmp_path / "qualification-register.v1.json"
    done = fasttrack_here("statement", "register", file, *UNIT, "--out", body)
    assert (done.code, done.output) == (0, "")
    assert "next: fasttrack statement submit" in done.errors
    assert json.loads(body.read_text("utf-8"))["officers"][0]["level"] == "MEDIUM"
    assert fasttrack_here("annex", "check", body).code == 0
    printed = json.loads(fasttrack_here("statement", "register", file, *UNIT).output)
    assert printed == json.loads(body.read_text("utf-8"))


def test_register_of_a_table_with_faults_tells_line_and_column_and_writes_nothing(tmp_path: Path) -> None:
    """Faults of cells and of the register are told in the words of the table."""
    out = tmp_path / "body.json"
    file = _file(tmp_path, "110001,MEDIUM,UNIT_HEAD,GONE,2022-01-01,2026-12-31\n")
    done = fasttrack_here("statement", "register", file, *UNIT, "--out", out, "--json")
    assert (done.code, done.object["body"], out.exists()) == (1, None, False)
    assert [(found["name"], found["path"]) for found in done.object["findings"]] == [
        ("FORM_FIELD_INVALID", "/2/status")
    ]
    row = "110001,BASIC,UNIT_HEAD,VALID,2022-01-01,2026-12-31\n"
    done = fasttrack_here("statement", "register", _file(tmp_path, "\n" + row * 2), *UNIT, "--json")
    assert done.code == 1
    assert [(found["name"], found["path"]) for found in done.object["findings"]] == [
        ("REGISTER_REPEATED", "/4/officer_no"),
        ("QUALIFICATION_MISMATCH", "/3/level"),
        ("QUALIFICATION_MISMATCH", "/4/level"),
    ]


def test_register_with_a_wrong_option_is_wrong_usage(tmp_path: Path) -> None:
    """Options are looked at before the table."""
    file = _file(tmp_path, "")
    assert fasttrack_here("statement", "register", file, *UNIT, "--encoding", "latin-1").code == 2
    assert fasttrack_here("statement", "register", file, "--unit", "1", "--as-of", "soon").code == 2
    assert fasttrack_here("statement", "register", tmp_path / "none.csv", *UNIT).code == 2
