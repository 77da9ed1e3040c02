"""A measured figure, and how it is written down."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Args:
        figure: its name.
        value: median of several runs.
        unit: of value and baseline.
        baseline: median of the baseline in the same run; None when there is none.
        ratio: value / baseline; None when there is no baseline.
    """

    figure: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None


def to_figure(name: str, values: Sequence[float], unit: str, baselines: Sequence[float] = ()) -> Figure:
    """Make a figure of the medians of several runs."""
    value = statistics.median(values)
    baseline = statistics.median(baselines) if baselines else None
    return Figure(
        name,
        round(value, 3),
        unit,
        round(baseline, 3) if baseline is not None else None,
        round(value / baseline, 3) if baseline else None,
    )


def machine_facts() -> dict[str, str | int]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory_gib": memory,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def write(figures: Sequence[Figure], stream: IO[str], path: Path) -> None:
    """Print a line for each figure and append all as JSON lines."""
    with path.open("a", encoding="utf-8") as file:
        for figure in figures:
            beside = "" if figure.ratio is None else f"  baseline {figure.baseline:,.3f}  ratio {figure.ratio:.3f}"
            print(f"{figure.figure:<28}{figure.value:>14,.3f} {figure.unit}{beside}", file=stream, flush=True)
            file.write(json.dumps(asdict(figure)) + "\n")
