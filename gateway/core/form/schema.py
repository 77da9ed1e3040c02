"""Compile a form's JSON Schema once, and tell every departure from it as a finding.

The schemas are draft 2020-12 and use ``$ref`` only for their own ``$defs``. Two keywords are stricter here than in many
libraries: ``pattern`` never lets a line feed pass at the end, and ``format`` refuses days that no calendar has and
years before 1900 or after 2199.

Source: JSON Schema draft 2020-12, core and validation; RFC 6901 (JSON Pointer).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from gateway.core.errors import ErrorCode, Finding
from gateway.core.form.accept import compile_accept, compile_pattern, is_of_format

_ANNOTATIONS: Final = frozenset({"$schema", "$id", "$defs", "$comment", "title", "description", "examples"})
_WORDING: Final = {
    "type": "it must be of type {}",
    "enum": "it must be one of the values that the schema lists",
    "const": "it must be the value that the schema names",
    "pattern": "it is not written in the form that the schema asks for",
    "format": "it is not a {} that exists",
    "minimum": "it must be at least {}",
    "maximum": "it must be at most {}",
    "minLength": "it must have at least {} characters",
    "maxLength": "it may have {} characters",
    "minItems": "it must have at least {} items",
    "maxItems": "it may have {} items",
    "minProperties": "it must have at least {} fields",
    "uniqueItems": "no item may stand twice",
}


def to_pointer(path: Iterator[Any] | list[Any] | tuple[Any, ...]) -> str:
    """Write a JSON Pointer.

    Args:
        path: names and indices from the outside in; a name that the sender invented is cut at 64 characters.

    Returns:
        the pointer; "" for the whole.

    Source: RFC 6901, section 3.
    """
    return "".join(f"/{str(step)[:64].replace('~', '~0').replace('/', '~1')}" for step in path)


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not compile_pattern(pattern).search(instance):
        yield ValidationError("")


def _format(_: Any, kind: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not is_of_format(kind, instance):
        yield ValidationError("")


def _required(_: Any, names: list[str], instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        yield from (ValidationError("", path=(name,)) for name in names if name not in instance)


def _additional(_: Any, __: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        unknown = instance.keys() - schema.get("properties", {}).keys()
        yield from (ValidationError("", path=(name,)) for name in sorted(unknown))


_Validator: Final[Any] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"pattern": _pattern, "format": _format, "required": _required, "additionalProperties": _additional},
)


def _inline(value: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema without references and annotations: following them costs more than the checks."""
    if isinstance(value, list):
        return [_inline(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        rest = {key: item for key, item in value.items() if key != "$ref"}
        value = {**definitions[value["$ref"].removeprefix("#/$defs/")], **rest}
    return {
        key: {name: _inline(item, definitions) for name, item in value[key].items()}
        if key == "properties"
        else _inline(value[key], definitions)
        for key in value
        if key not in _ANNOTATIONS and not key.startswith("x-")
    }


class CompiledSchema:
    """A schema that is ready to judge.

    Args:
        schema: as published; that it is one of draft 2020-12, a test has seen.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        inlined = _inline(schema, schema.get("$defs", {}))
        self._validator: Final = _Validator(inlined)
        self._accept: Final = compile_accept(inlined)

    def find_faults(self, data: Any) -> Iterator[Finding]:
        """Look for every departure from the schema.

        Args:
            data: as JSON has it.

        Yields:
            FORM_FIELD_MISSING, FORM_FIELD_UNKNOWN, FORM_FIELD_INVALID with the pointer to the field.
        """
        if not self._accept(data):
            for error in self._validator.iter_errors(data):
                yield _to_finding(error)


def _to_finding(error: ValidationError) -> Finding:
    pointer = to_pointer(list(error.absolute_path))
    if error.validator == "required":
        return Finding(ErrorCode.FORM_FIELD_MISSING, pointer, "this field is required")
    if error.validator == "additionalProperties":
        return Finding(ErrorCode.FORM_FIELD_UNKNOWN, pointer, "no such field in this version of the form")
    wording = _WORDING.get(str(error.validator), "it is not as the schema asks for")
    return Finding(ErrorCode.FORM_FIELD_INVALID, pointer, wording.format(error.validator_value))
