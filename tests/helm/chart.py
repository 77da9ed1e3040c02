"""The chart as the tests see it: rendered with valid values, and changed one value at a time."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any, Final

import helm_python
import yaml

CHART: Final = Path(__file__).resolve().parents[2] / "helm" / "fasttrack-gateway"
REQUIRED: Final[dict[str, Any]] = {"origin": "fasttrack.example/test"}

Document = dict[str, Any]


def values(**changes: Any) -> dict[str, Any]:
    """Give the fewest valid values, with changes by dotted path written with double underscores."""
    result = copy.deepcopy(REQUIRED)
    for path, value in changes.items():
        *parents, name = path.split("__")
        target = result
        for parent in parents:
            target = target.setdefault(parent, {})
        target[name] = value
    return result


def render(**changes: Any) -> list[Document]:
    """Render every template and return the Kubernetes objects in it."""
    with helm_python.Chart.load(CHART) as chart:
        rendered = chart.render(values(**changes), name="test", namespace="justice")
    return [
        document
        for name, text in sorted(rendered.items())
        if name.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]


@cache
def default_documents() -> tuple[Document, ...]:
    """Render once with the fewest values."""
    return tuple(render())


def one(documents: tuple[Document, ...] | list[Document], kind: str, name: str) -> Document:
    """Find the one object of a kind and a name."""
    [found] = [item for item in documents if item["kind"] == kind and item["metadata"]["name"] == name]
    return found


def pod_specs(documents: tuple[Document, ...] | list[Document]) -> list[Document]:
    """Find the pod of everything that starts one."""
    return [item["spec"]["template"]["spec"] for item in documents if item["kind"] in {"Deployment", "Job"}]
