"""The table of clocks: what each row of ``rules/clocks.yaml`` says, read once and checked whole.

Source: domain model, section 1.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, Final

from gateway.core.clock_input import Condition, InputKind, parse_condition, parse_input_kind
from gateway.core.clock_length import Length, MonthRule, parse_length
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.rule import Confidence, Rule, RuleFileError, RuleRow, RuleSet, load_rules

RULES: Final = "clocks"
REQUIRED: Final = ("title", "belongs_to", "start", "stop", "length", "roll", "force")
OPTIONAL: Final = ("inputs", "assume", "extensions", "suspended_by", "max_runs")
STEP: Final = "step"
"""The input that tells apart the clocks of one row that may run beside each other."""


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
        lengths: other lengths, by id, for rules that are neither statute nor source.
    """

    month_rule: MonthRule
    weekend_rolls: bool
    trial_start: TrialStart
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
    """

    name: str
    by: Length | None = None
    to: Length | None = None
    at_least: Length | None = None
    after: str = ""
    repeats: bool = False
    request_before: Length | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A length and when it is the right one; the first choice that holds counts."""

    conditions: tuple[Condition, ...]
    length: Length


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

    @property
    def id(self) -> str:
        """Id of the rule."""
        return self.rule.id

    @property
    def unit(self) -> str:
        """What it is counted in: "D", "WD", "h", or "" for a clock without length."""
        return self.choices[0].length.unit if self.choices else ""

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


