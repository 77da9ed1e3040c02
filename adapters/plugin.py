"""Adapters that others wrote: found by their entry points, without a change of this project.

A package declares ``[project.entry-points."fasttrack.adapters"]`` with ``name = "its_package.source:FORMAT"``. The code
of a plug-in runs with the rights of the gateway: install only what you would run.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.abc import Traversable
from importlib.metadata import EntryPoint, entry_points
from typing import Final, NamedTuple

from adapters.engine.adapter import Adapter
from adapters.engine.format import Format

GROUP: Final = "fasttrack.adapters"


class BrokenPlugin(NamedTuple):
    """A plug-in that cannot be used.

    Args:
        name: of its entry point.
        problem: why not.
    """

    name: str
    problem: str


def load_plugins(taken: Iterable[Format]) -> tuple[tuple[Format, ...], tuple[BrokenPlugin, ...]]:
    """Load what is installed.

    Args:
        taken: schemas that there are already; no plug-in may stand in for one of them.

    Returns:
        the schemas of the plug-ins in order of their entry points, and the plug-ins that cannot be used.
    """
    names = {made.name for made in taken}
    schemas: set[tuple[str, str]] = set()
    loaded: list[Format] = []
    broken: list[BrokenPlugin] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        made = _load(point)
        if isinstance(made, str):
            broken.append(BrokenPlugin(point.name, made))
        elif made.name in names or (made.name, made.schema_version) in schemas:
            broken.append(BrokenPlugin(point.name, f"there is a schema {made.name} {made.schema_version} already"))
        else:
            schemas.add((made.name, made.schema_version))
            loaded.append(made)
    return tuple(loaded), tuple(broken)


def load_format(target: str) -> Format:
    """Load the schema of a plug-in that need not be installed.

    Args:
        target: ``module:ATTRIBUTE``, as an entry point names it.

    Returns:
        the schema.

    Raises:
        ValueError: there is no such thing, or it cannot be used.
    """
    made = _load(EntryPoint(target, target, GROUP))
    if isinstance(made, Format):
        return made
    raise ValueError(made)


def load_samples(folder: Traversable) -> dict[str, tuple[bytes, ...]]:
    """Load the samples of an adapter.

    Args:
        folder: with files named by their record kind, ``assessment_request.json``, ``assessment_request.2.json``.

    Returns:
        the files by canonical record kind; none when there is no such folder.
    """
    found: dict[str, tuple[bytes, ...]] = {}
    for path in sorted(folder.iterdir(), key=lambda path: path.name) if folder.is_dir() else ():
        kind = path.name.partition(".")[0].upper()
        found[kind] = (*found.get(kind, ()), path.read_bytes())
    return found


def _load(point: EntryPoint) -> Format | str:
    # One plug-in that fails, however it fails, must not keep the gateway from serving everybody else.
    try:
        made = point.load()
        if not isinstance(made, Format):
            return f"{point.value} is no adapters.engine.format.Format"
        Adapter(made)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return made
