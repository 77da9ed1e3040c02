"""The samples: a source file, its receiver, and the outcome that is expected of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Sample:
    """One mapping of the samples."""

    folder: Path
    source: Path
    sender: str
    receiver: str

    @property
    def name(self) -> str:
        """Its folder and receiver, as pytest shows it."""
        return f"{self.folder.relative_to(SAMPLES)} to {self.receiver}"

    @property
    def kind(self) -> str:
        """Canonical record kind."""
        return self.source.name.split(".")[1].upper()

    def rendition(self) -> bytes | None:
        """The expected bytes, None when there must be none."""
        found = [path for path in self.folder.glob(f"to-{self.receiver}.*") if path.name.count(".") == 1]
        return found[0].read_bytes() if found else None

    def lines(self, what: str, fields: tuple[str, ...]) -> list[tuple[Any, ...]]:
        """The expected report or findings, without notes and messages."""
        items = json.loads((self.folder / f"to-{self.receiver}.{what}.json").read_text("utf-8"))
        return [tuple(item[name] for name in fields) for item in items]


def load_samples() -> list[Sample]:
    """All samples, in order."""
    found = []
    for expected in sorted(SAMPLES.rglob("to-*.findings.json")):
        source = next(expected.parent.glob("from-*"))
        sender = source.name.removeprefix("from-").split(".")[0]
        found.append(Sample(expected.parent, source, sender, expected.name.removeprefix("to-").split(".")[0]))
    return found


ALL = load_samples()
READABLE = [sample for sample in ALL if sample.rendition() is not None]
