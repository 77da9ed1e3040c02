"""Whatever a schema allows, the checks judge; none of them fails."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.core.form.catalog import load_example, published_forms
from gateway.core.form.definition import Form
from tests.support.form_scene import MATERIALS, agreeing_case, book, register, to_scene

INSTANTS = (
    "1900-01-01T00:00:00+14:00", "2199-12-31T23:59:59-14:00", "2024-02-29T23:59:59.999999Z",
    "2024-06-02T11:00:00+08:00",
)  # fmt: skip
DAYS = ("1900-01-01", "2199-12-31", "2024-02-29", "2024-06-02")
NUMBERS = (0, 1, 2, 100, 300_000)


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key), inner
            yield from _leaves(inner, (*path, key))


def _alternatives(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return NUMBERS
    if isinstance(value, list):
        return ([], value[:1] * 3, list(reversed(value)))
    if isinstance(value, str) and value[4:5] == "-" and value[7:8] == "-":
        return INSTANTS if "T" in value else DAYS
    return (..., "110003", "1", "m2")


def _mutate(data: Any, chance: random.Random) -> None:
    leaves = list(_leaves(data))
    for path, value in leaves:
        if chance.random() < 3 / len(leaves):
            place = data
            try:
                for step in path[:-1]:
                    place = place[step]
                other = chance.choice(_alternatives(value))
                if other is ...:
                    del place[path[-1]]
                else:
                    place[path[-1]] = other
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change took the place away


@pytest.mark.parametrize("form", published_forms(), ids=lambda form: f"{form.key.kind}-{form.key.name}")
def test_checks_of_any_data_that_its_schema_allows_do_not_fail(form: Form) -> None:
    """A sender cannot make the gateway fail by odd times, empty lists or missing fields."""
    chance, judged = random.Random(form.key.name), 0
    for _ in range(100):
        data = json.loads(load_example(form))
        _mutate(data, chance)
        annex, findings = book().parse(form, data, "/materials/1")
        if annex is None:
            assert findings
            continue
        judged += 1
        for fields in ({}, {"case": agreeing_case(), "materials": MATERIALS, "register": register()}):
            for finding in book().check([annex], to_scene([annex], **fields)):
                assert finding.path.startswith("/materials/1#")
                assert finding.message and finding.basis
    assert judged > 10
