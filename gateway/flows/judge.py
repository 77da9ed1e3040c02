"""The procedure's judgement of a record, where it is handed over and where a court accepts it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gateway.core.annex import Annex
from gateway.core.dossier import Carried, Point
from gateway.core.errors import Finding
from gateway.core.identity import Agency
from gateway.core.judge.outcome import RuleOutcome
from gateway.core.judge.proceeding import make_dossier
from gateway.core.manifest import Manifest, parse_manifest
from gateway.core.port.ledger import StoredHandoff
from gateway.core.route import RecordKind
from gateway.core.signed import payload_of
from gateway.flows.annex import read_annexes
from gateway.flows.carried import find_carried
from gateway.flows.parts import Parts
from gateway.flows.read import load_material, read_record
from gateway.flows.request import to_canonical
from gateway.flows.stated import OVERRIDE, find_stated

if TYPE_CHECKING:
    from gateway.core.case.case import Reading


def judge_reading(
    parts: Parts,
    reading: Reading,
    now: datetime,
    *,
    point: Point | None = None,
    annexes: tuple[Annex, ...] = (),
    carried: tuple[Carried, ...] = (),
    register: Mapping[str, Mapping[str, Any]] | None = None,
    reviews: tuple[Mapping[str, Any], ...] = (),
    overrides: tuple[Mapping[str, Any], ...] = (),
) -> RuleOutcome:
    """Judge a record that was read without error.

    Args:
        parts: the filled ports.
        reading: of the record.
        now: gateway time, aware.
        point: None for that of the kind of the record.
        annexes: of the bundle, as read.
        carried: unchanged documents that the record does not name.
        register: officers' register of the sender; None when none is known.
        reviews: legal reviews that the sender stated of the case.
        overrides: findings that the sender has overridden in the case.

    Returns:
        the outcome; NOT_EVALUATED for a record of a kind that nobody judges.
    """
    case = reading.case
    if case is None:
        return parts.procedure.judge(None)
    dossier = make_dossier(
        case,
        now,
        point=point,
        annexes=annexes,
        carried=carried,
        overrides=overrides,
        reviews=reviews,
        register=register,
    )
    return parts.procedure.judge(dossier)


async def judge_overridden(
    parts: Parts, reading: Reading, manifest: Manifest, now: datetime, *, before: int | None = None, **seen: Any
) -> RuleOutcome:
    """Judge a record, and once more with the overrides of its sender if something was found that may be overridden.

    Args:
        parts: the filled ports.
        reading: of the record.
        manifest: of its bundle.
        now: gateway time, aware.
        before: index of an entry; overrides that were stated after it do not count. None for none.
        seen: the rest, as ``judge_reading`` takes it.

    Returns:
        the outcome.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE.
    """
    outcome = judge_reading(parts, reading, now, **seen)
    if not outcome.is_overridable:
        return outcome
    overrides = await find_stated(parts, OVERRIDE, manifest.sender, manifest.case_number, before=before)
    return judge_reading(parts, reading, now, overrides=overrides, **seen) if overrides else outcome


def to_findings(parts: Parts, reading: Reading, outcome: RuleOutcome) -> list[Finding]:
    """What the sender is told, with paths in the sender's own file."""
    return [finding.to_finding(lambda field: parts.adapters.locate(reading, field)) for finding in outcome.findings]


async def judge_acceptance(parts: Parts, caller: Agency, stored: StoredHandoff | None) -> RuleOutcome | None:
    """Judge the stored record again on the day on which a court accepts it.

    Args:
        parts: the filled ports.
        caller: who accepts.
        stored: the handoff, None when there is none; the ledger refuses that, as it does for a destroyed case.

    Returns:
        the outcome, which refuses nothing: a case that may not stay on the fast track is tried by another procedure;
        None when this is no acceptance of an indictment by its court.
    """
    if stored is None or stored.is_destroyed:
        return None
    if stored.row.kind != RecordKind.INDICTMENT or stored.row.receiver != str(caller):
        return None
    manifest = parse_manifest(to_canonical(payload_of(stored.manifest_jws)))
    record = manifest.native_record
    data = stored.record or await load_material(parts, record.sha256, record.size)
    reading = await read_record(parts, data, manifest)
    annexes, _ = await read_annexes(parts, manifest, ())
    carried = await find_carried(parts, manifest, reading.case)
    now, point = parts.clock(), Point.COURT_ACCEPTANCE
    return await judge_overridden(parts, reading, manifest, now, point=point, annexes=annexes, carried=carried)
