"""What the judgement adds to a submit: reading the sample records and judging them, beside reading them alone."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.registry import Adapters
from gateway.app import quiet_collector
from gateway.core.judge.procedure import RuleProcedure
from gateway.core.judge.proceeding import make_dossier

_CHAIN = Path(__file__).parents[1] / "adapters/samples/01-dui-chain"
_SAMPLES = (
    ("transfer", _CHAIN / "1-transfer/from-police.transfer.xml", "police", "procuratorate"),
    ("indictment", _CHAIN / "4-indictment/from-procuratorate.indictment.json", "procuratorate", "court"),
)
_ROUNDS, _CALLS = 25, 40
_ADAPTERS, _PROCEDURE = Adapters(), RuleProcedure()
_NOW = datetime(2026, 11, 26, tzinfo=UTC)


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    for _ in range(_CALLS):
        work()
    return (time.process_time() - started) / _CALLS


def _measure(name: str, path: Path, sender: str, receiver: str) -> dict[str, Any]:
    data = path.read_bytes()

    def read() -> object:
        return _ADAPTERS.read(data, sender=sender, receiver=receiver)

    def read_and_judge() -> object:
        """Everything that a submit does more: the typed case, the judgement with its digest, the paths of findings."""
        reading = _ADAPTERS.read(data, sender=sender, receiver=receiver)
        if reading.case is None:
            raise ValueError("a record with errors would measure nothing")
        outcome = _PROCEDURE.judge(make_dossier(reading.case, _NOW))
        return [finding.to_finding(lambda field: _ADAPTERS.locate(reading, field)) for finding in outcome.findings]

    # Both take turns, processor time is measured, and the best turn of each counts: the machine may be busy.
    alone = judged = float("inf")
    for _ in range(_ROUNDS):
        gc.collect()
        alone, judged = min(alone, _seconds(read)), min(judged, _seconds(read_and_judge))
    return {
        "figure": f"rules_ms_per_submit_{name}",
        "value": round((judged - alone) * 1e3, 3),
        "unit": "ms of processor more than reading",
        "baseline": round(alone * 1e3, 3),
        "ratio": round((judged - alone) / alone, 3),
    }


def run() -> list[dict[str, Any]]:
    """Measure what the rules add on the sample transfer and indictment; the goal is 0.5 ms.

    Returns:
        an object for each record, and ``rules_ms_per_submit``, the slower of them:
        {figure, value, unit, baseline, ratio}.
    """
    before = gc.get_threshold()
    # As the process that serves has it.
    quiet_collector()
    try:
        found = [_measure(*sample) for sample in _SAMPLES]
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
    slower = max(found, key=lambda figure: figure["value"])
    return [*found, {**slower, "figure": "rules_ms_per_submit"}]


if __name__ == "__main__":
    for line in run():
        print(line)
