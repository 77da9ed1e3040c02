"""What a row of the table of clocks says, and the readings that an operator may choose.

Source: domain model, section 1.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from gateway.core.clock.input import Condition, InputKind
from gateway.core.clock.length import Length, MonthRule
from gateway.core.errors import ErrorCode, refuse
from gateway.core.identity import Role
from gateway.core.rule import Rule

STEP: Final = "step"
"""The input that tells apart the clocks of one row that may run beside each other."""
RECIPIENT: Final = "recipient"
"""The input that tells apart the persons who were served."""

UNTIL: Final = "until"
"""The input that says when a limit ends at the latest, whatever its length: a freeze that was ordered for less."""


class TrialStart(StrEnum):
    """From when the fast-track trial runs; practice differs."""

    RECEIPT = "receipt"
    ACCEPTANCE = "acceptance"


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """Readings that an operator may choose; the defaults stand in ``rules/clocks.yaml``.

    Args:
        month_rule: from which day months are counted.
        weekend_rolls: an ordinary weekend counts as a holiday when a limit ends on it.
        trial_start: what starts K31.
        signed_send_hours: what was signed so long before it came counts as sent when it was signed; 0 for never.
        lengths: other lengths, by id, for rules that are neither statute nor source.
    """

    month_rule: MonthRule
    weekend_rolls: bool
    trial_start: TrialStart
    signed_send_hours: int = 0
    lengths: Mapping[str, Length] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extension:
    """A way in which a clock may be made longer before it has expired.

    Args:
        name: as acts and inputs name it.
        by: added to the length at most; None when ``to`` is given or when the first length is added again.
        to: the whole length then; None otherwise.
        at_least: the least that may be added; None when it is always the whole of ``by``.
        after: the extension that must have been granted before; "" for none.
        repeats: it may be granted more than once.
        request_before: how long before expiry it is to be asked for; None when nothing is said.
        granted_by: roles of the organs that may grant it.
        stated_by: roles of the agencies that may tell the ledger by an act; empty when another form tells it.
        post: post that must have decided it; "" when the law names none.
        in_custody: document by which the detention centre learns of the longer term of whom it holds; "" for none.
    """

    name: str
    by: Length | None = None
    to: Length | None = None
    at_least: Length | None = None
    after: str = ""
    repeats: bool = False
    request_before: Length | None = None
    granted_by: frozenset[Role] = frozenset()
    stated_by: frozenset[Role] = frozenset()
    post: str = ""
    in_custody: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A length and when it is the right one; the first choice that holds counts."""

    conditions: tuple[Condition, ...]
    length: Length


@dataclass(frozen=True, slots=True)
class Guard:
    """What must be known, or must not be, for a clock to start.

    Args:
        only_if: values of facts, one of which must be known.
        not_if: values of facts, none of which may be known.
        is_open: it asks for nothing.
    """

    only_if: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    not_if: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    is_open: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_open", not self.only_if and not self.not_if)

    def lets(self, known: Mapping[str, Any]) -> bool:
        """Whether the clock starts; a fact that is not known fulfils ``not_if`` and never ``only_if``."""
        for name, values in self.only_if.items():
            if known.get(name) not in values:
                return False
        return all(known.get(name) not in values for name, values in self.not_if.items())


@dataclass(frozen=True, slots=True)
class Step:
    """One of the limits of a row.

    Args:
        starts: events that start it.
        stops: events that stop it.
        guard: when it starts.
        after: step that must have run before; "" for none.
    """

    starts: tuple[str, ...]
    stops: tuple[str, ...]
    guard: Guard = field(default_factory=Guard)
    after: str = ""


@dataclass(frozen=True, slots=True)
class ClockRule:
    """One row.

    Args:
        rule: id, basis, article, validity.
        title: what the clock measures.
        is_of_person: False for a clock that belongs to the file.
        starts: events that start it.
        stops: events that stop it.
        choices: lengths; empty for a clock without length.
        rolls: its last day moves past holidays.
        is_hard: a legal limit; False for a service target.
        inputs: what the length may depend on.
        assume: values of inputs that count when nothing is given; always the shorter or the first step.
        extensions: by name.
        suspended_by: clocks during which it stands still.
        max_runs: how often it may start for one person in all; None for any number.
        is_of_account: it belongs to one of the accounts that were frozen.
        steps: the limits of the row, where it has several.
        guard: when it starts.
        becomes: by event that stops it, the clock that goes on from the same start.
        restarts: a further start sets it back to nothing.
        owner: whose duty the limit is: a system of the agencies, or ``holder`` for who has custody of the file.
        id: of the rule.
        unit: what it is counted in: "D", "WD", "h", or "" for a clock without length.
        asked: inputs on which the length depends and for which nothing is assumed.
        fixed: the length where it depends on nothing; None otherwise.
    """

    rule: Rule
    title: str
    is_of_person: bool
    starts: tuple[str, ...]
    stops: tuple[str, ...]
    choices: tuple[Choice, ...]
    rolls: bool
    is_hard: bool
    inputs: Mapping[str, InputKind] = field(default_factory=dict)
    assume: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    suspended_by: tuple[str, ...] = ()
    max_runs: int | None = None
    is_of_account: bool = False
    steps: Mapping[str, Step] = field(default_factory=dict)
    guard: Guard = field(default_factory=Guard)
    becomes: Mapping[str, str] = field(default_factory=dict)
    restarts: bool = False
    owner: str = "holder"
    id: str = field(init=False)
    unit: str = field(init=False)
    asked: tuple[str, ...] = field(init=False)
    fixed: Length | None = field(init=False)

    def __post_init__(self) -> None:
        names = [item.name for choice in self.choices for item in choice.conditions if item.name not in self.assume]
        # A row is made once and asked for these with every fact of every case.
        object.__setattr__(self, "id", self.rule.id)
        object.__setattr__(self, "unit", self.choices[0].length.unit if self.choices else "")
        object.__setattr__(self, "asked", tuple(dict.fromkeys(names)))
        is_fixed = len(self.choices) == 1 and not self.choices[0].conditions
        object.__setattr__(self, "fixed", self.choices[0].length if is_fixed else None)

    def choose_length(self, inputs: Mapping[str, Any]) -> Length | None:
        """Find the length for the facts of a person.

        Args:
            inputs: facts by name, checked by ``ClockTable.check_inputs``.

        Returns:
            the length; None for a clock without length.

        Raises:
            GatewayError: CLOCK_INPUT_MISSING; a fact that is not known is never taken for either answer.
        """
        for choice in self.choices:
            for condition in choice.conditions:
                value = inputs.get(condition.name, self.assume.get(condition.name))
                if value is None:
                    raise refuse(
                        ErrorCode.CLOCK_INPUT_MISSING,
                        f"/inputs/{condition.name}",
                        f"the length of {self.id} depends on {condition.name}",
                        self.rule.citation,
                    )
                if not condition.is_met(value):
                    break
            else:
                return choice.length
        return None
