"""Strict JSON: one reading or none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.strict_json import parse_object

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def parse(data: bytes, *, max_bytes: int = 10_000, max_depth: int = 20) -> dict[str, object]:
    """Read with generous limits."""
    return parse_object(data, max_bytes=max_bytes, max_depth=max_depth)


def code_of(data: bytes, *, max_bytes: int = 10_000, max_depth: int = 20) -> ErrorCode:
    """The code with which a document is refused."""
    with pytest.raises(GatewayError) as caught:
        parse(data, max_bytes=max_bytes, max_depth=max_depth)
    return caught.value.code


@given(st.dictionaries(st.text(), VALUES, max_size=5), st.booleans())
def test_parse_object_written_object_is_read_back(value: dict[str, object], is_ascii: bool) -> None:
    """Every object that has one reading is read, with and without escapes."""
    data = json.dumps(value, ensure_ascii=is_ascii).encode("utf-8")
    assert parse(data, max_bytes=len(data)) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"{}{}",
        b"{} x",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":"\x01"}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
    ],
)
def test_parse_object_document_without_one_reading_is_malformed(data: bytes) -> None:
    """What is not one JSON object in UTF-8 is malformed, lone surrogates and non-numbers included."""
    assert code_of(data) is ErrorCode.MANIFEST_MALFORMED


@pytest.mark.parametrize("data", [b'{"a":1e999}', b'{"a":-1e400}', b'{"a":' + b"1" * 5000 + b"}"])
def test_parse_object_number_that_no_reader_shares_is_malformed(data: bytes) -> None:
    """A number that becomes infinite, or an integer of thousands of digits, is malformed."""
    assert code_of(data) is ErrorCode.MANIFEST_MALFORMED


@pytest.mark.parametrize("data", [b'{"a":1,"a":1}', b'{"x":{"a":1,"b":2,"a":3}}', b'{"x":[{"a":1,"\\u0061":2}]}'])
def test_parse_object_duplicate_key_is_refused_at_any_depth(data: bytes) -> None:
    """Two readers may take different ones of two equal keys, so there must not be two, escaped or not."""
    assert code_of(data) is ErrorCode.MANIFEST_DUPLICATE_KEY


def test_parse_object_depth_counts_the_outermost_as_one() -> None:
    """The depth limit is exact, and brackets within strings do not count."""
    assert parse(b'{"a":[{"b":1}]}', max_depth=3)
    assert code_of(b'{"a":[{"b":1}]}', max_depth=2) is ErrorCode.MANIFEST_TOO_DEEP
    assert parse(b'{"a":"[[[[{{{{","b":"\\"[[["}', max_depth=1)
    assert parse(b'{"a":[],"b":[],"c":[]}', max_depth=2)


def test_parse_object_very_deep_document_is_refused_without_recursion() -> None:
    """A document that would exhaust the stack is refused before it is parsed."""
    assert code_of(b'{"a":' + b"[" * 200_000, max_bytes=10**6) is ErrorCode.MANIFEST_TOO_DEEP


def test_parse_object_unterminated_string_of_quotes_is_refused_in_one_pass() -> None:
    """Escaped quotes without end are passed over once; once for each quote would not end within the test."""
    data = b'{"a":[[{"' + b'\\"' * 250_000
    assert code_of(data, max_bytes=10**6, max_depth=3) is ErrorCode.MANIFEST_MALFORMED


def test_parse_object_size_limit_is_exact() -> None:
    """The size limit is in bytes, and exact."""
    assert parse(b'{"a":1}', max_bytes=7)
    assert code_of(b'{"a":1}', max_bytes=6) is ErrorCode.MANIFEST_TOO_LARGE


@given(st.binary() | st.text(alphabet='{}[]",:\\u0dae1-.NI ').map(str.encode))
def test_parse_object_arbitrary_bytes_are_read_or_refused_with_a_gateway_error(data: bytes) -> None:
    """Whatever arrives is read or refused with findings; what is read, others read too."""
    try:
        value = parse(data)
    except GatewayError:
        return
    assert json.loads(data) == value
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
