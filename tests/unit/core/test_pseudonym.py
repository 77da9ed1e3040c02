"""Pseudonyms of cases and consumers."""

import pytest

from gateway.core.pseudonym import Pseudonyms

KEY = bytes(32)


def test_pseudonym_of_a_case_is_the_same_in_every_process() -> None:
    """Two gateways with one key give a case the same pseudonym."""
    assert Pseudonyms(KEY).case("A1101080000002024060012") == Pseudonyms(KEY).case("A1101080000002024060012")


def test_pseudonym_under_another_key_differs() -> None:
    """Without the key nobody can find a case by its number."""
    assert Pseudonyms(KEY).case("A1") != Pseudonyms(b"\x01" * 32).case("A1")


def test_pseudonym_of_a_consumer_is_not_that_of_a_case() -> None:
    """The uses of the key are apart: the same text gives other pseudonyms in another use."""
    names = Pseudonyms(KEY)
    assert len({names.case("x"), names.consumer("x", ""), names.consumer("", "x"), names.page_key().hex()[:32]}) == 4


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_key_of_another_size_is_refused(size: int) -> None:
    """A truncated key file stops the start instead of weakening the pseudonyms."""
    with pytest.raises(ValueError, match="32 are needed"):
        Pseudonyms(bytes(size))
