"""``fasttrack scheduler --once``: what its exit status says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gateway import app_scheduler
from tests.support.command import fasttrack_here


@pytest.mark.parametrize(("failed", "code"), [(0, 0), (2, 1)])
def test_scheduler_once_when_cases_fail_ends_with_one(failed: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer that runs it hears of cases whose limits nobody has counted."""

    async def run(_settings: Any, _stop: Any, ready: Callable[[Mapping[str, Any]], Any], **_: Any) -> None:
        ready({"cases": 5, "raised": 1, "failed": failed, "counting": "x"})

    monkeypatch.setattr(app_scheduler, "run_scheduler_process", run)
    environ = {"FASTTRACK_DATABASE_URL": "postgresql://u@h/d", "FASTTRACK_ORIGIN": "gateway.example/fasttrack"}
    done = fasttrack_here("scheduler", "--once", "--json", environ=environ)
    assert done.code == code
    assert ("fasttrack fsck" in done.errors) is (failed > 0)
