"""Signer keys: the entries that register and revoke them, and the certificates beside those entries."""

from __future__ import annotations

from hashlib import sha256

from gateway.audit.finding import AuditFinding, Report
from gateway.audit.jws_check import load_certificate
from gateway.audit.leaf_form import parse_entry
from gateway.audit.sm2_check import public_key_info
from gateway.core.entry import Entry, EntryKind
from gateway.core.log.key_history import KeyHistory, registration_id, revocation_id
from gateway.core.port.fsck import FsckSource


async def load_keys(source: FsckSource, report: Report | None = None) -> KeyHistory:
    """Read the history of the keys.

    Args:
        source: the ledger.
        report: takes findings about the rows beside the entries; None leaves them to another part.

    Returns:
        the history, from the entries alone.
    """
    history = KeyHistory()
    async for page in source.signer_keys():
        last = -1
        for seq, leaf, row_seq, key_id, certificate in page:
            entry = parse_entry(leaf) if leaf is not None else None
            if entry is not None:
                history.add(entry)
            if report is None:
                continue
            at = seq if seq is not None else row_seq
            for column, reason in _problems(entry, row_seq, key_id, certificate, is_repeated=at == last):
                report(AuditFinding("signer-key", "signer_key", f"seq={at} column={column}", reason, at))
            last = at
    return history


def _problems(
    entry: Entry | None, row_seq: int | None, key_id: bytes, certificate: bytes, *, is_repeated: bool
) -> list[tuple[str, str]]:
    if is_repeated:
        return [("seq", "stands more than once")]
    if entry is None:
        return [("seq", "no entry registers or revokes this key")]
    if row_seq is None:
        return [("seq", "the certificate of this entry is missing")]
    problems = []
    if key_id.hex() != entry.signer_key:
        problems.append(("key_id", "not the key that the entry names"))
    if sha256(certificate).hexdigest() != entry.signer_key:
        problems.append(("certificate", "not the certificate whose digest is in the entry"))
    elif _public_key_sha256(certificate) not in (None, entry.public_key_sha256):
        problems.append(("certificate", "the entry names another public key"))
    is_registration = entry.kind is EntryKind.KEY_REGISTERED
    act_id = registration_id(entry.signer_key) if is_registration else revocation_id(entry.public_key_sha256)
    if str(act_id) != entry.act_id:
        problems.append(("seq", "the act of the entry is not that of its key"))
    return problems


def _public_key_sha256(certificate: bytes) -> str | None:
    """Digest of the public key, of whatever kind; None when the certificate cannot be read."""
    try:
        return sha256(public_key_info(load_certificate(certificate))).hexdigest()
    except (ValueError, IndexError):
        return None
