"""The page of the state machine says what the tables say."""

from __future__ import annotations

from pathlib import Path

import gateway.core
from gateway.core.procedure.act_table import load_acts
from gateway.core.procedure.lifecycle import Stage
from gateway.core.procedure.state_page import MARK_BEGIN, MARK_END, to_markdown

PAGE = Path(gateway.core.__file__).with_name("STATE_MACHINE.md")


def test_page_has_the_part_that_the_command_writes() -> None:
    """``python -m tests.support.state_page`` was run after the last change of the data."""
    text = PAGE.read_text("utf-8")
    assert text[text.index(MARK_BEGIN) :] == to_markdown()
    assert text.endswith(MARK_END + "\n")


def test_page_has_every_stage_and_every_act() -> None:
    """Nothing that can happen is missing from the page."""
    text = to_markdown()
    assert all(f" {stage.value} : {stage.value} {stage.name}" in text for stage in Stage)
    assert all(f"| `{act}`: " in text for act in load_acts())


def test_picture_leads_to_every_stage_but_the_first_and_the_last() -> None:
    """A stage without an arrow to it could never be reached; a case is destroyed by an operator, from any stage."""
    reached = {line.split()[2] for line in to_markdown().splitlines() if " --> " in line}
    assert {stage.value for stage in Stage} - reached == {"P1", "X"}
