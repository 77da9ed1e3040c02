"""Which record kind may go from which agency to which; the one table that adapters and exchange both ask.

Source: agency interfaces, section 2.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class RecordKind(StrEnum):
    """What a record is; also the kind of the handoff that carries it."""

    TRANSFER = "TRANSFER"
    RETRANSFER = "RETRANSFER"
    INDICTMENT = "INDICTMENT"
    RETURN = "RETURN"
    NON_PROSECUTION = "NON_PROSECUTION"
    JUDGMENT = "JUDGMENT"
    EXECUTION = "EXECUTION"
    ASSESSMENT_REQUEST = "ASSESSMENT_REQUEST"
    ASSESSMENT_OPINION = "ASSESSMENT_OPINION"


ROUTES: Final[frozenset[tuple[str, str, str]]] = frozenset(
    {
        ("TRANSFER", "police", "procuratorate"),
        ("RETRANSFER", "police", "procuratorate"),
        ("INDICTMENT", "procuratorate", "court"),
        ("RETURN", "procuratorate", "police"),
        ("NON_PROSECUTION", "procuratorate", "police"),
        ("JUDGMENT", "court", "procuratorate"),
        ("JUDGMENT", "court", "police"),
        ("EXECUTION", "court", "justice"),
        ("EXECUTION", "court", "procuratorate"),
        ("EXECUTION", "court", "police"),
        ("ASSESSMENT_REQUEST", "police", "justice"),
        ("ASSESSMENT_REQUEST", "procuratorate", "justice"),
        ("ASSESSMENT_REQUEST", "court", "justice"),
        ("ASSESSMENT_OPINION", "justice", "police"),
        ("ASSESSMENT_OPINION", "justice", "procuratorate"),
        ("ASSESSMENT_OPINION", "justice", "court"),
    }
)
"""(kind, sending system, receiving system); systems are police, procuratorate, court, justice."""
