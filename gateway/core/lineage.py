"""Digest of a mapping report, so that a ledger entry can commit to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Protocol


class Line(Protocol):
    """A line of a report as far as it is compared; the note is free text and does not count."""

    @property
    def action(self) -> str:
        """carried, normalised, defaulted, unmapped, dropped or withheld."""

    @property
    def source(self) -> str:
        """Path in the sender's file, "" for none."""

    @property
    def target(self) -> str:
        """Path in the rendition, "" for none."""


def to_report_bytes(lines: Iterable[Line]) -> bytes:
    """Write a report as it is digested.

    Args:
        lines: the report, in its order.

    Returns:
        UTF-8 JSON list of [action, source, target], without white space.
    """
    rows = [(line.action, line.source, line.target) for line in lines]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()


def report_sha256(lines: Iterable[Line]) -> str:
    """Digest a report.

    Args:
        lines: the report, in its order.

    Returns:
        64 hexadecimal digits: SHA-256 of what ``to_report_bytes`` writes.
    """
    return sha256(to_report_bytes(lines)).hexdigest()
