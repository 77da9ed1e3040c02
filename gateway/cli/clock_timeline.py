"""The limits of a case as bars of plain characters, without colour, so that a pipe has the same as a terminal.

All bars of a case share one axis, so that what runs beside each other stands below each other.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby
from typing import Any, Final

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.due import Moment, to_day
from gateway.core.clock.view import CaseClocks, ClockView
from gateway.core.clock.warning import WarningLevel
from gateway.core.fact.fact import to_moment_text

LEAST_WIDTH: Final = 60
MOST_WIDTH: Final = 120
LEGEND: Final = (
    "= passed", "- to come", "~ stood still", "o warning", "> moved past holidays", "] last day", "! past its end",
    "x ended", "| now",
)  # fmt: skip
_DAY: Final = timedelta(days=1)


def terminal_width() -> int:
    """Columns to draw in: those of the terminal or of COLUMNS, 80 in a pipe, never fewer than 60 or more than 120."""
    return max(LEAST_WIDTH, min(shutil.get_terminal_size((80, 24)).columns, MOST_WIDTH))


def draw_timeline(case_number: str, found: CaseClocks, width: int) -> list[str]:
    """Draw the limits of a case.

    Args:
        case_number: for the heading.
        found: its limits.
        width: columns, 60 or more.

    Returns:
        lines without line ends, none longer than the width.
    """
    lines = [f"{case_number}  counted {_words(found.now)}", _file_line(found)]
    if found.is_partial:
        lines += textwrap.wrap("Only limits that are your duty are shown; the case has others.", width)
    if found.clocks:
        axis = _Axis.of(found, width)
        for person, views in groupby(found.clocks, key=lambda view: view.person):
            lines += ["", *_person(person, list(views), axis, found.now)]
        lines += ["", *textwrap.wrap("   ".join(item.replace(" ", "\xa0") for item in LEGEND), width)]
    if found.counted_by:
        lines += ["", f"counted by {found.counted_by}"]
    return [line.replace("\xa0", " ").rstrip() for line in lines]


def _file_line(found: CaseClocks) -> str:
    if found.problem:
        return f"the end of the file cannot be told: {found.problem}"
    if found.due is None:
        return "no legal limit runs" if found.clocks else "no limits to show"
    return f"file due {_words(found.due)} ({found.due_clock}), {_left(found.due, found.now)}"


@dataclass(frozen=True, slots=True)
class _Axis:
    """One column is always the same time.

    Args:
        start: left end.
        stop: right end, after the start.
        columns: of a bar.
    """

    start: datetime
    stop: datetime
    columns: int

    @classmethod
    def of(cls, found: CaseClocks, width: int) -> _Axis:
        first = min(_begin(view.start) for view in found.clocks)
        ends = [
            _finish(moment) for view in found.clocks for moment in (view.due, view.stopped_at) if moment is not None
        ]
        last = max([found.now, *ends])
        return cls(first, max(last, first + timedelta(hours=1)), width)

    def column(self, at: datetime) -> int:
        """Where an instant is drawn."""
        share = (at - self.start) / (self.stop - self.start)
        return max(0, min(self.columns - 1, int(share * self.columns)))

    def scale(self, now: datetime) -> Iterator[str]:
        """Two lines: days at both ends, and where now is."""
        left, right = str(to_day(self.start)), str(to_day(self.stop - timedelta(microseconds=1)))
        yield left + right.rjust(self.columns - len(left))
        mark, at = f"now {to_day(now):%m-%d}", self.column(now)
        yield (" " * at + "| " + mark) if at + len(mark) + 2 <= self.columns else (mark + " |").rjust(at + 1)


def _person(person: str, views: list[ClockView], axis: _Axis, now: datetime) -> Iterator[str]:
    key = views[0].person_key
    yield f"person {key}" if key else f"person or account {person[:8]}" if person else "file"
    yield from axis.scale(now)
    for view in views:
        name, state = f"{view.clock} {view.step}".strip(), _state(view, now)
        room = axis.columns - len(name) - len(state) - 4
        title = textwrap.shorten(view.title, max(room, 0), placeholder="...") if room > len("...") else ""
        head = f"{name}  {title}" if title else name
        if len(head) + len(state) + 2 > axis.columns:
            yield head[: axis.columns]
            yield from textwrap.wrap(state, axis.columns, initial_indent="  ", subsequent_indent="  ")
        else:
            yield head + state.rjust(axis.columns - len(head))
        yield _bar(view, axis, now)


def _state(view: ClockView, now: datetime) -> str:
    rolled = f" (from {view.rolled_from:%m-%d})" if view.rolled_from else ""
    advisory = ""
    if view.advisory is not None and now <= view.advisory:
        advisory = f" (advisory {view.advisory.astimezone(CHINA_TIME):%H:%M})"
    if view.problem:
        return f"cannot be counted: {view.problem}"
    if view.stopped_at is not None:
        verdict = ", BREACHED" if view.is_breached else " in time" if view.due is not None else ""
        return f"ended {_words(view.stopped_at)}{verdict}"
    if view.is_suspended:
        return f"stands still for {view.suspensions[-1].by}"
    if view.due is None:
        return "no length"
    if view.is_breached:
        return f"BREACHED, due {_words(view.due)}{rolled}{advisory}"
    return f"due {_words(view.due)}{rolled}{advisory}, {_left(view.due, now)}"


def _bar(view: ClockView, axis: _Axis, now: datetime) -> str:
    cells = [" "] * axis.columns

    def fill(start: datetime, stop: datetime, mark: str) -> None:
        if stop > start:
            first, last = axis.column(start), axis.column(stop - timedelta(microseconds=1))
            cells[first : last + 1] = mark * (last + 1 - first)

    begin = _begin(view.start)
    seen = min(now, _finish(view.stopped_at)) if view.stopped_at is not None else now
    end = _finish(view.due) if view.due is not None else None
    if end is not None and view.stopped_at is None:
        fill(max(begin, now), end, "-")
    fill(begin, seen if end is None else min(seen, end), "=")
    if view.rolled_from is not None and end is not None and (view.stopped_at is None or view.is_breached):
        fill(_finish(view.rolled_from), end, ">")
    for item in view.suspensions:
        stop = _finish(to_day(item.end)) if item.end is not None else now
        fill(_begin(to_day(item.start)) + _DAY, stop, "~")
    for warning in view.warnings:
        if warning.level is not WarningLevel.BREACH and (view.stopped_at is None or warning.at <= seen):
            cells[axis.column(warning.at)] = "o"
    if end is not None:
        if view.is_breached:
            fill(end, seen, "!")
        if view.stopped_at is None or view.is_breached:
            cells[axis.column(end - timedelta(microseconds=1))] = "]"
    cells[axis.column(begin)] = "["
    if view.stopped_at is not None:
        cells[axis.column(seen - timedelta(microseconds=1))] = "x"
    cells[axis.column(now)] = "|"
    return "".join(cells)


def _begin(moment: Moment) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time(), CHINA_TIME)


def _finish(moment: Moment) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.combine(moment + _DAY, time(), CHINA_TIME)


def _words(moment: Moment) -> str:
    if isinstance(moment, datetime):
        return f"{moment.astimezone(CHINA_TIME):%Y-%m-%d %H:%M}"
    return str(moment)


def _left(due: Moment, now: datetime) -> str:
    if isinstance(due, datetime):
        hours = int((due - now) / timedelta(hours=1))
        return f"{hours} h left" if due >= now else "passed"
    days = (due - to_day(now)).days
    return "passed" if days < 0 else "last day" if days == 0 else f"{days} d left"


def to_plain_clocks(found: CaseClocks) -> dict[str, Any]:
    """Turn the limits of a case into plain values for ``--json``; the names are those of the wire.

    Args:
        found: the limits.
    """
    return {
        "due": _plain(found.due),
        "due_clock": found.due_clock,
        "problem": found.problem,
        "partial": found.is_partial,
        "counted_at": found.now,
        "counted_by": found.counted_by,
        "clocks": [_plain_view(view) for view in found.clocks],
    }


def _plain(moment: Moment | None) -> str | None:
    return to_moment_text(moment) if moment is not None else None


def _plain_view(view: ClockView) -> dict[str, Any]:
    return {
        "person_key": view.person_key,
        "person_pseudonym": view.person,
        "clock": view.clock,
        "step": view.step,
        "title": view.title,
        "article": view.article,
        "owner": view.owner,
        "hard": view.is_hard,
        "start": _plain(view.start),
        "due": _plain(view.due),
        "rolled_from": _plain(view.rolled_from),
        "advisory": _plain(view.advisory),
        "stopped_at": _plain(view.stopped_at),
        "suspended": view.is_suspended,
        "breached": view.is_breached,
        "suspensions": _plain_suspensions(view),
        "warnings": [{"level": item.level, "at": item.at} for item in view.warnings],
        "problem": view.problem,
    }


def _plain_suspensions(view: ClockView) -> Iterable[dict[str, Any]]:
    return [{"start": _plain(one.start), "end": _plain(one.end), "by": one.by} for one in view.suspensions]
