"""The table of clocks: ``rules/clocks.yaml`` with the chosen readings, read once and checked whole.

Source: domain model, section 1.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date
from functools import cache
from hashlib import sha256
from typing import Any, Final

from gateway.core.clock.due import Counting
from gateway.core.clock.input import InputKind
from gateway.core.clock.length import Length, MonthRule, parse_length
from gateway.core.clock.row import parse_row
from gateway.core.clock.rule import ClockRule, ClockSettings, TrialStart
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.rule import Confidence, RuleFileError, RuleSet, load_rules

RULES: Final = "clocks"
_NAME_DIGITS: Final = 16
REQUIRED: Final = ("title", "belongs_to", "owner", "start", "stop", "length", "roll", "force")
_MOST_HOURS: Final = 240
"""Of an outage; a reading by which a signature of any age counts would be no limit any more."""
OPTIONAL: Final = (
    "inputs", "assume", "extensions", "suspended_by", "max_runs", "steps", "only_if", "not_if", "becomes", "restarts",
)  # fmt: skip


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
        self.digest: Final = rules.digest
        self.settings: Final = settings or parse_settings(rules.name, rules.settings)
        problems: list[str] = []
        self.rows: Final = tuple(
            row for source in rules.rows if (row := parse_row(source, self.settings, problems)) is not None
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
        problems.extend(
            f"{row.id}: becomes the unknown {other}"
            for row in self.rows
            for other in row.becomes.values()
            if other not in self._by_id
        )
        problems.extend(_find_bad_lengths(self.settings, self._by_id))
        if problems:
            raise RuleFileError(rules.name, problems)
        self.inputs: Final[Mapping[str, tuple[InputKind, ...]]] = {
            name: tuple(row.inputs[name] for row in self.rows if name in row.inputs)
            for name in sorted({name for row in self.rows for name in row.inputs})
        }
        self.suspending: Final = frozenset(other for row in self.rows for other in row.suspended_by)
        self.started_by: Final = _index((row.id, row.starts) for row in self.rows)
        self.stopped_by: Final = _index((row.id, row.stops) for row in self.rows)
        self.person_events: Final = frozenset(
            event for row in self.rows if row.is_of_person for event in (*row.starts, *row.stops)
        )

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
            own = rule.inputs.get(name)
            kinds = (own,) if own is not None else self.inputs.get(name, ())
            if value is None and kinds:
                continue
            if own is not None and (read := own.read(value)) is not None:
                known[name] = read
            elif own is not None or all(kind.read(value) is None for kind in kinds):
                wanted = f"it must be {kinds[0].wording}" if kinds else "no clock depends on it"
                path = f"/inputs/{name}" if kinds else "/inputs"
                findings.append(Finding(ErrorCode.CLOCK_INPUT_INVALID, path, wanted))
        if findings:
            raise GatewayError(findings)
        return known


def _index(rows: Iterable[tuple[str, Iterable[str]]]) -> Mapping[str, tuple[str, ...]]:
    """Ids of clocks by event, in order of the table."""
    found: dict[str, dict[str, None]] = {}
    for kind, events in rows:
        for event in events:
            found.setdefault(event, {})[kind] = None
    return {event: tuple(kinds) for event, kinds in found.items()}


def name_counting(table: ClockTable, counting: Counting) -> str:
    """Name what limits are counted by, so that two processes that would count differently can be told apart.

    Args:
        table: of clocks.
        counting: calendar and readings.

    Returns:
        id of the table, and 16 hexadecimal digits of a digest of its file, the chosen readings and all holidays:
        "clocks/2026.1 0123456789abcdef".
    """
    chosen = {item.name: getattr(counting.settings, item.name) for item in fields(counting.settings)}
    chosen["lengths"] = sorted((kind, str(length)) for kind, length in counting.settings.lengths.items())
    readings = "\n".join(f"{name}={value}" for name, value in chosen.items())
    digest = sha256(table.digest + counting.calendar.digest + readings.encode()).hexdigest()
    return f"{table.id} {digest[:_NAME_DIGITS]}"


def parse_settings(name: str, value: Any, defaults: Mapping[str, Any] | None = None) -> ClockSettings:
    """Read the settings of a table of clocks.

    Args:
        name: of the file, for messages.
        value: mapping with month_rule, weekend_rolls, trial_start, signed_send_hours and lengths.
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
        "signed_send_hours": _parse_hours,
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


def _parse_hours(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_HOURS:
        raise ValueError(f"it must be a number of hours, 0 to {_MOST_HOURS}")
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
