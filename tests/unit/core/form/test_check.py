"""Every check of every form: the example passes, one small change of it fails with exactly that code and path."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.errors import ErrorCode
from gateway.core.form.book import load_form_book
from gateway.core.form.catalog import load_example
from gateway.core.form.definition import Form
from gateway.core.form.table import CHECKS
from tests.support.form_fault import Fault
from tests.support.form_fault_case import FAULTS as CASE
from tests.support.form_fault_police import FAULTS as POLICE
from tests.support.form_fault_statement import FAULTS as STATEMENT
from tests.support.form_scene import (
    MATERIALS,
    agreeing_case,
    book,
    bundle_annexes,
    register,
    to_annex,
    to_scene,
)

FAULTS = (*POLICE, *CASE, *STATEMENT)


def _find(fault: Fault) -> list[tuple[str, str]]:
    chosen = load_form_book(dict(fault.settings))
    if not fault.within:
        annex = to_annex(fault.kind, fault.form, fault.change)
        scene = to_scene([annex], settings=chosen.rules.settings)
        return [(finding.code.name, finding.path) for finding in chosen.check([annex], scene)]
    annexes = bundle_annexes({**fault.beside, fault.form: fault.change}, without=fault.without)
    rows = register()
    for number, fields in (fault.register or {}).items():
        rows[number] = {**rows[number], **fields}
    scene = to_scene(
        annexes,
        settings=chosen.rules.settings,
        case=replace(agreeing_case(), **fault.case),
        materials=MATERIALS,
        register=rows,
    )
    return [(finding.code.name, finding.path) for finding in chosen.check(annexes, scene)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_check_of_changed_example_finds_exactly_that_fault(fault: Fault) -> None:
    """One fault is told once, with its own code, at the field that is wrong."""
    prefix = f"/materials/{fault.form}#" if fault.within else ""
    assert _find(fault) == [(fault.code, prefix + fault.path)]


@pytest.mark.parametrize("form", book().forms.values(), ids=lambda form: f"{form.key.kind}-{form.key.name}")
def test_example_when_looked_at_alone_has_no_findings(form: Form) -> None:
    """Who copies the example starts from something that is right."""
    annex, findings = book().parse(form, load_example(form))
    assert findings == []
    assert annex is not None
    assert book().check([annex], to_scene([annex])) == []


def test_examples_when_together_with_an_agreeing_record_have_no_findings() -> None:
    """The examples are one bundle: they contradict neither each other nor the record."""
    annexes = bundle_annexes()
    scene = to_scene(annexes, case=agreeing_case(), materials=MATERIALS, register=register())
    assert book().check(annexes, scene) == []


def test_check_when_it_exists_has_a_row_and_a_fault_in_the_table() -> None:
    """A check without its rule says nothing, and one without its test proves nothing."""
    codes = {check.code for check in CHECKS}
    assert codes == {row.code for row in book().rules.rows}
    assert {code.name for code in codes} == {fault.code for fault in FAULTS}
    general = {code for code in ErrorCode if code.name.startswith("FORM_")}
    assert codes | general == {code for code in ErrorCode if code // 100 in (24, 28)}


def test_check_when_it_names_a_form_names_one_that_is_published() -> None:
    """A misspelt form would never be looked at."""
    names = {key.name for key in book().forms}
    assert [check for check in CHECKS if not set(check.forms) <= names] == []
