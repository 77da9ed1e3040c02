"""Verifies an evidence pack offline: no database, no network, nothing of the gateway but its core.

1. The container is harmless, and a bag whose files are those that were listed.
2. The index is of this format and names what is there, and nothing else is there.
3. Every leaf is what the gateway writes, for its index, of one log and one case.
4. The case is whole: its first entry, and each following one, decided again by the rules.
5. Every leaf is in the tree of the head.
6. The head is signed by the log, and enough witnesses cosigned it; a time stamp is for this head.
7. Every receipt is signed by the gateway for a batch, and leads from its entry to what was signed.
8. Every bundle and statement is the one in the ledger, signed by its sender or issuer with a certificate that was
   valid when it was recorded; its key was registered before and not revoked before, by entries that are in the tree.
9. Every record, text of a decision, rendition and material is the one whose digest was recorded.

Everything that is wrong is reported at once; only step 1 can end the verification.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from gateway.audit.bag import BagError, open_bag
from gateway.audit.case_replay import CaseReplay
from gateway.audit.evidence import FORMAT
from gateway.audit.finding import AuditFinding, Findings, Severity
from gateway.audit.leaf_form import parse_entry
from gateway.audit.pack import Pack, Trust
from gateway.audit.pack_file import FileCheck
from gateway.audit.pack_head import HeadCheck
from gateway.audit.pack_key import KeyCheck
from gateway.audit.pack_signature import SignatureCheck
from gateway.core.entry import EntryKind, leaf_hash

VERIFIED, INCOMPLETE, WRONG, REFUSED = 0, 1, 4, 5
"""Exit codes: all verified; nothing wrong, but something could not be checked; wrong; the container is refused."""
_LEAF: Final = re.compile(r"leaves/(0|[1-9][0-9]{0,17})\.json", re.ASCII)


@dataclass(slots=True)
class Verified:
    """What came of a verification.

    Args:
        findings: all of them.
        entries: leaves read.
        bundles: bundles read.
        size: of the tree of the head.
        code: exit code.
    """

    findings: list[AuditFinding] = field(default_factory=list)
    entries: int = 0
    bundles: int = 0
    size: int = 0
    code: int = VERIFIED


def verify_pack(path: Path, trust: Trust) -> Verified:
    """Verify a pack; see the steps above.

    Args:
        path: the zip.
        trust: what is trusted beforehand.

    Returns:
        everything that was found.

    Raises:
        OSError: the file cannot be read.
    """
    findings = Findings()
    try:
        # 1
        with open_bag(path) as bag:
            for name, reason in bag.problems:
                findings(AuditFinding("bag-file", name, "", reason))
            read = Pack(bag, trust, findings)
            _verify(read)
    except BagError as error:
        return Verified([AuditFinding("bag-refused", "pack", "", str(error))], code=REFUSED)
    severities = {finding.severity for finding in findings.kept}
    code = WRONG if Severity.ERROR in severities else INCOMPLETE if severities else VERIFIED
    return Verified(findings.kept, len(read.entries), read.bundles, read.size, code)


def _verify(pack: Pack) -> None:
    """Steps 2 to 9."""
    index = _read_index(pack)
    cas = _signing_cas(pack)
    _check_leaves(pack)
    _check_case(pack, index)
    HeadCheck(pack).run(index)
    SignatureCheck(pack, cas).run(index)
    KeyCheck(pack).run(index)
    FileCheck(pack).run(index)
    for name in pack.bag.digests:
        if name not in pack.used:
            pack.wrong("file-stray", name, "belongs to nothing in the pack")


def _read_index(pack: Pack) -> dict[str, Any]:
    index = pack.json("case.json", "index")
    if index and index.get("format") != FORMAT:
        pack.wrong("index", "case.json", f"not of the format {FORMAT}")
    return index


def _signing_cas(pack: Pack) -> tuple[x509.Certificate, ...]:
    data = pack.take("keys/signing-ca.pem")
    if pack.trust.signing_cas:
        return pack.trust.signing_cas
    pack.unsure("trust-signing-ca", "keys/signing-ca.pem", "the CA is the one that the pack brought along")
    try:
        return tuple(x509.load_pem_x509_certificates(data or b""))
    except ValueError:
        pack.wrong("trust-signing-ca", "keys/signing-ca.pem", "there is no CA in it")
        return ()


def _check_leaves(pack: Pack) -> None:
    for name in pack.bag.names("leaves/"):
        match = _LEAF.fullmatch(name)
        leaf = pack.take(name)
        if match is None or leaf is None:
            pack.wrong("leaf-name", name, "not the name of a leaf")
            continue
        number = int(match[1])
        entry = parse_entry(leaf)
        if entry is None or entry.index != number:
            pack.wrong("leaf-form", name, "not a leaf of this index that the gateway writes", number)
            continue
        pack.entries[number], pack.leaves[number] = entry, leaf
        if entry.kind is EntryKind.CASE_DESTROYED:
            pack.destroyed = number
            reason = "the case was destroyed: bundles, texts and renditions that are not here cannot be asked for"
            pack.unsure("case-destroyed", name, reason)


def _check_case(pack: Pack, index: dict[str, Any]) -> None:
    order = sorted(pack.entries)

    def report(finding: AuditFinding) -> None:
        where = f"leaves/{finding.index}.json"
        pack.report(AuditFinding(finding.check, where, "", finding.reason, finding.index))

    replay = CaseReplay(report)
    for number in order:
        tracks = f"tracks/{number}.json"
        track = pack.bag.read(tracks) or b""
        if track:
            pack.used.add(tracks)
        replay.judge(number, pack.leaves[number], leaf_hash(pack.leaves[number]), track)
    listed = index.get("entries")
    named = [
        (item.get("index"), item.get("kind"), item.get("handoff"), item.get("case_sequence"))
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict)
    ]
    found = [
        (number, str(pack.entries[number].kind), pack.entries[number].handoff, pack.entries[number].case_sequence)
        for number in order
    ]
    if named != found or not found:
        pack.wrong("index-entries", "case.json", "does not name exactly the leaves that are there")
    sequences = [pack.entries[number].case_sequence for number in order]
    if sequences != list(range(1, len(order) + 1)):
        pack.wrong("case-whole", "leaves", "entries of the case are missing")
    said = {"case": {entry.case for entry in pack.entries.values()}, "origin": {replay.origin}}
    for name, values in said.items():
        if values != {str(index.get(name))}:
            pack.wrong("index-case", "case.json", f"does not name the {name} of the leaves")
