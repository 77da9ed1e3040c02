"""How many records a second one process reads and maps, beside what lxml or json alone does with the same file.

``map_growth`` is the time for each suspect of a case with 500 of them over that of a case with 50: 1 is linear.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from lxml import etree

from adapters.registry import Adapters
from gateway.app import quiet_collector
from gateway.core.manifest import MAX_RECORD_BYTES
from tests.bench.map_case import police_transfer, procuratorate_indictment

_ROUNDS, _CALLS = 15, 40
_SUSPECTS, _FEW, _MANY = 3, 50, 500
_ADAPTERS = Adapters(most_bytes=MAX_RECORD_BYTES)
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def _seconds(work: Callable[[], object], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - started) / calls


def _side_by_side(works: Sequence[Callable[[], object]], rounds: int = _ROUNDS, calls: int = _CALLS) -> list[float]:
    """Seconds a call of each; all take turns, and the best turn counts, because the machine may be busy."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        gc.collect()
        best = [min(known, _seconds(work, calls)) for known, work in zip(best, works, strict=True)]
    return best


def _map(data: bytes, sender: str, receiver: str) -> Callable[[], object]:
    reading, _ = _ADAPTERS.map(data, sender=sender, receiver=receiver)
    if reading.has_errors:
        raise ValueError("a record with errors would measure nothing")
    return lambda: _ADAPTERS.map(data, sender=sender, receiver=receiver)


def _figures(names: Sequence[str], values: Sequence[float], baseline: float) -> list[dict[str, Any]]:
    return [
        {
            "figure": name,
            "value": round(1 / value, 1),
            "unit": "records/s",
            "baseline": round(1 / baseline, 1),
            "ratio": round(baseline / value, 3),
        }
        for name, value in zip(names, values, strict=True)
    ]


def _police() -> list[dict[str, Any]]:
    data = police_transfer(_SUSPECTS)

    def parse_and_serialise() -> bytes:
        return etree.tostring(etree.fromstring(data, _PARSER), encoding="GB18030", xml_declaration=True)

    works: list[Callable[[], object]] = [
        lambda: _ADAPTERS.read(data, sender="police", receiver="procuratorate"),
        _map(data, "police", "procuratorate"),
        lambda: _ADAPTERS.map(data, sender="police", receiver="procuratorate")[1].report,
    ]
    baseline, *values = _side_by_side([parse_and_serialise, *works])
    return _figures(("read_per_second", "map_per_second", "map_and_report_per_second"), values, baseline)


def _procuratorate() -> list[dict[str, Any]]:
    data = procuratorate_indictment(_SUSPECTS)

    def load_and_dump() -> bytes:
        return json.dumps(json.loads(data), ensure_ascii=False).encode()

    baseline, value = _side_by_side([load_and_dump, _map(data, "procuratorate", "court")])
    return _figures(("map_per_second_to_court",), [value], baseline)


def _growth() -> list[dict[str, Any]]:
    found = []
    for name, make, sender, receiver in (
        ("map_growth", police_transfer, "police", "procuratorate"),
        ("map_growth_to_court", procuratorate_indictment, "procuratorate", "court"),
    ):
        works = [_map(make(persons), sender, receiver) for persons in (_FEW, _MANY)]
        few, many = _side_by_side(works, rounds=5, calls=1)
        each_few, each_many = few / _FEW * 1e6, many / _MANY * 1e6
        found.append(
            {
                "figure": name,
                "value": round(each_many, 1),
                "unit": f"microseconds for each of {_MANY} suspects",
                "baseline": round(each_few, 1),
                "ratio": round(each_many / each_few, 3),
            }
        )
    return found


def run() -> list[dict[str, Any]]:
    """Measure mapping from police to procuratorate and from procuratorate to court.

    Returns:
        one object for each figure: {figure, value, unit, baseline, ratio}.
    """
    before = gc.get_threshold()
    # As the process that serves has it.
    quiet_collector()
    try:
        return [*_police(), *_procuratorate(), *_growth()]
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


if __name__ == "__main__":
    for line in run():
        print(line)
