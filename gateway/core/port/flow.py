"""What the flows need from the world beside ledger and materials, as protocols that ``gateway/app.py`` fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from gateway.core.dossier import Dossier
from gateway.core.identity import Agency
from gateway.core.judge.outcome import RuleOutcome
from gateway.core.manifest import Manifest
from gateway.core.statement import Statement

if TYPE_CHECKING:
    from gateway.core.case.case import Reading, Rendition
    from gateway.core.schema_register import Schema

Clock = Callable[[], datetime]
"""Gives the time now, aware UTC."""


class Signed(Protocol):
    """What was signed by whom, its signature, chain and key verified."""

    @property
    def payload(self) -> bytes:
        """The signed bytes."""

    @property
    def signer(self) -> Agency:
        """Agency of the signing certificate."""

    @property
    def key_id(self) -> str:
        """SHA-256 of the signing certificate, hexadecimal."""

    @property
    def public_key_sha256(self) -> str:
        """SHA-256 of its public key, hexadecimal."""


class SignedManifest(Signed, Protocol):
    """A manifest whose signature, chain and key were verified."""

    @property
    def manifest(self) -> Manifest:
        """What was signed."""


class BundleVerifier(Protocol):
    """Verifies a bundle's signature."""

    def __call__(self, jws: str, *, now: datetime, is_recorded: bool = False) -> SignedManifest:
        """Verify a compact JWS; with ``is_recorded`` a key that was revoked since is no fault.

        Raises:
            GatewayError: one of the signature or manifest codes.
        """


class SignedStatement(Signed, Protocol):
    """A statement whose signature, chain and key were verified."""

    @property
    def statement(self) -> Statement:
        """What was signed."""


class StatementVerifier(Protocol):
    """Verifies a statement's signature."""

    def __call__(self, jws: str, *, now: datetime, is_recorded: bool = False) -> SignedStatement:
        """Verify a compact JWS; with ``is_recorded`` a key that was revoked since is no fault.

        Raises:
            GatewayError: one of the signature or statement codes.
        """


class Procedure(Protocol):
    """Guards of the procedure that need rules; called for every submit, before the ledger."""

    def definitions(self) -> Mapping[str, str]:
        """SHA-256 of the rules of each rule set that an outcome may name, hexadecimal, by the id of the rule set."""

    def judge(self, dossier: Dossier | None) -> RuleOutcome:
        """Judge a dossier; None is a record that is of no point, and has the result NOT_EVALUATED."""


class Adapters(Protocol):
    """The adapters of all agency systems, by system name."""

    def read(self, data: bytes, *, sender: str, receiver: str, version: str = "") -> Reading:
        """Read a native record by a version of the sender's schema, "" for the published one."""

    def render(self, reading: Reading, *, receiver: str, version: str = "") -> Rendition:
        """Write a reading in a version of the receiver's schema, "" for the published one."""

    def locate(self, reading: Reading, field: str) -> str:
        """Path in the sender's own file of a canonical field such as ``person[1].plea.guilty``."""

    def schema_of(self, agency: str) -> Schema:
        """The schema that an agency (short form) is registered with, else the published one of its system."""

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions of a schema, the published one first; none for a schema that there is not."""

    def encoding(self, name: str) -> str:
        """Encoding of a system's files."""


class StatementSigner(Protocol):
    """Signs what the gateway states."""

    def sign(self, claims: dict[str, str | int], typ: str) -> str:
        """Sign claims as a compact JWS of a type."""
