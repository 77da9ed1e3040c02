"""A party's question how a case stands: what may be answered, to whom, and how often.

The answer is what an organ stated by ``case-progress``, five words and two days. The statement names the enquiry by
``subject_token``, the SHA-256 of the code on the receipt in hexadecimal; the gateway keeps an HMAC of that. A code is
therefore in no table and in no statement, and whoever reads the database cannot ask.

Source: MPS Opinion 2015; CPL 286 (sealed records of minors); domain model, section 3 (case-progress enquiry).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from gateway.core.case.case import Case, PartialDate
from gateway.core.clock.calendar import is_minor
from gateway.core.clock.due import to_day
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse

STATEMENT_TYPE: Final = "case-progress"
_CODE: Final = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """All that a party is told.

    Args:
        stage: ACCEPTED, FILED, NOT_FILED, TRANSFERRED or CLOSED.
        since: day since which it is so, ``2026-01-02``.
        next_remedy: where to turn next; "" for nowhere.
        remedy_until: last day for that; "" for none.
    """

    stage: str
    since: str
    next_remedy: str = ""
    remedy_until: str = ""


def parse_code(code: str) -> str:
    """Turn a code into the token by which a statement names it.

    Args:
        code: as it stands on the receipt.

    Returns:
        SHA-256 of it, 64 hexadecimal digits.

    Raises:
        GatewayError: ARGUMENT_INVALID.
    """
    if _CODE.fullmatch(code) is None:
        raise refuse(ErrorCode.ARGUMENT_INVALID, "code", "8 to 64 characters of A-Z a-z 0-9 -")
    return sha256(code.encode("ascii")).hexdigest()


def to_progress(body: Mapping[str, Any]) -> Progress:
    """Read what a statement lets be told; its form was checked."""
    return Progress(
        stage=body["stage"],
        since=body["on"],
        next_remedy=body.get("next_remedy", ""),
        remedy_until=body.get("remedy_until", ""),
    )


def unknown() -> GatewayError:
    """The one answer to a code that is wrong, and to one that may not be answered."""
    return refuse(ErrorCode.ENQUIRY_UNKNOWN, "code", "no case can be asked after by this code")


def is_closed_to_enquiry(records: Iterable[Case], today: date) -> bool:
    """Whether nobody may learn anything of a case: a person of it is, was or may be a minor (CPL 286).

    Args:
        records: all that were handed over of the case; a later one may leave out a minor of an earlier one.
        today: in China.

    Returns:
        True also when no record tells the birth date of a person, the day of the act, or any person: silence never
        opens a record.
    """
    births: dict[str, list[PartialDate | None]] = {}
    acts: set[date] = set()
    for case in records:
        if case.occurred_at is not None:
            acts.add(to_day(case.occurred_at))
        for person in case.persons:
            births.setdefault(person.key, []).append(person.birth)
    if not births or not acts:
        return True
    days = {today, *acts}
    return any(not _is_adult(told, days) for told in births.values())


def _is_adult(births: Iterable[PartialDate | None], days: Collection[date]) -> bool:
    """Whether one birth date that was told makes somebody an adult on every day, and none a minor on any."""
    told = [{is_minor(birth, day) for day in days} for birth in births]
    return {False} in told and not any(True in one for one in told)


@dataclass(slots=True)
class EnquiryLimit:
    """How many questions are answered in a time, in all and for each code, so that codes cannot be tried out.

    Of the refusals of an agency only the first in that time belongs into the ledger: a system that asks in a loop must
    not make the ledger grow, whatever the codes.

    Args:
        most: questions of one agency in ``within``.
        most_a_code: questions for one code in ``within``.
        within: the time.
    """

    most: int = 600
    most_a_code: int = 10
    within: timedelta = timedelta(minutes=10)
    _asked: dict[str, deque[datetime]] = field(default_factory=dict)
    _refused: dict[str, datetime] = field(default_factory=dict)
    """When a refusal of an agency was last recorded."""

    def count(self, agency: str, token: str, now: datetime) -> None:
        """Count a question.

        Args:
            agency: who asks, short form.
            token: of the code.
            now: aware.

        Raises:
            GatewayError: ENQUIRY_TOO_OFTEN, with the time to wait; ``is_repeated`` after the first in ``within``.
        """
        for key in [key for key, times in self._asked.items() if times[-1] <= now - self.within]:
            del self._asked[key]
        for key, most in ((f"agency {agency}", self.most), (f"code {token}", self.most_a_code)):
            times = self._asked.setdefault(key, deque())
            while times and times[0] <= now - self.within:
                times.popleft()
            if len(times) >= most:
                wait = (times[0] + self.within - now).total_seconds()
                finding = Finding(ErrorCode.ENQUIRY_TOO_OFTEN, "code", "too many questions in a short time")
                refusal = GatewayError(finding, retry_after_seconds=wait)
                refusal.is_repeated = now - self._refused.get(agency, now - self.within) < self.within
                if not refusal.is_repeated:
                    self._refused[agency] = now
                raise refusal
            times.append(now)
