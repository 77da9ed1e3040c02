"""How the bureau spells its leaves: the type column of the field table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.engine import value_date, value_identity, value_text
from adapters.engine.field import ConstantField, scalar
from adapters.engine.field_code import code

if TYPE_CHECKING:
    from adapters.engine.plan import FieldFactory

FACTORIES: Final[dict[str, FieldFactory]] = {
    "constant": ConstantField,
    "text": scalar(value_text.TEXT),
    "key": scalar(value_identity.KEY),
    "policeno": scalar(value_text.POLICENO),
    "date": scalar(value_date.ISO_DATE),
    "dt": scalar(value_date.COURT_INSTANT),
    "code": code,
}
