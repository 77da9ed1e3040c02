"""How operators and auditors name a case."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.stored_case import to_pseudonym
from gateway.core.pseudonym import Pseudonyms

NUMBER = "A9990010000002026010001"


def test_number_becomes_the_pseudonym_of_the_key_and_a_pseudonym_stays(tmp_path: Path) -> None:
    """Either name of a case finds it, and only the number needs the key."""
    key = tmp_path / "pseudonym.key"
    key.write_bytes(bytes(32))
    pseudonym = Pseudonyms(bytes(32)).case(NUMBER)
    assert to_pseudonym(NUMBER, key) == pseudonym
    assert to_pseudonym(pseudonym, None) == pseudonym


@pytest.mark.parametrize("case", ["", "A1", "x" * 32, "A" * 23, "AB" * 16, f"{NUMBER}\n"])
def test_name_of_another_form_is_refused_before_anything_is_asked(case: str) -> None:
    """A slip of the pen is no case that the ledger does not know."""
    with pytest.raises(ValueError, match="no police case number"):
        to_pseudonym(case, None)


def test_number_without_key_says_which_key_is_missing() -> None:
    """Who gives a number is told what goes with it."""
    with pytest.raises(ValueError, match="FASTTRACK_PSEUDONYM_KEY_FILE"):
        to_pseudonym(NUMBER, None)
