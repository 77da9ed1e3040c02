"""When what was sent counts as sent: when the gateway has it, or when it was signed, as the operator reads the law.

Source: domain model, scenario 28 (an agency offline: policy flag, both times kept); CPL 105 (posted before expiry).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.core.clock.due import Moment, is_before
from gateway.core.fact.fact import Fact


def find_sent(fact: Fact, since: Moment, signed_send_hours: int) -> Moment:
    """Find the moment at which a fact ends its sender's limit.

    Args:
        fact: with ``signed_at`` when the gateway heard of it much later than it was signed.
        since: when the limit began; nobody answers a file before having it.
        signed_send_hours: the reading; 0 trusts no signature.

    Returns:
        the time of the signature when the reading trusts it, else that of the fact.
    """
    signed = fact.inputs.get("signed_at")
    if signed is None or not isinstance(fact.at, datetime):
        return fact.at
    moment = datetime.fromisoformat(signed)
    is_trusted = fact.at - moment <= timedelta(hours=signed_send_hours) and is_before(since, moment)
    return moment if is_trusted else fact.at
