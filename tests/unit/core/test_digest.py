"""The two digests against published vectors."""

from __future__ import annotations

import pytest

from gateway.core.digest import sha256_hex, sm3_hex

SM3_VECTORS = [
    (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
]


@pytest.mark.parametrize(("data", "digest"), SM3_VECTORS)
def test_sm3_hex_published_examples_are_reproduced(data: bytes, digest: str) -> None:
    """Both examples of GB/T 32905-2016, annex A."""
    assert sm3_hex(data) == digest


def test_sha256_hex_published_example_is_reproduced() -> None:
    """The example "abc" of FIPS 180-4."""
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
