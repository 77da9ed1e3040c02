"""The composition root: what it opened is closed, however far it came."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from certs.pki import make_pki
from gateway.app import _open_with, now
from gateway.config import Settings
from gateway.core.port.vault import CaseKeys


@dataclass(slots=True)
class FakePool:
    """Counts how often it was opened and closed."""

    opened: int = 0
    closed: int = 0

    async def open(self, _dsn: str, **_: Any) -> FakePool:
        """Stands for ``open_pool``."""
        self.opened += 1
        return self

    async def close(self) -> None:
        """Let the connections go."""
        self.closed += 1


@pytest.mark.parametrize(
    ("name", "opened"), [("materials_dir", 1), ("rule_settings", 0), ("form_settings", 0), ("schema_versions", 0)]
)
async def test_gateway_that_cannot_be_built_leaves_no_connection(
    name: str, opened: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that cannot be used is found before the database is asked, or the pool is closed again."""
    pki, bad, pool = make_pki(tmp_path / "pki", now=datetime.now(UTC)), tmp_path / "bad.yaml", FakePool()
    bad.write_bytes(b"no: such: setting")
    monkeypatch.setattr("gateway.ledger.pool.open_pool", pool.open)
    settings = Settings(
        database_url="postgresql://nobody@localhost/none",
        listen="127.0.0.1:0",
        origin="gateway.example/test",
        tls_cert=pki.gateway_tls_certificate,
        tls_key=pki.gateway_tls_key,
        tls_ca=pki.tls_ca,
        signing_ca=pki.signing_ca,
        signers_dir=None,
        receipt_cert=pki.receipt_certificate,
        receipt_key=pki.receipt_key,
        pseudonym_key_file=pki.pseudonym_key,
        vault_url="postgresql://nobody@localhost/vault",
        master_key_file=pki.master_key,
        materials_dir=tmp_path / "materials",
        schema_versions=None,
        workers=1,
        log_level="WARNING",
    )
    changed: dict[str, Any] = {name: bad}
    with pytest.raises((OSError, ValueError)):
        async with _open_with(replace(settings, **changed), cast(CaseKeys, None), now):
            pass
    assert (pool.opened, pool.closed) == (opened, opened)
