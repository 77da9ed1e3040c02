"""A dossier: all that a judgement of the procedure may look at, so that it can be judged again and come out the same.

Source: domain model, section 1.3 (evaluated at four points).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from gateway.core.annex import Annex
from gateway.core.case.case import Case, Document, Recording


class Point(StrEnum):
    """Where a case is judged."""

    TRANSFER = "transfer"
    INDICTMENT = "indictment"
    COURT_ACCEPTANCE = "court_acceptance"
    HEARING = "hearing"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What an earlier bundle of the case brought and the manifest names as unchanged.

    Args:
        path: in the manifest, ``/unchanged/2``.
        document: as the newest earlier record has it; None for a recording.
        recording: the same; None for a document.
    """

    path: str
    document: Document | None = None
    recording: Recording | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """What is judged.

    Args:
        point: where the case stands.
        on: day of the proceeding in China, by which ages and validities are judged.
        case: the record as read.
        annexes: of the bundle, those that could be read.
        carried: unchanged documents and recordings that the record itself does not name, in the manifest's order.
        overrides: findings that the sender has overridden in this case (``to_override``), in the ledger's order; none
            when nothing was found that may be overridden.
        reviews: legal reviews that the sender stated of the case before (``to_review``), in the ledger's order.
        register: rows of the officers' register in force at the sender, by officer number; empty when none was stated.
    """

    point: Point
    on: date
    case: Case
    annexes: tuple[Annex, ...] = ()
    carried: tuple[Carried, ...] = ()
    overrides: tuple[Mapping[str, Any], ...] = ()
    reviews: tuple[Mapping[str, Any], ...] = ()
    register: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