class ClockTable:
    """All rows, with the chosen readings.

    Args:
        rules: of ``rules/clocks.yaml``.
        settings: None for the defaults of the file.

    Raises:
        RuleFileError: a row or a setting is not as it must be; all problems at once.
    """

    def __init__(self, rules: RuleSet, settings: ClockSettings | None = None) -> None:
        self.id: Final = rules.id
        self.settings: Final = settings or parse_settings(rules.name, rules.settings)
        problems: list[str] = []
        self.rows: Final = tuple(
            row for source in rules.rows if (row := _parse_row(source, self.settings, problems)) is not None
        )
        self._by_id: dict[str, list[ClockRule]] = {}
        for row in self.rows:
            self._by_id.setdefault(row.id, []).append(row)
        problems.extend(
            f"{row.id}: suspended by the unknown {other}"
            for row in self.rows
            for other in row.suspended_by
            if other not in self._by_id
        )
        problems.extend(_find_bad_lengths(self.settings, self._by_id))
        if problems:
            raise RuleFileError(rules.name, problems)
        self.inputs: Final[Mapping[str, tuple[InputKind, ...]]] = {
            name: tuple(row.inputs[name] for row in self.rows if name in row.inputs)
            for name in sorted({name for row in self.rows for name in row.inputs})
        }

    def has(self, kind: str) -> bool:
        """Whether there is a clock of this kind, in force or not."""
        return kind in self._by_id

    def find(self, kind: str, on: date) -> ClockRule:
        """Find the rule for a clock that starts on a day.

        Args:
            kind: id, such as "K22".
            on: day of the start.

        Returns:
            the row that holds on that day.

        Raises:
            GatewayError: CLOCK_UNKNOWN, CLOCK_NOT_IN_FORCE.
        """
        rows = self._by_id.get(kind)
        if rows is None:
            raise refuse(ErrorCode.CLOCK_UNKNOWN, "/kind", "there is no clock of this kind")
        for row in rows:
            if row.rule.is_valid(on):
                return row
        raise refuse(ErrorCode.CLOCK_NOT_IN_FORCE, "/start", f"no rule for {kind} holds on the day of the start")

    def check_inputs(self, rule: ClockRule, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Check facts and bring them into the form of the table.

        Args:
            rule: the row they are for; its own idea of a fact counts before that of other rows.
            inputs: facts by name; a fact of other clocks is allowed, an unknown one is not; None is "not known".

        Returns:
            those facts that the row depends on.

        Raises:
            GatewayError: CLOCK_INPUT_INVALID, all of them.
        """
        findings: list[Finding] = []
        known: dict[str, Any] = {}
        for name, value in inputs.items():
            kinds = (rule.inputs[name],) if name in rule.inputs else self.inputs.get(name, ())
            if value is None and kinds:
                continue
            read = next((read for kind in kinds if (read := kind.read(value)) is not None), None)
            if read is None:
                wanted = f"it must be {kinds[0].wording}" if kinds else "no clock depends on it"
                path = f"/inputs/{name}" if kinds else "/inputs"
                findings.append(Finding(ErrorCode.CLOCK_INPUT_INVALID, path, wanted))
            elif name in rule.inputs:
                known[name] = read
        if findings:
            raise GatewayError(findings)
        return known


def parse_settings(name: str, value: Any, defaults: Mapping[str, Any] | None = None) -> ClockSettings:
    """Read the settings of a table of clocks.

    Args:
        name: of the file, for messages.
        value: mapping with month_rule, weekend_rolls, trial_start and lengths.
        defaults: for those that are left out; None when all must be there.

    Returns:
        the settings.

    Raises:
        RuleFileError: one is missing, unknown or has another form.
    """
    readers: dict[str, Callable[[Any], Any]] = {
        "month_rule": MonthRule,
        "weekend_rolls": _parse_flag,
        "trial_start": TrialStart,
        "lengths": _parse_lengths,
    }
    value = {**(defaults or {}), **value} if isinstance(value, dict) else {}
    if value.keys() != readers.keys():
        raise RuleFileError(name, [f"settings must be a mapping of {', '.join(readers)}"])
    problems, read = [], {}
    for key, reader in readers.items():
        try:
            read[key] = reader(value[key])
        except (ValueError, TypeError, AttributeError) as error:
            problems.append(f"settings: {key}: {error}")
    if problems:
        raise RuleFileError(name, problems)
    return ClockSettings(**read)


def _parse_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("it must be true or false")
    return value


def _parse_lengths(value: Any) -> dict[str, Length]:
    return {str(kind): parse_length(text) for kind, text in value.items()}


def _find_bad_lengths(settings: ClockSettings, rows: Mapping[str, Iterable[ClockRule]]) -> Iterable[str]:
    for kind in settings.lengths:
        for row in rows.get(kind, ()):
            if row.rule.confidence in (Confidence.STATUTE, Confidence.SOURCE):
                yield f"settings: lengths: {kind} has its length from the law"
        if kind not in rows:
            yield f"settings: lengths: there is no {kind}"


def _parse_row(source: RuleRow, settings: ClockSettings, problems: list[str]) -> ClockRule | None:
    row, rule = source.content, source.rule
    try:
        inputs = {name: parse_input_kind(value) for name, value in row.get("inputs", {}).items()}
        choices = _parse_choices(row["length"], inputs)
        if (chosen := settings.lengths.get(rule.id)) is not None:
            if not choices or choices[0].length.unit != chosen.unit:
                raise ValueError("the chosen length is counted in another unit")
            choices = (Choice((), chosen),)
        assume = {name: inputs[name].read(value) for name, value in row.get("assume", {}).items()}
        extensions = {item["name"]: _parse_extension(item) for item in row.get("extensions", [])}
        parsed = ClockRule(
            rule,
            str(row["title"]),
            _one_of(row["belongs_to"], person=True, file=False),
            _parse_starts(row["start"], settings),
            tuple(map(str, row["stop"])),
            choices,
            _one_of(row["roll"], holiday=True, none=False),
            _one_of(row["force"], hard=True, service=False),
            inputs,
            assume,
            extensions,
            tuple(row.get("suspended_by", ())),
            row.get("max_runs"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problems.append(f"{rule.id}: {type(error).__name__}: {error}")
        return None
    problems.extend(f"{rule.id}: {problem}" for problem in _find_problems(parsed))
    return parsed


def _find_problems(row: ClockRule) -> Iterable[str]:
    units = {choice.length.unit for choice in row.choices}
    if len(units) > 1:
        yield "all lengths must be counted in one unit"
    if row.rolls and units != {"D"}:
        yield "only limits of days and months move past holidays"
    if row.suspended_by and units != {"D"}:
        yield "only limits of days and months can be suspended"
    if row.choices and row.choices[-1].conditions and not _covers_all(row):
        yield "the last length must hold for every case that is left"
    if not row.starts or not row.stops:
        yield "it needs events that start and stop it"
    if None in row.assume.values():
        yield "an assumed value has another form than the input"
    used = {condition.name for choice in row.choices for condition in choice.conditions}
    yield from (f"{name} is no input" for name in sorted(used - row.inputs.keys()))
    for extension in row.extensions.values():
        if extension.after and extension.after not in row.extensions:
            yield f"{extension.name} comes after an unknown extension"
        lengths = [length for length in (extension.by, extension.to, extension.at_least) if length]
        if {length.unit for length in lengths} - units:
            yield f"{extension.name} is counted in another unit"


def _covers_all(row: ClockRule) -> bool:
    """Whether the choices name every word of the one input that they ask for."""
    names = {condition.name for choice in row.choices for condition in choice.conditions}
    if len(names) != 1 or any(len(choice.conditions) != 1 for choice in row.choices):
        return False
    [name] = names
    words = {word for choice in row.choices for word in choice.conditions[0].words}
    return name in row.inputs and bool(row.inputs[name].words) and words >= set(row.inputs[name].words)


def _one_of(value: Any, **meanings: bool) -> bool:
    if value not in meanings:
        raise ValueError(f"{value} is none of {', '.join(meanings)}")
    return meanings[value]


def _parse_starts(value: Any, settings: ClockSettings) -> tuple[str, ...]:
    if isinstance(value, dict):
        [(name, events)] = value.items()
        if name != "trial_start" or events.keys() != set(TrialStart):
            raise ValueError("a start that depends on a setting names trial_start and both its values")
        value = events[settings.trial_start.value]
    return tuple(map(str, value))


def _parse_choices(value: Any, inputs: Mapping[str, InputKind]) -> tuple[Choice, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (Choice((), parse_length(value)),)
    choices = []
    for item in value:
        if not {"is"} <= item.keys() <= {"is", "when"}:
            raise ValueError("a length has is, it may have when, and nothing else")
        conditions = [parse_condition(name, wanted, inputs) for name, wanted in item.get("when", {}).items()]
        choices.append(Choice(tuple(conditions), parse_length(item["is"])))
    return tuple(choices)


def _parse_extension(item: Mapping[str, Any]) -> Extension:
    known = {"name", "by", "to", "at_least", "after", "repeats", "request_before"}
    if not {"name"} <= item.keys() <= known or ("by" in item) == ("to" in item):
        raise ValueError("an extension has name and either by or to")
    lengths = {
        key: parse_length(item[key])
        for key in ("by", "to", "at_least", "request_before")
        if key in item and item[key] != "same"
    }
    return Extension(item["name"], after=item.get("after", ""), repeats=item.get("repeats", False), **lengths)


@cache
def load_clock_table() -> ClockTable:
    """Read the table that comes with the package, with its default settings.

    Returns:
        the table; the same object each time.

    Raises:
        RuleFileError: the file is not as it must be.
    """
    return ClockTable(load_clock_rules())


def load_clock_rules() -> RuleSet:
    """Read the rows that come with the package, for a ``ClockTable`` with other settings.

    Returns:
        the rows.

    Raises:
        RuleFileError: the file is not as it must be.
    """
    return load_rules(RULES, required=REQUIRED, optional=OPTIONAL)
