"""The quick yes against the general validator: it never accepts what the schema refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.core.form.accept import compile_accept
from gateway.core.form.catalog import load_example, published_forms
from gateway.core.form.definition import Form
from gateway.core.form.schema import CompiledSchema, _inline

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**16, 1.5, 1.0, "", "x", "x\n", "2024-02-30", "2024-13-01T00:00:00+08:00",
    "2024-01-01T00:00:00", "2024-01-01T24:00:00+08:00", "\u0000", "a" * 2000, [], [None], {}, {"x": 1},
)  # fmt: skip


def _mutations(value: Any) -> Iterator[Any]:
    """The same data with one thing else, at every place."""
    yield from ODD
    if isinstance(value, dict):
        yield {**value, "no_such_field": 1}
        for name, inner in value.items():
            yield {key: other for key, other in value.items() if key != name}
            for changed in _mutations(inner):
                yield {**value, name: changed}
    if isinstance(value, list):
        yield [*value, *copy.deepcopy(value)]
        for at, inner in enumerate(value[:1]):
            for changed in _mutations(inner):
                yield [*value[:at], changed, *value[at + 1 :]]


@pytest.mark.parametrize("form", published_forms(), ids=lambda form: f"{form.key.kind}-{form.key.name}")
def test_quick_yes_to_changed_examples_is_the_yes_of_the_validator(form: Form) -> None:
    """Speed must not let anything pass; and what is right does not take the slow way."""
    compiled = CompiledSchema(form.schema)
    accept = compile_accept(_inline(form.schema, form.schema["$defs"]))
    validator = compiled._validator
    example = json.loads(load_example(form))
    assert accept(example)
    for changed in _mutations(example):
        is_valid = next(validator.iter_errors(changed), None) is None
        assert not accept(changed) or is_valid
        # A whole number may be written 1.0, which only the validator knows.
        assert accept(changed) == is_valid or "1.0" in json.dumps(changed)


def test_quick_yes_of_a_schema_with_an_unknown_keyword_is_refused() -> None:
    """A keyword that nobody implements must not count as fulfilled."""
    with pytest.raises(ValueError, match="oneOf"):
        compile_accept({"type": "object", "oneOf": []})


def test_validator_when_the_standard_one_refuses_refuses_too() -> None:
    """Our stricter keywords only add refusals."""
    for form in published_forms():
        standard = Draft202012Validator(form.schema)
        ours = CompiledSchema(form.schema)
        example = json.loads(load_example(form))
        for name in example:
            changed = {**example, name: {"x": 1}}
            if next(standard.iter_errors(changed), None) is not None:
                assert next(ours.find_faults(changed), None) is not None
