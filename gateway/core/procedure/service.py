"""Service of a judgment: every recipient has an appeal period of its own, and the last one counts for the file.

Source: CPL 202, 229, 230; domain model, sections 1.4 (K36, K37) and 2.3 (T19).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from gateway.core.procedure.track import PersonTrack, Tracks

DEFENDANT, PROCURATORATE, VICTIM = "DEFENDANT", "PROCURATORATE", "VICTIM"
RECIPIENTS: Final = (DEFENDANT, PROCURATORATE, VICTIM, "REPRESENTATIVE")
"""Who may be served; the first is meant when nobody is named."""
APPEAL_DAYS: Final = 10
"""CPL 230; holidays only make the period longer, so nothing is effective earlier."""
_DAYS: Final = {DEFENDANT: "served", PROCURATORATE: "served_pr"}


def serve(track: PersonTrack, recipient: str, on: str) -> PersonTrack:
    """Note that the judgment of a person was served.

    Args:
        track: of the person whom the judgment concerns.
        recipient: one of ``RECIPIENTS``; it need not be the person.
        on: ISO day.

    Returns:
        the track; a recipient that comes twice counts by the later day.
    """
    changes: dict[str, Any] = {"served_last": max(track.served_last, on)}
    if recipient in _DAYS:
        name = _DAYS[recipient]
        changes[name] = max(getattr(track, name), on)
    return replace(track, **changes)


def serve_file(tracks: Tracks, recipient: str, on: str) -> Tracks:
    """Note that the judgment of everybody with the file was served on a recipient.

    Args:
        tracks: of the case.
        recipient: one of ``RECIPIENTS``.
        on: ISO day.

    Returns:
        the tracks.
    """
    return tracks.change({name: serve(tracks.persons[name], recipient, on) for name in tracks.with_file()})


def unserve(track: PersonTrack) -> PersonTrack:
    """Forget the services of a judgment that was set aside."""
    return replace(track, served="", served_pr="", served_last="")


def is_served(tracks: Iterable[PersonTrack]) -> bool:
    """Whether each person and, for each, the procuratorate were served."""
    return all(track.served and track.served_pr for track in tracks)


def is_period_over(tracks: Iterable[PersonTrack], on: date) -> bool:
    """Whether the appeal period of the last recipient has passed before a day.

    Args:
        tracks: of the persons whom the judgment concerns.
        on: day in China.

    Returns:
        False also when somebody was not served, or there is nobody.

    Source: Criminal Procedure Law 230 (ten days from the day after the service).
    """
    days = [track.served_last for track in tracks]
    return all(days) and bool(days) and on > date.fromisoformat(max(days)) + timedelta(days=APPEAL_DAYS)
