"""A pack that is being verified: its bag, what was read of it so far, and where the findings go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from gateway.audit.bag import Bag
from gateway.audit.finding import AuditFinding, Findings, Severity
from gateway.core.entry import Entry
from gateway.core.log.witness_policy import WitnessPolicy


@dataclass(frozen=True, slots=True)
class Trust:
    """What the auditor trusts beforehand; what is not given is taken from the pack, with a warning.

    Args:
        signing_cas: CAs of signing certificates.
        policy: key of the log, witnesses and quorum.
        tsa_cas: CAs of time-stamp authorities.
    """

    signing_cas: tuple[x509.Certificate, ...] = ()
    policy: WitnessPolicy | None = None
    tsa_cas: tuple[x509.Certificate, ...] = ()


@dataclass(slots=True)
class Pack:
    """What the steps of a verification share.

    Args:
        bag: the container.
        trust: what is trusted beforehand.
        report: takes the findings.
        used: files that belong to something.
        entries: entries of the case by index.
        leaves: their bytes.
        expected: digests of the materials that manifests name.
        size: of the tree of the head.
        root: of that tree, 32 bytes.
        bundles: bundles read.
        destroyed: index of the entry that destroyed the case; None when it is whole.
    """

    bag: Bag
    trust: Trust
    report: Findings
    used: set[str] = field(default_factory=lambda: {"README.md", "case.json"})
    entries: dict[int, Entry] = field(default_factory=dict)
    leaves: dict[int, bytes] = field(default_factory=dict)
    expected: set[str] = field(default_factory=set)
    size: int = 0
    root: bytes = b""
    bundles: int = 0
    destroyed: int | None = None

    def take(self, path: str) -> bytes | None:
        """Read a file, which then belongs to something; None when it is not there."""
        self.used.add(path)
        return self.bag.read(path)

    def json(self, path: str, check: str) -> dict[str, Any]:
        """Read a JSON object; {} and a finding when it is none."""
        data = self.take(path)
        try:
            value = json.loads(data) if data is not None else None
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            self.wrong(check, path, "is missing or is not a JSON object")
            return {}
        return value

    def wrong(self, check: str, where: str, reason: str, index: int | None = None) -> None:
        """Report what is wrong."""
        self.report(AuditFinding(check, where, "", reason, index))

    def unsure(self, check: str, where: str, reason: str) -> None:
        """Report what proves less than it seems."""
        self.report(AuditFinding(check, where, "", reason, severity=Severity.WARNING))

    def unknown(self, check: str, where: str, reason: str, index: int | None = None) -> None:
        """Report what could not be checked."""
        self.report(AuditFinding(check, where, "", reason, index, Severity.UNKNOWN))
