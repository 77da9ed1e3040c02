"""The page of the forms says what schemas, rows and checks say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import gateway.core.form
import gateway.core.rules
from gateway.core.form.page import MARK_BEGIN, MARK_END, to_markdown
from gateway.core.form.setting import FormSettings
from gateway.core.form.table import CHECKS
from tests.support.form_scene import book

PAGE = Path(gateway.core.form.__file__).with_name("README.md")
RULES = Path(gateway.core.rules.__file__).with_name("README.md")


def test_page_has_the_part_that_the_command_writes() -> None:
    """``fasttrack annex list --markdown`` was run after the last change of the data."""
    text = PAGE.read_text("utf-8")
    assert text[text.index(MARK_BEGIN) :] == to_markdown(book())
    assert text.endswith(MARK_END + "\n")


def test_page_has_every_form_and_every_check() -> None:
    """Nothing that can be found is undocumented."""
    text = to_markdown(book())
    for key in book().forms:
        assert f"`{key.name}` version {key.version}:" in text
    for check in CHECKS:
        assert f"| {int(check.code)} `{check.code.name}` |" in text


def test_page_of_the_rules_explains_every_act_that_a_check_cites() -> None:
    """A short form of an act that nobody can look up proves nothing."""
    text = RULES.read_text("utf-8")
    for row in book().rules.rows:
        assert f"| {row.rule.basis} |" in text, row.rule.basis


def test_page_names_every_setting_with_its_default() -> None:
    """An operator finds what can be chosen, and what counts when nothing is."""
    rows = [line.split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    documented = {
        name.strip("| `"): default.strip()
        for row in rows
        for name, default in zip(row[0].split(", "), row[1].split(", "), strict=False)
    }
    for field in fields(FormSettings):
        value = getattr(book().rules.settings, field.name)
        shown = value if not isinstance(value, Mapping) else ", ".join(f"{k}: {v}" for k, v in value.items()) or "none"
        assert documented[field.name] == str(shown)
