"""The types of leaves that all agencies spell alike; each agency's mapping adds its own and those that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.engine import value_identity, value_text
from adapters.engine.field import ConstantField, scalar
from adapters.engine.field_code import code

if TYPE_CHECKING:
    from adapters.engine.plan import FieldFactory

COMMON: Final[dict[str, FieldFactory]] = {
    "constant": ConstantField,
    "text": scalar(value_text.TEXT),
    "key": scalar(value_identity.KEY),
    "idtext": scalar(value_identity.IDTEXT),
    "division": scalar(value_identity.DIVISION),
    "cid": scalar(value_identity.CITIZEN),
    "uscc": scalar(value_identity.USCC),
    "policeno": scalar(value_text.POLICENO),
    "docno": scalar(value_text.DOCNO),
    "courtno": scalar(value_text.COURTNO),
    "bmsah": scalar(value_text.BMSAH),
    "sha256": scalar(value_identity.SHA256),
    "code": code,
    "code, open": code,
    "reference to person": scalar(value_text.REFERENCE),
    "reference to document": scalar(value_text.REFERENCE),
}
"""Factories by the type column of a field table."""
