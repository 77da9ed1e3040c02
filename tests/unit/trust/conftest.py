"""What the tests of trust share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.trust import sm2_libcrypto


@pytest.fixture
def no_sm2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose OpenSSL was built without SM2."""
    sm2_libcrypto.find_library.cache_clear()
    monkeypatch.setattr(sm2_libcrypto, "candidates", lambda: iter(()))
    yield
    sm2_libcrypto.find_library.cache_clear()
