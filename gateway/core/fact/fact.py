"""A fact: that something happened to a person, or to the file, at a time.

Clocks are what the rules make of facts; nothing else starts or stops them. The ledger keeps the facts of an entry as
canonical bytes beside it, and their digest in the leaf. They hold words, moments, numbers and pseudonyms; the form
below has no place for a name, a number of a person or free text.

Source: RFC 8785 (the JSON form, restricted to strings, numbers, booleans, lists and objects).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Final

from gateway.core.clock.due import Moment
from gateway.core.clock.input import is_day

MAX_FACTS: Final = 4_096
"""Facts of one entry; a case of 200 persons has less."""
MAX_FACT_BYTES: Final = 1024 * 1024
FACT_TOPIC: Final = "facts"
"""Topic of the watch that is woken when a case has new facts."""
_KIND: Final = re.compile(r"[a-z][a-z_]{1,39}", re.ASCII)
_PERSON: Final = re.compile(r"(?:[0-9a-f]{32})?", re.ASCII)
_PSEUDONYM: Final = r"[0-9a-f]{32}"
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)
_WORD: Final = re.compile(r"[A-Z][A-Z_]{0,39}", re.ASCII)


def _matches(pattern: str) -> Callable[[Any], bool]:
    form = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and form.fullmatch(value) is not None


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_months(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value <= 1200


_is_word = _matches(_WORD.pattern)
INPUTS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "approver": _is_word,
    "asset": _is_word,
    "clock": _matches(r"K\d{2}"),
    "community_correction": _is_flag,
    "drunk_driving": _is_flag,
    "expected_months": _is_months,
    "extension": _matches(r"[a-z][a-z_]{0,29}"),
    "fast_track": _is_flag,
    "foreigner": _is_flag,
    "from_case": _matches(_PSEUDONYM),
    "from_person": _matches(_PSEUDONYM),
    "frozen_funds": _is_flag,
    "identity": _is_word,
    "known_at": _matches(_INSTANT.pattern),
    "length": _matches(r"\d{1,3}(?:\.5)?(?:M(?:\+\d{1,3}D)?|D|WD|h)"),
    "measure": _is_word,
    "procedure": _is_word,
    "recipient": _is_word,
    "signed_at": _matches(_INSTANT.pattern),
    "step": _is_word,
    "to_case": _matches(_PSEUDONYM),
    "to_person": _matches(_PSEUDONYM),
    "until": is_day,
    "whole_account": _is_flag,
}
"""What a fact may say beside its kind, and the form of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened.

    Args:
        kind: an event of ``rules/clocks.yaml``, such as ``detained``, or a word of ``order.WORDS``.
        at: a day, when the time is not known, or an aware instant.
        person: key of the person, and after ``flows`` the person's pseudonym; "" for the file. For a frozen account,
            that of the account.
        inputs: facts on which the length of a clock depends, such as ``expected_months``; names of ``INPUTS``.
    """

    kind: str
    at: Moment
    person: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact and since when the ledger knows it.

    Args:
        fact: with the pseudonym of its person.
        known_at: gateway time of the entry that first told it, aware; what makes a limit longer counts from then.
        index: place of the entry in the ledger.
        is_taken_over: another case told it first (``handed_on``), so it moves limits of its person only.
    """

    fact: Fact
    known_at: datetime
    index: int = 0
    is_taken_over: bool = False


def to_facts_bytes(facts: Iterable[Fact]) -> bytes:
    """Write facts as the ledger keeps them.

    Args:
        facts: in any order; one that stands twice is written once.

    Returns:
        ASCII JSON, a list of [kind, at, person, inputs], sorted; empty for no facts. Instants in UTC, milliseconds.

    Raises:
        ValueError: a fact has another form than an entry may have, such as a person that is no pseudonym.
    """
    rows = {_to_row(fact) for fact in facts}
    if not rows:
        return b""
    if len(rows) > MAX_FACTS:
        raise ValueError(f"an entry has at most {MAX_FACTS} facts")
    return ("[" + ",".join(sorted(rows)) + "]").encode("ascii")


def from_facts_bytes(data: bytes) -> tuple[Fact, ...]:
    """Read back what ``to_facts_bytes`` wrote.

    Args:
        data: at most 1 MiB.

    Returns:
        the facts, sorted.

    Raises:
        ValueError: another form.
    """
    if not data:
        return ()
    if len(data) > MAX_FACT_BYTES:
        raise ValueError("facts of an entry have at most 1 MiB")
    try:
        facts = tuple(_from_row(*row) for row in json.loads(data))
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError("no facts") from error
    if to_facts_bytes(facts) != data:
        raise ValueError("the facts are not in canonical form")
    return facts


def facts_sha256(data: bytes) -> str:
    """Digest what ``to_facts_bytes`` wrote; "" for no facts."""
    return sha256(data).hexdigest() if data else ""


def notice_topic(agency: str) -> str:
    """Topic of the watch that is woken when an agency has a new notice."""
    return f"notices {agency}"


def _to_row(fact: Fact) -> str:
    if _KIND.fullmatch(fact.kind) is None or _PERSON.fullmatch(fact.person) is None:
        raise ValueError("a fact has a word for a kind and a pseudonym for a person")
    for name, value in fact.inputs.items():
        if name not in INPUTS or not INPUTS[name](value):
            raise ValueError(f"the input {name} of a fact has another form")
    row = [fact.kind, to_moment_text(fact.at), fact.person, dict(fact.inputs)]
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _from_row(kind: Any, at: Any, person: Any, inputs: Any) -> Fact:
    if not (isinstance(kind, str) and isinstance(at, str) and isinstance(person, str) and isinstance(inputs, dict)):
        raise TypeError("a fact is kind, at, person and inputs")
    return Fact(kind=kind, at=_parse_moment(at), person=person, inputs=inputs)


def _parse_moment(text: str) -> Moment:
    if _DAY.fullmatch(text):
        return date.fromisoformat(text)
    if _INSTANT.fullmatch(text):
        return datetime.fromisoformat(text)
    raise ValueError("a moment is a day, or an instant in UTC with milliseconds")


def to_moment_text(at: Moment) -> str:
    """Write a moment: ``2026-02-05``, or ``2026-02-05T01:30:00.000Z`` for an aware instant."""
    if not isinstance(at, datetime):
        return at.isoformat()
    if at.tzinfo is None:
        raise ValueError("an instant needs its offset")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
