"""From a record to its dossier: at which point it is judged, and on which day.

The day of the proceeding is the record's own: a transfer is judged on the day it was sent, an indictment on its day, a
judgment on the day it was pronounced, so that a file that waits in a queue is not judged by another law or age. It is
never later than the gateway's day, because a day to come would make a minor an adult; and never earlier than the
filing of the case and the other days of the procedure that the record itself names, because nobody indicts before he
received the file. Acceptance is an act at the gateway, so it is judged on the gateway's day.

Source: domain model, section 1.3 (four points).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.case.case import Case
from gateway.core.case.value import CHINA_TIME
from gateway.core.dossier import Carried, Dossier, Point
from gateway.core.route import RecordKind

POINT_OF_KIND: Final[Mapping[str, Point]] = {
    RecordKind.TRANSFER: Point.TRANSFER,
    RecordKind.RETRANSFER: Point.TRANSFER,
    RecordKind.INDICTMENT: Point.INDICTMENT,
    RecordKind.JUDGMENT: Point.HEARING,
    RecordKind.EXECUTION: Point.OTHER,
}
"""Kinds of records that are judged; of an execution only the documents are."""


def proceeding_day(case: Case, point: Point, now: datetime) -> date:
    """The day by which a record is judged.

    Args:
        case: the record.
        point: where it stands.
        now: gateway time, aware.

    Returns:
        a day in China, see above.
    """
    today = now.astimezone(CHINA_TIME).date()
    if point is Point.COURT_ACCEPTANCE:
        return today
    own = {Point.INDICTMENT: case.indicted_on, Point.HEARING: case.judgment_on}.get(point)
    own = own or case.sent_at.astimezone(CHINA_TIME).date()
    named = [own, case.filed_on]
    if point is Point.INDICTMENT and case.received_at is not None:
        named.append(case.received_at.astimezone(CHINA_TIME).date())
    if point is Point.HEARING:
        named += [case.indicted_on, case.court_filed_on]
    return min(max(day for day in named if day is not None), today)


def make_dossier(
    case: Case,
    now: datetime,
    *,
    point: Point | None = None,
    annexes: tuple[Annex, ...] = (),
    carried: tuple[Carried, ...] = (),
    overrides: tuple[Mapping[str, Any], ...] = (),
    reviews: tuple[Mapping[str, Any], ...] = (),
    register: Mapping[str, Mapping[str, Any]] | None = None,
) -> Dossier | None:
    """Put together what a judgement may look at.

    Args:
        case: the record.
        now: gateway time, aware.
        point: None for that of the kind of the record.
        annexes: of the bundle.
        carried: what the manifest names as unchanged and the record does not name.
        overrides: findings that the sender has overridden in this case.
        reviews: legal reviews that the sender stated of the case; only a transfer is judged by them.
        register: rows of the officers' register of the sender; a transfer is judged by those of the officers whom the
            record names, and by an empty row for one who is not in it.

    Returns:
        the dossier; None for a record of a kind that nobody judges.
    """
    point = point or POINT_OF_KIND.get(case.kind)
    if point is None or (point is Point.OTHER and case.receiver.startswith("pr:")):
        return None
    return Dossier(
        point=point, on=proceeding_day(case, point, now), case=case, annexes=annexes, carried=carried,
        overrides=overrides,
        reviews=reviews if point is Point.TRANSFER else (),
        register=_named(case, register) if register and point is Point.TRANSFER else {},
    )  # fmt: skip


def _named(case: Case, register: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    return {officer.no: register.get(officer.no, {}) for officer in case.officers}
