"""Checkpoints, cosignatures and time stamps of the database against the tree that was built again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from gateway.audit.finding import AuditFinding, Report, Severity
from gateway.core.errors import ErrorCode
from gateway.core.log.checkpoint import Checkpoint, parse_checkpoint
from gateway.core.log.cosignature import TIMESTAMP_BYTES, verify_cosignature
from gateway.core.log.note import NoteError, VerifierKey, parse_note, parse_signature_line, verify_note
from gateway.core.port.fsck import FsckSource

CLOCK_SKEW: Final = timedelta(minutes=5)
_GAP_CODES: Final = frozenset(int(code) for code in ErrorCode if code.name.startswith("TIMESTAMP_"))


class TokenError(ValueError):
    """A time-stamp token that does not verify."""


VerifyToken = Callable[[bytes, bytes], datetime]
"""Token (DER) and SHA-256 of what was stamped; gives its time, aware UTC."""


@dataclass(frozen=True, slots=True)
class SealKeys:
    """Keys that are known beforehand.

    Args:
        log: key of the log; None leaves its signatures unchecked.
        witnesses: keys of witnesses; cosignatures of others are findings, unless there are none at all.
        remembered: checkpoints seen before, which the ledger must still contain.
        verify_token: gives the time of a token for a digest, or raises ``TokenError``; None leaves the signatures of
            time-stamp authorities unchecked.
    """

    log: VerifierKey | None = None
    witnesses: tuple[VerifierKey, ...] = ()
    remembered: tuple[Checkpoint, ...] = ()
    verify_token: VerifyToken | None = None


async def sizes_of_seals(source: FsckSource, keys: SealKeys) -> frozenset[int]:
    """Sizes whose roots the tree must keep for ``check_seals``."""
    sizes = {seen.size for seen in keys.remembered}
    async for page in source.checkpoints():
        sizes.update(row[0] for row in page)
        for row in page:
            try:
                sizes.add(parse_checkpoint(parse_note(row[2].encode()).text).size)
            except (NoteError, UnicodeEncodeError):
                continue
    return frozenset(sizes)


async def check_seals(  # noqa: PLR0917 - everything that a seal is checked against
    source: FsckSource, roots: Mapping[int, bytes], keys: SealKeys, origin: str, now: datetime, report: Report
) -> None:
    """Check every checkpoint and cosignature.

    Args:
        source: the ledger.
        roots: computed roots by size; a size that is not there is larger than the ledger.
        keys: what is known.
        origin: name of the log.
        now: aware time.
        report: takes the findings.
    """
    await _check_checkpoints(source, roots, keys, origin, now, report)
    await _check_cosignatures(source, keys, now, report)
    await _check_timestamps(source, keys, now, report)
    for seen in keys.remembered:
        if seen.origin != origin:
            report(AuditFinding("remembered-origin", "checkpoint", f"size={seen.size}", "was seen for another log"))
        elif seen.size and roots.get(seen.size) != seen.root:
            what = "another tree was seen" if seen.size in roots else "the ledger has fewer entries than was seen"
            report(AuditFinding("remembered-tree", "state", f"size={seen.size}", what, seen.size - 1))


async def _check_checkpoints(  # noqa: PLR0912, PLR0917 - as above, and a branch for each finding
    source: FsckSource, roots: Mapping[int, bytes], keys: SealKeys, origin: str, now: datetime, report: Report
) -> None:
    last: datetime | None = None
    before: tuple[int, datetime] | None = None
    async for page in source.checkpoints():
        for size, signed_at, text, recorded_at in page:
            place = f"size={size} signed_at={signed_at.astimezone(UTC).isoformat()}"

            def finding(check: str, column: str, reason: str, place: str = place, size: int = size) -> None:
                report(AuditFinding(check, "checkpoint", f"{place} column={column}", reason, size - 1))

            if (size, signed_at) == before:
                finding("checkpoint-repeated", "size", "stands more than once")
            before = (size, signed_at)
            if (last is not None and signed_at < last) or signed_at > now + CLOCK_SKEW:
                finding("checkpoint-time", "signed_at", "out of order, or in the future")
            elif recorded_at is not None and signed_at < recorded_at - CLOCK_SKEW:
                finding("checkpoint-time", "signed_at", "older than the entries it speaks of")
            last = signed_at if last is None else max(last, min(signed_at, now))
            try:
                note = parse_note(text.encode())
                checkpoint = parse_checkpoint(note.text)
            except (NoteError, UnicodeEncodeError):
                finding("checkpoint-form", "note", "not a checkpoint")
                continue
            if checkpoint.origin != origin:
                finding("checkpoint-origin", "note", "of another log")
            if checkpoint.size != size:
                finding("checkpoint-size", "size", "the note was signed for another size")
            elif size not in roots:
                finding("checkpoint-ahead", "size", "speaks of more entries than there are: the ledger was cut")
            elif roots[size] != checkpoint.root:
                finding("checkpoint-root", "note", "another tree was signed: the ledger is a fork of it")
            if keys.log is not None:
                try:
                    verify_note(note, keys.log)
                except NoteError:
                    finding("checkpoint-signature", "note", "not signed by the log")
            if len(note.signatures) != 1:
                finding("checkpoint-lines", "note", "the stored note has another signature than that of the log")


async def _check_cosignatures(source: FsckSource, keys: SealKeys, now: datetime, report: Report) -> None:
    known = {key.name: key for key in keys.witnesses}
    before: tuple[object, ...] = ()
    async for page in source.cosignatures():
        for size, witness, cosigned_at, line, text, signed_at in page:
            place = f"size={size}"

            def finding(
                check: str, column: str, reason: str, severity: Severity = Severity.ERROR, place: str = place
            ) -> None:
                report(AuditFinding(check, "cosignature", f"{place} column={column}", reason, None, severity))

            if (size, witness, cosigned_at) == before:
                finding("cosignature-repeated", "size", "stands more than once")
            before = (size, witness, cosigned_at)
            try:
                signature = parse_signature_line(line.removesuffix("\n"))
                stamp = int.from_bytes(signature.value[:TIMESTAMP_BYTES], "big")
            except NoteError:
                finding("cosignature-form", "line", "not a cosignature")
                continue
            if signature.name != witness:
                finding("cosignature-witness", "witness", "the line is of another witness")
            if cosigned_at.timestamp() != stamp or cosigned_at > now + CLOCK_SKEW:
                finding("cosignature-time", "cosigned_at", "the line was made at another time")
            if text is None:
                finding("cosignature-stray", "size", "there is no checkpoint of this size")
                continue
            if signed_at > cosigned_at + CLOCK_SKEW:
                finding("checkpoint-time", "cosigned_at", "cosigned before it was signed")
            if not known:
                continue
            if signature.name not in known:
                finding("cosignature-unknown", "witness", "no witness of the policy", Severity.WARNING)
                continue
            try:
                verify_cosignature(parse_note(text.encode()).text, signature, known[signature.name])
            except (NoteError, UnicodeEncodeError):
                finding("cosignature-signature", "line", "not the cosignature of this checkpoint")


async def _check_timestamps(source: FsckSource, keys: SealKeys, now: datetime, report: Report) -> None:
    await _check_gaps(source, now, report)
    async for page in source.timestamp_tokens():
        for size, stamped_at, digest, token, notes, times in page:

            def finding(check: str, column: str, reason: str, place: str = f"size={size}") -> None:
                report(AuditFinding(check, "timestamp_token", f"{place} column={column}", reason))

            if times != 1:
                finding("timestamp-repeated", "size", f"stands {times} times")
            if digest not in [sha256(note.encode()).digest() for note in notes]:
                finding("timestamp-note", "note_sha256", "no checkpoint of this size was stamped")
            if digest not in token:
                finding("timestamp-imprint", "token", "the token stamps something else")
            if stamped_at > now + CLOCK_SKEW:
                finding("timestamp-time", "stamped_at", "in the future")
            if keys.verify_token is None:
                continue
            try:
                if keys.verify_token(token, digest) != stamped_at:
                    finding("timestamp-time", "stamped_at", "the token says another time")
            except TokenError:
                finding("timestamp-signature", "token", "not a token of a known authority for this checkpoint")


async def _check_gaps(source: FsckSource, now: datetime, report: Report) -> None:
    last_gap = 0
    async for page in source.timestamp_gaps():
        for size, noticed_at, code, signed_at in page:
            if size == last_gap:
                report(AuditFinding("timestamp-gap-repeated", "timestamp_gap", f"size={size}", "stands more than once"))
            last_gap = size
            if (
                code not in _GAP_CODES
                or signed_at is None
                or not signed_at - CLOCK_SKEW <= noticed_at <= now + CLOCK_SKEW
            ):
                reason = "no gap can have been noticed for this checkpoint with this code at this time"
                report(AuditFinding("timestamp-gap", "timestamp_gap", f"size={size}", reason))
