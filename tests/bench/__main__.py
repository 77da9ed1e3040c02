"""Run the benchmarks: ``python -m tests.bench [NAME ...]``; names are the endings of ``bench_*.py``.

Prints one line per figure and writes ``build/bench.jsonl``: machine facts first, then {figure, value, unit, baseline,
ratio}.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from tests.bench import (
    bench_clocks,
    bench_fsck,
    bench_growth,
    bench_ledger,
    bench_map,
    bench_proof,
    bench_rules,
    bench_sealed,
    bench_submit,
    bench_watch,
)
from tests.bench.figure import Figure, machine_facts, write
from tests.bench.rig import Rig, make_database, open_rig

OUTPUT = Path("build/bench.jsonl")


async def _map(_: Rig) -> list[Figure]:
    return [Figure(**figure) for figure in bench_map.run()]


async def _clocks(_: Rig) -> list[Figure]:
    return [Figure(**figure) for figure in bench_clocks.run()]


async def _rules(_: Rig) -> list[Figure]:
    return [Figure(**figure) for figure in bench_rules.run()]


async def _ledger(rig: Rig) -> list[Figure]:
    database = await make_database(rig, "ledger")
    return [Figure(**figure) for figure in await bench_ledger.run(rig.postgres.dsn(database))]


async def _fsck(rig: Rig) -> list[Figure]:
    database = await make_database(rig, "fsck")
    return await bench_fsck.run(rig.postgres.dsn(database))


BENCHES: dict[str, Callable[[Rig], Awaitable[list[Figure]]]] = {
    "map": _map,
    "clocks": _clocks,
    "rules": _rules,
    "ledger": _ledger,
    "submit": bench_submit.run,
    "watch": bench_watch.run,
    "sealed": bench_sealed.run,
    "fsck": _fsck,
    "proof": bench_proof.run,
    "growth": bench_growth.run,
}


async def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    OUTPUT.parent.mkdir(exist_ok=True)
    facts = machine_facts()
    OUTPUT.write_text(json.dumps(facts) + "\n", encoding="utf-8")
    print("  ".join(f"{name}: {value}" for name, value in facts.items()), flush=True)
    with open_rig() as rig:
        for name in names or BENCHES:
            print(f"... {name}", file=sys.stderr, flush=True)
            write(await BENCHES[name](rig), sys.stdout, OUTPUT)


if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - BENCHES.keys()
    if unknown:
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    uvloop.run(main(sys.argv[1:]))
