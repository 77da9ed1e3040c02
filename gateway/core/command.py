"""An act as a verified caller asks for it, before the ledger has decided on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from gateway.core.access.enquiry import Progress
from gateway.core.access.restriction import Restriction, restrictions_of
from gateway.core.entry import EntryKind
from gateway.core.identity import Actor, Agency
from gateway.core.route import RecordKind

DEFAULT_LEASE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a submit stores beside its entry.

    Args:
        manifest_jws: the signed manifest, compact JWS.
        record: the native record; empty when it travels as a material.
        case_number: police case number.
        idempotency_key: pseudonym of the sender's own key (``Pseudonyms.message``).
        materials: SHA-256 of every material that the manifest names, 64 hexadecimal digits each.
        withheld: by the digest of those that the receiver is not granted, how they may be seen (``visibility.View``).
    """

    manifest_jws: str
    record: bytes
    case_number: str
    idempotency_key: str
    materials: tuple[str, ...]
    withheld: Mapping[str, str] = field(default_factory=dict)

    @property
    def restrictions(self) -> tuple[Restriction, ...]:
        """What the receiver may not simply read of the materials, by digest."""
        return restrictions_of(self.materials, self.withheld)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedText:
    """What a statement stores beside its entry.

    Args:
        statement_jws: the signed statement, compact JWS.
        case_number: police case number; "" when it concerns no case.
        materials: SHA-256 of materials that it grants its issuer, hexadecimal.
        enquiry: keyed digest of an enquiry token, 32 bytes; b"" when a party cannot ask after it.
        progress: what that party is told.
    """

    statement_jws: str
    case_number: str
    materials: tuple[str, ...] = ()
    enquiry: bytes = b""
    progress: Progress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """An act that a verified caller asks for.

    Args:
        kind: what the entry will record.
        actor: the caller, or the gateway for an act of its own (``registration``).
        act_id: idempotency id; for a submit the bundle id, for a statement the statement id.
        content_sha256: SHA-256 of what is asked, to tell a replay from a reuse.
        handoff: the handoff; None for a refused call that names none.
        case: pseudonym of the case; for a submit, a destruction and, when known, a refused call.
        handoff_kind: for a submit.
        sender: for a submit.
        receiver: for a submit.
        bundle: for a submit.
        bundle_sha256: for a submit, hexadecimal.
        bundle_sm3: for a submit, hexadecimal.
        withheld_sha256: for a submit, ``restriction.restrictions_sha256`` of the bundle's restrictions.
        signer_key: for a submit or statement, and for a key that is registered or revoked, hexadecimal.
        rule_set: id of the rule set that judged the bundle, for a submit and where a court accepts an indictment.
        rule_result: what it said.
        inputs_sha256: digest of everything that it looked at, hexadecimal.
        consumer: pseudonym of the consumer, for a claim, fetch or decision.
        lease: length of the lease, for a claim.
        mapping_version: for a fetch.
        rendition_sha256: for a fetch, hexadecimal.
        report_sha256: for a fetch, hexadecimal.
        detail: text of a decision or withdrawal, canonical JSON; it is stored beside the ledger.
        detail_sha256: its digest, hexadecimal.
        method: for a refused call.
        refusal_codes: for a refused call.
        public_key_sha256: of the signer key, hexadecimal; a submit or statement that names it needs a key that counts.
        agency: for a signer key, whose it is, short form.
        algorithm: for a signer key.
        reason: for a key that is revoked, a code of ``key_history.RevocationReason``; for a case that is destroyed, of
            ``destruction.DestructionReason``.
        certificate: for a signer key, DER; it is stored beside the ledger.
        adapter: for an adapter that comes into force, its name and schema version.
        definition_sha256: for a rule set or adapter that comes into force, hexadecimal.
        facts: what happened, as ``fact.to_facts_bytes`` writes it; it is stored beside the ledger.
        facts_sha256: its digest, hexadecimal.
        clock: id of a limit, for a warning or a breach; so are ``step``, ``person``, ``level``, ``due``, ``notified``.
        step: as in ``Entry``.
        person: as in ``Entry``.
        level: as in ``Entry``.
        due: as in ``Entry``.
        notified: as in ``Entry``.
        statement: for a statement.
        statement_type: for a statement, name of its form.
        statement_sha256: for a statement, hexadecimal.
        statement_sm3: for a statement, hexadecimal.
        cause: for a submit what its record says of the persons, for a procedural act the act; pseudonyms and words
            only, see ``track_step`` and ``act_step``. None for what moves no person.
    """

    kind: EntryKind
    actor: Actor
    act_id: UUID
    content_sha256: str
    handoff: UUID | None = None
    case: str = ""
    handoff_kind: RecordKind | None = None
    sender: Agency | None = None
    receiver: Agency | None = None
    bundle: Bundle | None = None
    bundle_sha256: str = ""
    bundle_sm3: str = ""
    withheld_sha256: str = ""
    signer_key: str = ""
    rule_set: str = ""
    rule_result: str = ""
    inputs_sha256: str = ""
    consumer: str = ""
    lease: timedelta = DEFAULT_LEASE
    mapping_version: str = ""
    rendition_sha256: str = ""
    report_sha256: str = ""
    detail: bytes = b""
    detail_sha256: str = ""
    method: str = ""
    refusal_codes: tuple[int, ...] = field(default=())
    public_key_sha256: str = ""
    agency: str = ""
    algorithm: str = ""
    reason: str = ""
    certificate: bytes = b""
    adapter: str = ""
    definition_sha256: str = ""
    facts: bytes = b""
    facts_sha256: str = ""
    clock: str = ""
    step: str = ""
    person: str = ""
    level: str = ""
    due: str = ""
    notified: tuple[str, ...] = field(default=())
    statement: StatedText | None = None
    statement_type: str = ""
    statement_sha256: str = ""
    statement_sm3: str = ""
    cause: Mapping[str, Any] | None = None

    @property
    def has_content(self) -> bool:
        """Whether something is stored beside the entry that only the parties may read, and that is sealed."""
        return self.bundle is not None or bool(self.detail) or self.statement is not None
