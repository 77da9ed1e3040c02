"""How the bureau spells its leaves: the type column of the field table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.engine import value_date
from adapters.engine.field import scalar
from adapters.engine.type_table import COMMON

if TYPE_CHECKING:
    from adapters.engine.plan import FieldFactory

FACTORIES: Final[dict[str, FieldFactory]] = {
    **COMMON,
    "date": scalar(value_date.ISO_DATE),
    "dt": scalar(value_date.COURT_INSTANT),
}
