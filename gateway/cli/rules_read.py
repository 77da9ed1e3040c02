"""A record on this machine, read and made ready to be judged, for ``fasttrack rules``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gateway.cli.local_file import read_at_most

if TYPE_CHECKING:
    from gateway.core.annex import Annex
    from gateway.core.case.record import Reading
    from gateway.core.dossier import Dossier
    from gateway.core.errors import Finding
    from gateway.core.identity import Role
    from gateway.core.judge.outcome import RuleFinding
    from gateway.core.judge.rule_set import JudgeRuleSet


@dataclass(frozen=True, slots=True)
class LocalRecord:
    """A record that was read.

    Args:
        reading: with its findings; one with errors has no dossier.
        locate: gives the path in the sender's own file for a canonical field.
        dossier: None for a record with errors, and for one of a kind that nobody judges.
        beside: what the forms say of the annexes that were given with it.
    """

    reading: Reading
    locate: Callable[[str], str]
    dossier: Dossier | None
    beside: tuple[Finding, ...] = ()

    def to_plain(self, finding: RuleFinding) -> dict[str, Any]:
        """A finding as JSON has it, with the path in the sender's own file."""
        return {
            "rule": finding.rule,
            "code": int(finding.code),
            "name": finding.code.name,
            "severity": finding.severity.value,
            "path": finding.locate(self.locate),
            "field": finding.field,
            "message": finding.message,
            "basis": finding.basis,
            "cure": finding.cure,
            "is_missing": finding.is_missing,
            "is_overridable": finding.is_overridable,
            "override": finding.override,
        }


def read_local(
    file: Path, sender: str, receiver: str, day: datetime | None, *, annexes: list[Path], register: Path | None
) -> LocalRecord:
    """Read a record and put its dossier together.

    Args:
        file: native record.
        sender: adapter of the agency that wrote it; "" for the first whose schema it is in.
        receiver: adapter of the agency that it is for; "" for the first that has a route.
        day: day of the gateway; None for today.
        annexes: files of annexes that go with it.
        register: of the sender's officers, a body or a table; None for none.

    Returns:
        the record.

    Raises:
        typer.BadParameter: an unknown agency, or a file that cannot be read.
    """
    from gateway.app import adapters, now  # noqa: PLC0415 - the tables are loaded only when a file is read
    from gateway.cli.annex import read_beside  # noqa: PLC0415 - as above
    from gateway.core.case.value import CHINA_TIME  # noqa: PLC0415 - as above
    from gateway.core.form.definition import Scene  # noqa: PLC0415 - as above
    from gateway.core.identity import parse_agency  # noqa: PLC0415 - as above
    from gateway.core.judge.proceeding import make_dossier  # noqa: PLC0415 - as above
    from gateway.core.manifest import MAX_RECORD_BYTES  # noqa: PLC0415 - as above

    known = adapters()
    for option, name in (("--from", sender), ("--to", receiver)):
        if name and name not in known.names():
            raise typer.BadParameter(f"not one of {', '.join(known.names())}", param_hint=option)
    try:
        data = read_at_most(file, MAX_RECORD_BYTES)
    except OSError as error:
        raise typer.BadParameter(f"cannot be read: {error.strerror}", param_hint="FILE") from error
    ways = [(one, other) for one in known.names() for other in known.names() if one != other]
    wanted = [way for way in ways if sender in ("", way[0]) and receiver in ("", way[1])]
    reading = _best(known.read_any(data, sender=one, receiver=other) for one, other in wanted)
    if reading.header is None and not sender:
        raise typer.BadParameter("no agency's schema; name who wrote it with --from to see why", param_hint="FILE")
    role = parse_agency(reading.header.sender).role if reading.header is not None else None
    read, faults, rows, book = read_beside(annexes, register, role.value if role is not None else "")
    dossier = None
    at = now() if day is None else datetime.combine(day, time.max, CHINA_TIME)
    stated, wrong = _overrides(read, rows, role, at)
    if not reading.has_errors and reading.case is not None:
        dossier = make_dossier(reading.case, at, annexes=read, register=rows, overrides=stated)
    case = None if reading.has_errors else reading.case
    scene = Scene(at.astimezone(CHINA_TIME).date(), book.rules.settings, read, case, register=rows, limits=book.limits)
    beside = (*faults, *book.check(read, scene), *wrong)
    return LocalRecord(reading, partial(known.locate, reading), dossier, beside)


def _overrides(
    read: tuple[Annex, ...], rows: Mapping[str, Mapping[str, Any]], role: Role | None, at: datetime
) -> tuple[tuple[Mapping[str, Any], ...], list[Finding]]:
    """Overrides among the files, those that a gateway would take; of the others what is wrong with them."""
    from gateway.core.judge.override import NAME, to_override  # noqa: PLC0415 - with the rules
    from gateway.core.judge.rule_set import load_rule_set  # noqa: PLC0415 - as above
    from gateway.core.procedure.finding_override import find_override_problems  # noqa: PLC0415 - as above

    stated: list[Mapping[str, Any]] = []
    findings: list[Finding] = []
    for annex in read:
        if annex.name == NAME and role is not None:
            problems = list(find_override_problems(annex.data, load_rule_set(), rows, by=role, at=at))
            findings += [replace(problem, path=f"{annex.path}#{problem.path}") for problem in problems]
            if not problems:
                stated.append(to_override(annex.data))
    return tuple(stated), findings


def _best(readings: Iterator[Reading]) -> Reading:
    """The way that the record itself names: the first without error, else the one on which reading came furthest."""
    from gateway.core.errors import ErrorCode  # noqa: PLC0415 - with the adapters

    def rank(reading: Reading) -> tuple[bool, bool, bool]:
        codes = {finding.code for finding in reading.findings}
        return (
            reading.header is None,
            ErrorCode.KIND_NOT_ROUTED in codes,
            ErrorCode.PARTY_MISMATCH in codes,
        )

    tried: list[Reading] = []
    for reading in readings:
        if not reading.has_errors:
            return reading
        tried.append(reading)
    if not tried:
        raise typer.BadParameter("there is no other agency that it could be for", param_hint="--to")
    return min(tried, key=rank)


def load_rules(settings: Path | None) -> JudgeRuleSet:
    """The rule set of today, with the readings of a file.

    Args:
        settings: YAML; None for the readings of the rules.

    Returns:
        the rule set.

    Raises:
        typer.BadParameter: the file cannot be read or used.
    """
    from gateway.core.judge.rule_set import load_chosen, load_rule_set  # noqa: PLC0415 - loads yaml
    from gateway.core.rule import RuleFileError, parse_yaml  # noqa: PLC0415 - as above

    if settings is None:
        return load_rule_set()
    try:
        return load_chosen(parse_yaml(settings.name, settings.read_bytes()), settings.name)
    except RuleFileError as error:
        raise typer.BadParameter(f"{error}; see gateway/core/rules/README.md", param_hint="--settings") from error
    except OSError as error:
        raise typer.BadParameter(f"cannot be read: {error.strerror}", param_hint="--settings") from error
