"""Canonical fields of a case by name: ``person[1].plea.guilty``, ``case.filed_on``, ``person[1].measure[2].start``.

Names are those of the agency interfaces, section 3; items of lists are counted from 1.
"""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any, Final, NamedTuple, get_type_hints

from gateway.core.case import case as core
from gateway.core.case.value import CHINA_TIME, PartialDate, Term
from gateway.core.errors import ErrorCode, refuse

LISTS: Final[dict[str, tuple[str, type[Any]]]] = {
    "person": ("persons", core.Person),
    "org": ("orgs", core.Organisation),
    "victim": ("victims", core.Victim),
    "alias": ("aliases", core.Alias),
    "id_doc": ("id_docs", core.IdDocument),
    "prior": ("priors", core.PriorPenalty),
    "measure": ("measures", core.Measure),
    "legal": ("legals", core.LegalHelp),
    "charge": ("charges", core.Charge),
    "sentence": ("sentences", core.Sentence),
    "property": ("properties", core.Property),
    "freeze": ("freezes", core.Freeze),
    "document": ("documents", core.Document),
    "recording": ("recordings", core.Recording),
    "gap": ("gaps", core.Gap),
    "officer": ("officers", core.Officer),
    "supplement": ("supplements", core.Supplement),
}
"""Attribute and class of each canonical list."""
_STEP: Final = re.compile(r"([a-z_]+)(?:\[([1-9][0-9]{0,5})\])?", re.ASCII)
_TERM: Final = re.compile(r"(?:(\d{1,2})Y)?(?:(\d{1,2})M)?(?:(\d{1,2})D)?", re.ASCII | re.IGNORECASE)
_PARTIAL: Final = re.compile(r"(~)?(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_HEADS: Final = ("record", "case")
_NONE: Final = frozenset({"", "none", "null", "missing", "unknown"})
_FLAGS: Final = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}


class _Step(NamedTuple):
    attribute: str
    at: int
    """Place in the list, from 0; -1 for the list itself or a field."""


def change_field(case: core.Case, path: str, text: str) -> core.Case:
    """Give a field another value.

    Args:
        case: the case, which stays as it is.
        path: canonical field, or a list, which can only be emptied.
        text: ``none`` for no value; flags ``yes`` or ``no``; days ``2026-11-24``; terms ``1Y6M``; amounts in fen.

    Returns:
        the changed case.

    Raises:
        GatewayError: ARGUMENT_INVALID for an unknown path, whose message names those that are near, or a value that
            the field cannot have.
    """
    steps, made = _resolve(case, path)
    return _rebuild(case, steps, _parse(made, text, path))  # type: ignore[no-any-return]


def known_fields() -> tuple[str, ...]:
    """Every canonical field, without numbers of items, in the order of the interfaces."""
    return tuple(_known("", core.Case))


def _known(prefix: str, made: type[Any]) -> Iterator[str]:
    lists = {attribute: (name, inner) for name, (attribute, inner) in LISTS.items()}
    for item in fields(made):
        if item.name in lists:
            name, inner = lists[item.name]
            yield f"{prefix}{name}"
            yield from _known(f"{prefix}{name}.", inner)
        else:
            yield f"{prefix}{_to_name(item.name, is_record=made is core.Case)}"


def _to_name(attribute: str, *, is_record: bool) -> str:
    head, _, tail = attribute.strip("_").partition("_")
    if tail and head in _GROUPS:
        return f"{head}.{tail}"
    return f"case.{attribute}" if is_record else attribute.strip("_")


_GROUPS: Final = frozenset(
    {"plea", "health", "prior", "proposal", "recognizance", "nonpros", "decision", "execution", "result", "judgment",
     "assessment", "return", "facts", "property", "freeze", "document"}
)  # fmt: skip
"""First words of fields that belong together."""


