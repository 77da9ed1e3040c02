"""The quick yes: whether data is what a schema asks for, without saying why not.

Nearly all annexes are right, and a general validator takes milliseconds to say so. A schema of ours uses a dozen
keywords; compiled to plain functions they take a tenth. Only a yes of these functions counts: what they do not accept,
``schema`` judges and tells. A keyword that is not known here is refused when the schema is compiled, never passed over.

Source: JSON Schema draft 2020-12, validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Final

Accept = Callable[[Any], bool]

_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2199

_KNOWN: Final = frozenset(
    "type properties required additionalProperties minProperties items minItems maxItems uniqueItems enum pattern "
    "minLength maxLength format minimum maximum".split()
)


@cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of a schema; ``$`` at its end never lets a line feed pass."""
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)


def is_of_format(kind: str, text: str) -> bool:
    """Whether a day or instant exists, in a year that can be counted with.

    Args:
        kind: ``date``, or anything else for an instant, or a day in its place.
        text: that has the right pattern.
    """
    try:
        value = (date if kind == "date" else datetime).fromisoformat(text)
    except ValueError:
        return False
    # At the ends of the calendar an offset or a limit of some months would overflow.
    return _FIRST_YEAR <= value.year <= _LAST_YEAR


def compile_accept(schema: Mapping[str, Any]) -> Accept:
    """Compile a schema without references.

    Args:
        schema: with the keywords that our forms use.

    Returns:
        a function that is true only for data that the schema allows.

    Raises:
        ValueError: it has a keyword that is not known here.
    """
    unknown = schema.keys() - _KNOWN
    if unknown:
        raise ValueError(f"keywords without a quick form: {', '.join(sorted(unknown))}")
    if "enum" in schema:
        allowed = frozenset(schema["enum"])
        return lambda value: type(value) is str and value in allowed
    return _BY_TYPE[schema["type"]](schema)


def _object(schema: Mapping[str, Any]) -> Accept:
    fields = {name: compile_accept(inner) for name, inner in schema["properties"].items()}
    required, least = frozenset(schema["required"]), schema.get("minProperties", 0)

    def accept(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys() or len(value) < least:
            return False
        for name, inner in value.items():
            field = fields.get(name)
            if field is None or not field(inner):
                return False
        return True

    return accept


def _list(schema: Mapping[str, Any]) -> Accept:
    item = compile_accept(schema["items"])
    least, most, is_unique = schema.get("minItems", 0), schema["maxItems"], schema.get("uniqueItems", False)

    def accept(value: Any) -> bool:
        if type(value) is not list or not least <= len(value) <= most:
            return False
        for inner in value:
            if not item(inner):
                return False
        return not is_unique or (all(type(inner) is str for inner in value) and len(set(value)) == len(value))

    return accept


def _text(schema: Mapping[str, Any]) -> Accept:
    search, kind = compile_pattern(schema["pattern"]).search, schema.get("format")
    least, most = schema.get("minLength", 0), schema.get("maxLength", 1 << 20)

    def accept(value: Any) -> bool:
        if type(value) is not str or search(value) is None or not least <= len(value) <= most:
            return False
        return kind is None or is_of_format(kind, value)

    return accept


def _integer(schema: Mapping[str, Any]) -> Accept:
    least, most = schema["minimum"], schema["maximum"]
    return lambda value: type(value) is int and least <= value <= most


_BY_TYPE: Final[Mapping[str, Callable[[Mapping[str, Any]], Accept]]] = {
    "object": _object,
    "array": _list,
    "string": _text,
    "integer": _integer,
    "boolean": lambda _: lambda value: type(value) is bool,
}
