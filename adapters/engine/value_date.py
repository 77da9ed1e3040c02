"""Dates, partial dates and instants in the spellings of the four agencies.

Source: section 3 of each interface; common limits in section 5 of the common page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from adapters.engine.codec import BAD_FORMAT, Codec, Unreadable
from adapters.engine.fold import Placeholder, fold
from adapters.engine.han import NUMBER_OF_HAN, YEAR_DIGIT_OF_HAN
from gateway.core.case.value import CHINA_TIME, PartialDate

_UNKNOWN: Final = "不详"
_CACHE: Final = 4096
_EPOCH: Final = datetime(1970, 1, 1, 8, tzinfo=CHINA_TIME)
FIRST_MILLISECOND: Final = 31_507_200_000
LAST_MILLISECOND: Final = 4_102_415_999_999


def real_date(year: int, month: int, day: int) -> date | Unreadable:
    """A date of the calendar, or BAD_FORMAT."""
    try:
        return date(year, month, day)
    except ValueError:
        return BAD_FORMAT


def partial_date(year: int, month: int, day: int, *, approximate: bool) -> PartialDate | Unreadable:
    """A partial date from its parts; zero is an unknown or left-out part.

    Args:
        year: 0-9999; 0 only when everything is unknown.
        month: 0-12.
        day: 0-31; 0 when the month is.
        approximate: the source says "about".

    Returns:
        the value, or BAD_FORMAT.
    """
    if year == 0:
        return BAD_FORMAT if month or day or approximate else PartialDate()
    if month == 0:
        return BAD_FORMAT if day else PartialDate(year, approximate=approximate)
    if day == 0:
        return PartialDate(year, month, approximate=approximate) if month <= 12 else BAD_FORMAT
    if isinstance(real_date(year, month, day), Unreadable):
        return BAD_FORMAT
    return PartialDate(year, month, day, approximate)


def instant(*parts: int) -> datetime | Unreadable:
    """From year, month, day, hour, minute, second to an instant at +08:00, 1971 to 2099; 24:00:00 is the next day."""
    year, month, day, hour, minute, second = parts
    try:
        if hour == 24:
            if minute or second:
                return BAD_FORMAT
            value = datetime(year, month, day, tzinfo=CHINA_TIME) + timedelta(days=1)
        else:
            value = datetime(year, month, day, hour, minute, second, tzinfo=CHINA_TIME)
    except (ValueError, OverflowError):
        return BAD_FORMAT
    return value if 1971 <= value.year <= 2099 else BAD_FORMAT


def _pattern_date(pattern: str) -> Callable[[str], date | Unreadable]:
    match = re.compile(pattern, re.ASCII).fullmatch

    @lru_cache(maxsize=_CACHE)
    def read(text: str) -> date | Unreadable:
        found = match(text)
        return real_date(int(found[1]), int(found[2]), int(found[3])) if found else BAD_FORMAT

    return read


def _pattern_instant(pattern: str) -> Callable[[str], datetime | Unreadable]:
    match = re.compile(pattern, re.ASCII).fullmatch

    @lru_cache(maxsize=_CACHE)
    def read(text: str) -> datetime | Unreadable:
        found = match(text)
        return instant(*map(int, found.groups())) if found else BAD_FORMAT

    return read


def _either(
    instants: Callable[[str], datetime | Unreadable], dates: Callable[[str], date | Unreadable]
) -> Callable[[str], date | Unreadable]:
    def read(text: str) -> date | Unreadable:
        value = instants(text)
        return dates(text) if value is BAD_FORMAT else value

    return read


_HAN_MONTH: Final = "[一二三四五六七八九十]{1,3}"
_SPOKEN: Final = re.compile(
    rf"(?P<about>约?)(?P<year>[0-9]{{4}}|[〇○零一二三四五六七八九]{{4}})年"
    rf"(?:(?P<month>[0-9]{{1,2}}|{_HAN_MONTH})月(?:(?P<day>[0-9]{{1,2}}|{_HAN_MONTH})日)?)?",
    re.ASCII,
)
_NUMERIC: Final = re.compile(r"(?P<about>约?)(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?", re.ASCII)


def _part(text: str | None) -> int | None:
    if text is None:
        return 0
    return int(text) if text.isascii() else NUMBER_OF_HAN.get(text)


def _read_partial(text: str, *, has_numerals: bool) -> PartialDate | Unreadable:
    if text == _UNKNOWN or fold(text) == _UNKNOWN:
        return PartialDate()
    found = _NUMERIC.fullmatch(text) or _SPOKEN.fullmatch(text)
    if found is None:
        return BAD_FORMAT
    about, year_text, month_text, day_text = found["about"], found["year"], found["month"], found["day"]
    is_han = not (year_text + (month_text or "") + (day_text or "")).isascii()
    if is_han and (about or not has_numerals):
        return BAD_FORMAT
    year = int(year_text) if year_text.isascii() else int("".join(YEAR_DIGIT_OF_HAN[d] for d in year_text))
    month, day = _part(month_text), _part(day_text)
    if month is None or day is None:
        return BAD_FORMAT
    # A form with Chinese numerals has no zero for an unknown part.
    if is_han and not (year and (month or month_text is None) and (day or day_text is None)):
        return BAD_FORMAT
    return partial_date(year, month, day, approximate=bool(about))


@lru_cache(maxsize=_CACHE)
def read_partial(text: str) -> PartialDate | Unreadable:
    """Read a partial date of the procuratorate."""
    return _read_partial(text, has_numerals=False)


@lru_cache(maxsize=_CACHE)
def read_partial_han(text: str) -> PartialDate | Unreadable:
    """Read a partial date of the court, which knows Chinese numerals too."""
    return _read_partial(text, has_numerals=True)


@lru_cache(maxsize=_CACHE)
def read_date_han(text: str) -> date | Unreadable:
    """Read a date of the court: ``2024-01-05``, ``2024年1月5日``, ``二〇二四年一月五日``."""
    if len(text) == 10 and text[4] == "-":
        return read_iso_date(text)
    value = _read_partial(text, has_numerals=True)
    if isinstance(value, Unreadable) or value.year is None or value.day is None or value.approximate:
        return BAD_FORMAT
    return real_date(value.year, value.month or 0, value.day)


def write_partial(value: PartialDate) -> str:
    """Write a partial date as procuratorate and court do."""
    if value.year is None:
        return _UNKNOWN
    if value.approximate:
        month = f"{value.month}月" if value.month else ""
        return f"约{value.year:04d}年{month}" + (f"{value.day}日" if value.day else "")
    return (
        f"{value.year:04d}"
        + (f"-{value.month:02d}" if value.month else "")
        + (f"-{value.day:02d}" if value.day else "")
    )


def _is_exact(value: PartialDate) -> bool:
    return not value.approximate


read_iso_date: Final = _pattern_date(r"(\d{4})-(\d{2})-(\d{2})")
_read_police_date: Final = _pattern_date(r"(\d{4})(\d{2})(\d{2})")
_read_slash_date: Final = _pattern_date(r"(\d{4})/(\d{2})/(\d{2})")
_read_police_instant: Final = _pattern_instant(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})")
_read_spaced_instant: Final = _pattern_instant(r"(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})")
read_court_instant: Final = _pattern_instant(r"(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})")


@lru_cache(maxsize=_CACHE)
def _read_police_partial(text: str) -> PartialDate | Unreadable:
    if text == _UNKNOWN or fold(text) == _UNKNOWN:
        return PartialDate()
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return BAD_FORMAT
    return partial_date(int(text[:4]), int(text[4:6]), int(text[6:]), approximate=False)


_SLASHED: Final = re.compile(r"(\d{4})(?:/(\d{2})(?:/(\d{2}))?)?", re.ASCII)


@lru_cache(maxsize=_CACHE)
def _read_slash_partial(text: str) -> PartialDate | Unreadable:
    if text in ("unknown", _UNKNOWN) or fold(text) == _UNKNOWN:
        return PartialDate()
    found = _SLASHED.fullmatch(text)
    if found is None:
        return BAD_FORMAT
    return partial_date(int(found[1]), int(found[2] or 0), int(found[3] or 0), approximate=False)


def _write_police_date(value: date) -> str:
    return value.isoformat().replace("-", "")


def _write_police_instant(value: datetime) -> str:
    return value.isoformat()[:19].translate(_DIGITS_ONLY)


_DIGITS_ONLY: Final = {ord(c): None for c in "-T:"}


def _write_police_either(value: date) -> str:
    return _write_police_instant(value) if isinstance(value, datetime) else _write_police_date(value)


def _write_police_partial(value: PartialDate) -> str:
    return f"{value.year or 0:04d}{value.month or 0:02d}{value.day or 0:02d}"


def write_iso_instant(value: datetime) -> str:
    """Write an instant as the court does, ``2024-06-01T23:30:00``."""
    return value.isoformat()[:19]


def _write_spaced_instant(value: datetime) -> str:
    return value.isoformat(" ")[:19]


def _write_spaced_either(value: date) -> str:
    return value.isoformat(" ")[:19] if isinstance(value, datetime) else value.isoformat()


def _write_iso_either(value: date) -> str:
    return value.isoformat()[:19]


def _write_slash_date(value: date) -> str:
    return value.isoformat().replace("-", "/")


def _write_slash_partial(value: PartialDate) -> str:
    if value.year is None:
        return "unknown"
    return (
        f"{value.year:04d}"
        + (f"/{value.month:02d}" if value.month else "")
        + (f"/{value.day:02d}" if value.day else "")
    )


def read_milliseconds(number: int) -> datetime | Unreadable:
    """Read milliseconds since 1970-01-01T00:00:00Z; parts of a second are cut off."""
    if not FIRST_MILLISECOND <= number <= LAST_MILLISECOND:
        return BAD_FORMAT
    return _EPOCH + timedelta(seconds=number // 1000)


def write_milliseconds(value: datetime) -> int:
    """Write an instant as whole seconds, in milliseconds."""
    return int((value - _EPOCH).total_seconds()) * 1000


_DATE: Final = Placeholder.DATE
POLICE_DATE: Final = Codec(_read_police_date, _write_police_date)
POLICE_INSTANT: Final = Codec(_read_police_instant, _write_police_instant)
POLICE_EITHER: Final = Codec(_either(_read_police_instant, _read_police_date), _write_police_either)
POLICE_PARTIAL: Final = Codec(_read_police_partial, _write_police_partial, placeholder=_DATE, is_kept=_is_exact)
ISO_DATE: Final = Codec(read_iso_date, date.isoformat)
SPACED_INSTANT: Final = Codec(_read_spaced_instant, _write_spaced_instant)
SPACED_EITHER: Final = Codec(_either(_read_spaced_instant, read_iso_date), _write_spaced_either)
PARTIAL: Final = Codec(read_partial, write_partial, placeholder=_DATE)
COURT_DATE: Final = Codec(read_date_han, date.isoformat)
COURT_INSTANT: Final = Codec(read_court_instant, write_iso_instant)
COURT_EITHER: Final = Codec(_either(read_court_instant, read_date_han), _write_iso_either)
COURT_PARTIAL: Final = Codec(read_partial_han, write_partial, placeholder=_DATE)
SLASH_DATE: Final = Codec(_read_slash_date, _write_slash_date)
SLASH_PARTIAL: Final = Codec(_read_slash_partial, _write_slash_partial, placeholder=_DATE, is_kept=_is_exact)
MILLISECONDS: Final = Codec(read_milliseconds, write_milliseconds, is_integer=True)
