"""How many records a second one process reads and maps, beside what lxml alone does with the same file."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree

from adapters.registry import Adapters

_SAMPLE = Path(__file__).parents[1] / "adapters/samples/01-dui-chain/1-transfer/from-police.transfer.xml"
_ROUNDS, _CALLS = 15, 60


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(_CALLS):
        work()
    return (time.perf_counter() - started) / _CALLS


def _side_by_side(works: list[Callable[[], object]]) -> list[float]:
    """Calls a second of each; all take turns, and the best turn counts, because the machine may be busy."""
    best = [float("inf")] * len(works)
    for _ in range(_ROUNDS):
        gc.collect()
        best = [min(known, _seconds(work)) for known, work in zip(best, works, strict=True)]
    return [1 / seconds for seconds in best]


def run() -> list[dict[str, Any]]:
    """Measure reading and mapping of a police TRANSFER for the procuratorate.

    Returns:
        one object for each figure: {figure, value, unit, baseline, ratio}.
    """
    data = _SAMPLE.read_bytes()
    adapters = Adapters()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)

    def parse_and_serialise() -> bytes:
        return etree.tostring(etree.fromstring(data, parser), encoding="GB18030", xml_declaration=True)

    figures: list[tuple[str, Callable[[], object]]] = [
        ("read_per_second", lambda: adapters.read(data, sender="police", receiver="procuratorate")),
        ("map_per_second", lambda: adapters.map(data, sender="police", receiver="procuratorate")),
        ("map_and_report_per_second", lambda: adapters.map(data, sender="police", receiver="procuratorate")[1].report),
    ]
    baseline, *values = _side_by_side([parse_and_serialise, *(work for _, work in figures)])
    return [
        {
            "figure": figure,
            "value": round(value, 1),
            "unit": "records/s",
            "baseline": round(baseline, 1),
            "ratio": round(value / baseline, 3),
        }
        for (figure, _), value in zip(figures, values, strict=True)
    ]


if __name__ == "__main__":
    for line in run():
        print(line)
