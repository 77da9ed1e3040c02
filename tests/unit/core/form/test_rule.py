"""Rows of the checks and the settings that an operator may choose."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.errors import ErrorCode, Severity
from gateway.core.form.book import load_form_book
from gateway.core.form.definition import FormKind
from gateway.core.rule import RuleFileError
from tests.support.form_scene import to_annex, to_scene


def test_settings_when_an_operator_tolerates_more_let_it_pass() -> None:
    """Tolerances are data: nobody has to change code for another province."""
    annex = to_annex(FormKind.ANNEX, "recorder-manifest", {"/recordings/0/platform_offset_seconds": 90})
    strict, lax = load_form_book(), load_form_book({"clock_drift_seconds": 90})
    [finding] = strict.check([annex], to_scene([annex], settings=strict.rules.settings))
    assert finding.code is ErrorCode.CLOCK_DRIFT
    assert lax.check([annex], to_scene([annex], settings=lax.rules.settings)) == []


def test_settings_when_a_severity_is_chosen_refuse_what_was_a_warning() -> None:
    """Whether an unqualified officer refuses a transfer is the profile's choice."""
    chosen = load_form_book({"severity": {"CLOCK_DRIFT": "error"}})
    annex = to_annex(FormKind.ANNEX, "recorder-manifest", {"/recordings/0/platform_offset_seconds": 90})
    [finding] = chosen.check([annex], to_scene([annex], settings=chosen.rules.settings))
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(
    "settings",
    [
        {"clock_drift_seconds": -1},
        {"clock_drift_seconds": True},
        {"clock_drift_second": 5},
        {"recording_required": "sometimes"},
        {"recorded_documents": {"D17": 5}},
        {"severity": {"CLOCK_DRIFT": "fatal"}},
        {"severity": {"RECORDING_DIGEST_MISMATCH": "warning"}},
        {"severity": {"NO_SUCH_CODE": "warning"}},
    ],
    ids=str,
)
def test_settings_when_unknown_or_of_another_form_are_refused(settings: dict[str, Any]) -> None:
    """A setting that is misunderstood would change who is refused; what the law asks for cannot be chosen away."""
    with pytest.raises(RuleFileError):
        load_form_book(settings)
