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
_ROUNDS, _CALLS = 9, 150


def _per_second(work: Callable[[], object]) -> float:
    """The best of several rounds: the machine may be busy, the work is the same each time."""
    best = float("inf")
    for _ in range(_ROUNDS):
        gc.collect()
        started = time.perf_counter()
        for _ in range(_CALLS):
            work()
        best = min(best, time.perf_counter() - started)
    return _CALLS / best


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

    baseline = _per_second(parse_and_serialise)
    figures: list[tuple[str, Callable[[], object]]] = [
        ("read_per_second", lambda: adapters.read(data, sender="police", receiver="procuratorate")),
        ("map_per_second", lambda: adapters.map(data, sender="police", receiver="procuratorate")),
        ("map_and_report_per_second", lambda: adapters.map(data, sender="police", receiver="procuratorate")[1].report),
    ]
    results = []
    for figure, work in figures:
        value = _per_second(work)
        results.append(
            {
                "figure": figure,
                "value": round(value, 1),
                "unit": "records/s",
                "baseline": round(baseline, 1),
                "ratio": round(value / baseline, 3),
            }
        )
    return results


if __name__ == "__main__":
    for line in run():
        print(line)
