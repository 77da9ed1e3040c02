"""The gateway's own acts: what comes into force and what ends. Each has an id made of what it is about.

So an act that is asked for again, by another process or after a restart, is the same act: the ledger has it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from gateway.core.command import Command
from gateway.core.entry import EntryKind
from gateway.core.identity import GATEWAY
from gateway.core.log.key_history import RevocationReason, derive_id, registration_id, revocation_id


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What an entry says of a signer key.

    Args:
        key_id: SHA-256 of the certificate, 64 hexadecimal digits.
        public_key_sha256: SHA-256 of its SubjectPublicKeyInfo, 64 hexadecimal digits.
        agency: whose it is, short form.
        algorithm: the one JWS algorithm that it may be used with.
        certificate: DER; it is stored beside the ledger.
    """

    key_id: str
    public_key_sha256: str
    agency: str
    algorithm: str
    certificate: bytes


def register_key(key: KeyFacts) -> Command:
    """Bring a signer key into force."""
    return Command(
        kind=EntryKind.KEY_REGISTERED,
        actor=GATEWAY,
        act_id=registration_id(key.key_id),
        content_sha256=_digest(key.key_id, key.public_key_sha256, key.agency, key.algorithm),
        signer_key=key.key_id,
        public_key_sha256=key.public_key_sha256,
        agency=key.agency,
        algorithm=key.algorithm,
        certificate=key.certificate,
    )


def revoke_key(key: KeyFacts, reason: RevocationReason) -> Command:
    """End a signer key, and with it every certificate for the same public key.

    Args:
        key: by the certificate that is named.
        reason: why.

    Returns:
        the act; the first reason stays, another one asked for later is the same act.
    """
    return Command(
        kind=EntryKind.KEY_REVOKED,
        actor=GATEWAY,
        act_id=revocation_id(key.public_key_sha256),
        content_sha256=_digest(key.public_key_sha256),
        signer_key=key.key_id,
        public_key_sha256=key.public_key_sha256,
        agency=key.agency,
        algorithm=key.algorithm,
        reason=reason.value,
        certificate=key.certificate,
    )


def register_rule_set(rule_set: str, definition_sha256: str) -> Command:
    """Bring a rule set into force.

    Args:
        rule_set: its id and version, as entries name it.
        definition_sha256: SHA-256 of its rules, 64 hexadecimal digits; other rules under the same id are another act.

    Returns:
        the act.
    """
    return Command(
        kind=EntryKind.RULE_SET_REGISTERED,
        actor=GATEWAY,
        act_id=derive_id("rule set registered", rule_set, definition_sha256),
        content_sha256=_digest(rule_set, definition_sha256),
        rule_set=rule_set,
        definition_sha256=definition_sha256,
    )


def register_adapter(adapter: str, mapping_version: str, definition_sha256: str) -> Command:
    """Bring a version of an adapter into force.

    Args:
        adapter: name and schema version, ``police 3.2``.
        mapping_version: of its mapping rules.
        definition_sha256: SHA-256 of its tables, 64 hexadecimal digits; other tables are another act.

    Returns:
        the act.
    """
    return Command(
        kind=EntryKind.ADAPTER_REGISTERED,
        actor=GATEWAY,
        act_id=derive_id("adapter registered", adapter, mapping_version, definition_sha256),
        content_sha256=_digest(adapter, mapping_version, definition_sha256),
        adapter=adapter,
        mapping_version=mapping_version,
        definition_sha256=definition_sha256,
    )
