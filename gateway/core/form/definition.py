"""What a form is, and what a check of its content is given.

Source: design, section 2 (annex, statement); domain model, section 3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple

from gateway.core.annex import Annex
from gateway.core.case.case import Case
from gateway.core.errors import ErrorCode, Finding
from gateway.core.form.limit import Limits, published_limits
from gateway.core.form.setting import FormSettings

MEDIA_TYPE_PREFIX: Final = "application/vnd.fasttrack."
_MEDIA_TYPE: Final = re.compile(r"application/vnd\.fasttrack\.([a-z][a-z-]{0,40})\.v([1-9][0-9]{0,2})\+json", re.ASCII)
_FILE_NAME: Final = re.compile(r"(?:.*\.)?([a-z][a-z-]{0,40})\.v([1-9][0-9]{0,2})(?:\.example)?\.json", re.ASCII)


class FormKind(StrEnum):
    """By which way data of a form travels."""

    ANNEX = "annex"
    """A material of a bundle."""
    STATEMENT = "statement"
    """A signed message outside a handoff."""


class Concern(StrEnum):
    """Whether statements of a type name a case."""

    CASE = "case"
    NO_CASE = "no_case"
    EITHER = "either"


class FormKey(NamedTuple):
    """What names a form.

    Args:
        kind: annex or statement.
        name: such as ``recorder-manifest``.
        version: from 1.
    """

    kind: FormKind
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Who may see data of a form.

    Args:
        role: of the agency, such as ``pr``; ``party`` is the person concerned, ``public`` anybody.
        view: ``all``, ``masked`` (without the fields that its schema masks), ``status`` (that there is one, and its
            times and results) or ``on_request`` (each reading is asked for and recorded).
        condition: when, in words; "" for always.
    """

    role: str
    view: str
    condition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A published form.

    Args:
        key: its name.
        title: what it is, in a few words.
        schema: as published, with its ``$defs``.
        issuers: roles of the agencies that may send it.
        readers: who may see it; nobody else does.
        masked: names of fields that a reader with the view ``masked`` does not see, wherever they stand.
        articles: where it comes from.
        concern: whether it names a case; an annex belongs to the case of its bundle.
    """

    key: FormKey
    title: str
    schema: Mapping[str, Any] = field(repr=False)
    issuers: tuple[str, ...]
    readers: tuple[Reader, ...]
    masked: tuple[str, ...]
    articles: tuple[str, ...]
    concern: Concern = Concern.CASE

    @property
    def media_type(self) -> str:
        """Media type by which a manifest names an annex of this form."""
        return f"{MEDIA_TYPE_PREFIX}{self.key.name}.v{self.key.version}+json"


class MaterialDigest(NamedTuple):
    """Digests and size of a material of the manifest, by which an annex names its file.

    Args:
        sha256: 64 lower-case hexadecimal digits.
        sm3: 64 lower-case hexadecimal digits.
        size: bytes.
    """

    sha256: str
    sm3: str
    size: int


@dataclass(frozen=True)
class Scene:
    """All that a check may look at.

    Args:
        on: day of the proceeding in China.
        settings: tolerances and thresholds.
        annexes: of the bundle, or the one that is looked at alone.
        case: the record; None when there is none, so nothing is compared with it.
        materials: of the manifest by id; empty when there is none.
        register: rows of the officers' register by officer number; empty when none is known.
        limits: what statutory limits are counted by.
    """

    on: date
    settings: FormSettings
    annexes: tuple[Annex, ...] = ()
    case: Case | None = None
    materials: Mapping[str, MaterialDigest] = field(default_factory=dict)
    register: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    limits: Limits = field(default_factory=published_limits)

    def of(self, name: str) -> Iterator[Mapping[str, Any]]:
        """Data of every annex of a form."""
        return (annex.data for annex in self.annexes if annex.name == name)

    @cached_property
    def person_keys(self) -> frozenset[str]:
        """Keys of the record's persons and of organisations that are defendants."""
        if self.case is None:
            return frozenset()
        return frozenset(person.key for person in self.case.persons) | {org.key for org in self.case.orgs}

    @cached_property
    def document_keys(self) -> frozenset[str]:
        """Keys of the record's documents."""
        return frozenset(document.key for document in self.case.documents) if self.case else frozenset()

    @cached_property
    def officer_numbers(self) -> frozenset[str]:
        """Officers that the record or the register names."""
        named = frozenset(officer.no for officer in self.case.officers) if self.case else frozenset()
        return named | self.register.keys()


Faults = Iterator[str]
"""JSON Pointers to what is wrong."""

Find = Callable[[Annex, Scene], Faults]
"""Looks for one kind of fault in one annex."""


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of fault and how it is found; what it means and how much it weighs is a row of ``rules/forms.yaml``.

    Args:
        code: by which it is told.
        forms: names of the forms that are looked at.
        find: yields a pointer for each fault; it is given only what its schema allows.
    """

    code: ErrorCode
    forms: tuple[str, ...]
    find: Find


def judge_issuer(form: Form, role: str, path: str) -> Finding | None:
    """Judge whether an agency sends annexes of a form.

    Args:
        form: of the annex.
        role: of the agency that sends the bundle, such as ``ps``.
        path: of the annex.

    Returns:
        FORM_ISSUER_WRONG, or None when it does.
    """
    if role in form.issuers:
        return None
    return Finding(ErrorCode.FORM_ISSUER_WRONG, path, "an agency of this role does not send this form")


def parse_media_type(media_type: str) -> tuple[str, int] | None:
    """Read the name and version of a form from a media type.

    Args:
        media_type: of a material.

    Returns:
        name and version; None when it is not written so.
    """
    found = _MEDIA_TYPE.fullmatch(media_type)
    return (found[1], int(found[2])) if found else None


def parse_file_name(name: str) -> tuple[str, int] | None:
    """Read the name and version of a form from the name of a file.

    Args:
        name: such as ``recorder-manifest.v1.json`` or ``A110.recorder-manifest.v1.json``.

    Returns:
        name and version, whether there is such a form or not; None when it is not written so.
    """
    found = _FILE_NAME.fullmatch(name)
    return (found[1], int(found[2])) if found else None
