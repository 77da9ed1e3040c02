"""What an evidence pack is made from, as a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.core.schema_register import Schema


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """An entry of the case.

    Args:
        index: place in the ledger.
        leaf: canonical bytes.
        receipt: as the gateway gave it; "" for a refused call.
        detail: text of the decision; empty for none, and when the case was destroyed.
        facts: what happened, as the ledger keeps it; empty for none.
        tracks: what it did to the persons, by pseudonym; empty for nothing.
    """

    index: int
    leaf: bytes
    receipt: str = ""
    detail: bytes = b""
    facts: bytes = b""
    tracks: bytes = b""


@dataclass(frozen=True, slots=True)
class CaseBundle:
    """A bundle of the case.

    Args:
        handoff: its id.
        index: of the entry that submitted it.
        manifest_jws: as the sender signed it; "" when the case was destroyed.
        record: the native record; empty when it travels as a material, and when the case was destroyed.
    """

    handoff: str
    index: int
    manifest_jws: str
    record: bytes


@dataclass(frozen=True, slots=True)
class CaseStatement:
    """A statement about the case.

    Args:
        index: of its entry.
        statement_jws: as its issuer signed it; "" when the case was destroyed.
    """

    index: int
    statement_jws: str


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """An entry that registers or revokes a signer key.

    Args:
        index: place in the ledger.
        leaf: canonical bytes.
        certificate: DER; empty when the ledger has it no more.
    """

    index: int
    leaf: bytes
    certificate: bytes


@dataclass(frozen=True, slots=True)
class EvidenceHead:
    """The tree to which everything is proved.

    Args:
        size: number of entries.
        root: root hash, 32 bytes.
        note: the signed checkpoint; empty when the log was not signed at that size.
        cosignatures: lines of its witnesses.
        token: time-stamp token of the note, DER; empty for none.
    """

    size: int
    root: bytes
    note: bytes = b""
    cosignatures: tuple[str, ...] = ()
    token: bytes = b""


@dataclass(frozen=True, slots=True)
class MadeRendition:
    """A rendition made again.

    Args:
        mapping_version: mapping that made it.
        data: the record in the receiver's schema; empty when it cannot be made any more.
        report: the mapping report, JSON, whose SHA-256 an entry holds.
    """

    mapping_version: str
    data: bytes
    report: bytes


class EvidenceSource(Protocol):
    """Where the parts of a pack come from."""

    async def entries(self, case: str) -> list[CaseEntry]:
        """All entries of a case, by index.

        Raises:
            GatewayError: SEAL_BROKEN or CASE_KEY_MISSING when a text cannot be opened; VAULT_UNAVAILABLE.
        """

    async def bundles(self, case: str) -> list[CaseBundle]:
        """All bundles of a case, by index.

        Raises:
            GatewayError: as ``entries``.
        """

    async def statements(self, case: str) -> list[CaseStatement]:
        """All statements about a case, by index."""

    async def keys(self) -> list[KeyEntry]:
        """All entries about signer keys, by index."""

    async def head(self, size: int) -> EvidenceHead:
        """The newest checkpoint of at least this size; when there is none, the last state."""

    async def proof(self, index: int, size: int) -> Sequence[bytes]:
        """Inclusion path of an entry in the tree of a size."""

    def render(self, record: bytes, schema: Schema, receiver: str) -> MadeRendition | None:
        """Make a rendition with the present mapping; None when the record cannot be rendered.

        Args:
            record: as its sender wrote it.
            schema: that its manifest names.
            receiver: agency, short form.
        """

    def material(self, sha256: str) -> Path | None:
        """File of a material; None when it is not here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackKeys:
    """What goes into the pack so that it can be verified.

    Args:
        signing_ca: CAs of the agencies' and the gateway's signing certificates, PEM.
        policy: witness policy, TOML; "" for none.
        tsa_ca: CAs of the time-stamp authority, PEM; empty for none.
    """

    signing_ca: bytes
    policy: str = ""
    tsa_ca: bytes = b""
