"""Reading a row of ``rules/clocks.yaml``, and everything that can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gateway.core.clock.input import InputKind, parse_condition, parse_input_kind
from gateway.core.clock.length import Length, parse_length
from gateway.core.clock.rule import STEP, Choice, ClockRule, ClockSettings, Extension, Guard, Step, TrialStart
from gateway.core.fact.fact import INPUTS
from gateway.core.identity import Role
from gateway.core.rule import RuleRow

OWNERS: Final = ("police", "procuratorate", "court", "justice", "holder")


def parse_row(source: RuleRow, settings: ClockSettings, problems: list[str]) -> ClockRule | None:
    """Read one row.

    Args:
        source: the row.
        settings: chosen readings.
        problems: takes what is wrong with the row.

    Returns:
        the row; None when it cannot be read.
    """
    row, rule = source.content, source.rule
    try:
        inputs = {name: parse_input_kind(value) for name, value in row.get("inputs", {}).items()}
        choices = _replace(_parse_choices(row["length"], inputs), settings.lengths.get(rule.id))
        assume = {name: inputs[name].read(value) for name, value in row.get("assume", {}).items()}
        extensions = {item["name"]: _parse_extension(item) for item in row.get("extensions", [])}
        parsed = ClockRule(
            rule,
            str(row["title"]),
            _one_of(row["belongs_to"], person=True, file=False, account=False),
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
            row["belongs_to"] == "account",
            {name: _parse_step(step) for name, step in row.get("steps", {}).items()},
            _parse_guard(row),
            dict(row.get("becomes", {})),
            row.get("restarts", False),
            _parse_owner(row["owner"]),
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
    yield from _find_step_problems(row)
    for extension in row.extensions.values():
        if extension.after and extension.after not in row.extensions:
            yield f"{extension.name} comes after an unknown extension"
        lengths = [length for length in (extension.by, extension.to, extension.at_least) if length]
        if {length.unit for length in lengths} - units:
            yield f"{extension.name} is counted in another unit"


def _find_step_problems(row: ClockRule) -> Iterable[str]:
    words = row.inputs[STEP].words if STEP in row.inputs else ()
    if set(row.steps) != set(words):
        yield "steps must name every word of the input step"
    for which, events, all_events in (
        ("start", [event for step in row.steps.values() for event in step.starts], row.starts),
        ("stop", [event for step in row.steps.values() for event in step.stops], row.stops),
    ):
        if row.steps and set(events) != set(all_events):
            yield f"the steps must {which} by the events of the row"
    if {step.after for step in row.steps.values()} - {"", *row.steps}:
        yield "a step comes after an unknown step"
    if set(row.becomes) - set(row.stops):
        yield "it becomes another clock by an event that does not stop it"
    for guard in (row.guard, *(step.guard for step in row.steps.values())):
        for name, values in [*guard.only_if.items(), *guard.not_if.items()]:
            if name not in INPUTS or not all(INPUTS[name](value) for value in values):
                yield f"a condition on {name} that no fact can fulfil"


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


def _parse_owner(value: Any) -> str:
    if value not in OWNERS:
        raise ValueError(f"an owner is one of {', '.join(OWNERS)}")
    return str(value)


def _parse_step(item: Mapping[str, Any]) -> Step:
    if not {"start", "stop"} <= item.keys() <= {"start", "stop", "after", "only_if", "not_if"}:
        raise ValueError("a step has start and stop, it may have after, only_if and not_if")
    return Step(tuple(item["start"]), tuple(item["stop"]), _parse_guard(item), item.get("after", ""))


def _parse_guard(item: Mapping[str, Any]) -> Guard:
    only_if, not_if = (
        {name: tuple(value) if isinstance(value, list) else (value,) for name, value in item.get(key, {}).items()}
        for key in ("only_if", "not_if")
    )
    return Guard(only_if, not_if)


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
    known = {
        "name", "by", "to", "at_least", "after", "repeats", "request_before", "granted_by", "stated_by", "post",
        "in_custody",
    }  # fmt: skip
    if not {"name", "granted_by", "stated_by"} <= item.keys() <= known or ("by" in item) == ("to" in item):
        raise ValueError("an extension has name, granted_by, stated_by and either by or to")
    lengths = {
        key: parse_length(item[key])
        for key in ("by", "to", "at_least", "request_before")
        if key in item and item[key] != "same"
    }
    return Extension(
        item["name"],
        after=item.get("after", ""),
        repeats=item.get("repeats", False),
        granted_by=frozenset(map(Role, item["granted_by"])),
        stated_by=frozenset(map(Role, item["stated_by"])),
        post=item.get("post", ""),
        in_custody=item.get("in_custody", ""),
        **lengths,
    )


def _replace(choices: tuple[Choice, ...], chosen: Length | None) -> tuple[Choice, ...]:
    if chosen is None:
        return choices
    if not choices or choices[0].length.unit != chosen.unit:
        raise ValueError("the chosen length is counted in another unit")
    return (Choice((), chosen),)
