"""What is withheld of a bundle, as the ledger keeps it."""

from __future__ import annotations

import json
from hashlib import sha256

from gateway.core.access.restriction import restrictions_of, restrictions_sha256
from gateway.core.access.visibility import View

ONE, TWO, THREE = ("1" * 64, "2" * 64, "3" * 64)


def test_restrictions_are_those_of_the_materials_in_order() -> None:
    """A digest that does not travel, such as that of a record in the bundle, is left out; so is what is granted."""
    withheld = {THREE: View.LEAST, TWO: View.REQUEST}
    assert restrictions_of([TWO, ONE, TWO], withheld) == ((TWO, "request"),)
    assert restrictions_of([THREE, TWO], withheld) == ((TWO, "request"), (THREE, "least"))


def test_digest_is_of_the_sorted_list_and_tells_repetition() -> None:
    """It does not depend on the order in which rows are read; a row that stands twice is another list."""
    rows = [(TWO, "request"), (ONE, "none")]
    text = json.dumps([[ONE, "none"], [TWO, "request"]], separators=(",", ":"))
    assert restrictions_sha256(rows) == restrictions_sha256(rows[::-1]) == sha256(text.encode()).hexdigest()
    assert restrictions_sha256([*rows, rows[0]]) != restrictions_sha256(rows)
    assert restrictions_sha256([(ONE, "none"), (TWO, "none")]) != restrictions_sha256(rows)


def test_digest_of_nothing_is_no_field() -> None:
    """A leaf has no empty fields."""
    assert restrictions_sha256([]) == ""
