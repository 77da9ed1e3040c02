"""Page tokens cannot be forged or carried to another query."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.page_token import open_page_token, seal_page_token

KEY = bytes(range(32))


@given(index=st.integers(0, 2**63 - 1), query=st.binary(max_size=200))
def test_token_opened_with_its_query_gives_its_index(index: int, query: bytes) -> None:
    """A token that comes back with the same query leads to the next page."""
    assert open_page_token(KEY, seal_page_token(KEY, index, query), query) == index


@given(token=st.text(min_size=1, max_size=80))
def test_token_made_by_a_caller_is_refused(token: str) -> None:
    """Whatever a caller writes himself is PAGE_TOKEN_INVALID and nothing else."""
    with pytest.raises(GatewayError) as refused:
        open_page_token(KEY, token, b"query")
    assert refused.value.code is ErrorCode.PAGE_TOKEN_INVALID


def test_token_of_another_query_is_refused() -> None:
    """A token is worth nothing for other conditions or another caller."""
    with pytest.raises(GatewayError):
        open_page_token(KEY, seal_page_token(KEY, 7, b"inbox pr:110108"), b"inbox ct:110108")


@pytest.mark.parametrize("position", range(24))
def test_token_with_one_bit_changed_is_refused(position: int) -> None:
    """Every byte of a token is sealed."""
    data = bytearray(base64.urlsafe_b64decode(seal_page_token(KEY, 7, b"query")))
    data[position] ^= 1
    with pytest.raises(GatewayError):
        open_page_token(KEY, base64.urlsafe_b64encode(bytes(data)).decode(), b"query")


def test_empty_token_is_the_first_page() -> None:
    """No token begins at the beginning."""
    assert open_page_token(KEY, "", b"query") == -1