def _resolve(case: core.Case, path: str) -> tuple[tuple[_Step, ...], Any]:
    steps: list[_Step] = []
    owner, made, names = case, core.Case, path.split(".")
    while names:
        match = _STEP.fullmatch(names[0])
        if match is None:
            raise _unknown(path)
        is_list = match[1] in LISTS and hasattr(owner, LISTS[match[1]][0])
        if not is_list or (match[2] is None and len(names) > 1):
            break
        attribute, inner = LISTS[match[1]]
        if match[2] is None:
            return (*steps, _Step(attribute, -1)), tuple
        entries, at = getattr(owner, attribute), int(match[2]) - 1
        if at >= len(entries):
            raise refuse(ErrorCode.ARGUMENT_INVALID, path, f"there are {len(entries)} of {match[1]} here")
        steps.append(_Step(attribute, at))
        owner, made, names = entries[at], inner, names[1:]
    if made is core.Case and len(names) > 1 and names[0] in _HEADS:
        names = names[1:]
    attribute = "_".join(names)
    attribute += "_" if keyword.iskeyword(attribute) else ""
    hints = get_type_hints(made)
    if not names or attribute not in hints:
        raise _unknown(path)
    return (*steps, _Step(attribute, -1)), hints[attribute]


def _unknown(path: str) -> Exception:
    plain = re.sub(r"\[\d+\]", "", path)
    near = difflib.get_close_matches(plain, known_fields(), n=4, cutoff=0.5)
    hint = f"; near are {', '.join(near)}" if near else "; fasttrack adapters matrix lists all fields"
    return refuse(ErrorCode.ARGUMENT_INVALID, path, f"there is no field {path}{hint}")


def _rebuild(owner: Any, steps: tuple[_Step, ...], value: Any) -> Any:
    step, rest = steps[0], steps[1:]
    if rest:
        entries = list(getattr(owner, step.attribute))
        entries[step.at] = _rebuild(entries[step.at], rest, value)
        value = tuple(entries)
    return replace(owner, **{step.attribute: value})


def _parse(made: Any, text: str, path: str) -> Any:
    plain = text.strip()
    if made is tuple:
        if plain.lower() in _NONE:
            return ()
        raise refuse(ErrorCode.ARGUMENT_INVALID, path, "a list can only be emptied: none")
    options = set(getattr(made, "__args__", (made,)))
    if plain.lower() in _NONE:
        if type(None) in options:
            return None
        raise refuse(ErrorCode.ARGUMENT_INVALID, path, "this field always has a value")
    for kind, read in _READERS.items():
        if kind in options:
            try:
                return read(plain)
            except (ValueError, KeyError):
                message = f"not a value of this field; {_WORDINGS[kind]}"
                raise refuse(ErrorCode.ARGUMENT_INVALID, path, message) from None
    return plain


def _to_moment(text: str) -> date:
    if "T" not in text:
        return date.fromisoformat(text)
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=CHINA_TIME)


def _to_term(text: str) -> Term:
    match = _TERM.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(text)
    years, months, days = (int(part or 0) for part in match.groups())
    return Term(years, months, days)


def _to_partial(text: str) -> PartialDate:
    match = _PARTIAL.fullmatch(text)
    if match is None:
        raise ValueError(text)
    _, year, month, day = match.groups()
    return PartialDate(int(year), int(month) if month else None, int(day) if day else None, match[1] is not None)


_READERS: Final[dict[Any, Any]] = {
    bool: lambda text: _FLAGS[text.lower()],
    Term: _to_term,
    PartialDate: _to_partial,
    date: _to_moment,
    datetime: _to_moment,
    int: int,
}
_WORDINGS: Final[dict[Any, str]] = {
    bool: "yes or no",
    Term: "such as 1Y6M",
    PartialDate: "such as 1990-03-07, 1990-03 or ~1990",
    date: "such as 2026-11-24",
    datetime: "such as 2026-11-24T09:30:00",
    int: "a whole number",
}
