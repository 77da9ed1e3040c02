"""A fact: that something happened to a person, or to the file, at a time.

Clocks are what the rules make of facts; nothing else starts or stops them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.core.clock_due import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened.

    Args:
        kind: an event of ``rules/clocks.yaml``, such as ``detained``.
        at: a day, when the time is not known, or an aware instant.
        person: key of the person, and after ``flows`` the person's pseudonym; "" for the file.
        inputs: facts on which the length of a clock depends, such as ``expected_months``.
    """

    kind: str
    at: Moment
    person: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
