"""The guard that needs rules: where the procedure judges a bundle before the ledger takes it.

A set of rules is a ``Procedure``. This one has no rules yet and says so in every entry: NOT_EVALUATED is a result of
its own and never reads as ELIGIBLE.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from gateway.core.manifest import Manifest
from gateway.core.ports import RuleOutcome

if TYPE_CHECKING:
    from gateway.core.case import Reading

NOT_EVALUATED: Final = "NOT_EVALUATED"


class EmptyRuleSet:
    """A rule set without rules; it lets every bundle through and records that nobody judged it."""

    def definitions(self) -> dict[str, str]:
        """SHA-256 of the rules of each rule set that it may name, by its id; that of nothing for no rules."""
        return {"empty/1": sha256(b"").hexdigest()}

    def judge(self, manifest: Manifest, reading: Reading, at: datetime) -> RuleOutcome:
        """Judge a bundle.

        Args:
            manifest: what the sender signed.
            reading: the record as read.
            at: gateway time, aware UTC.

        Returns:
            rule set ``empty/1`` with result NOT_EVALUATED and no findings.
        """
        del manifest, reading, at
        return RuleOutcome("empty/1", NOT_EVALUATED)
