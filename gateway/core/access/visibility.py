"""Who sees what: one row for each document code, kind of material and form, and for each kind of reader.

It decides what the receiver of a bundle is granted when it is submitted, what must be asked for, and what is held back.
What has no row is seen by nobody but its sender. The rows of document codes stand in ``rules/visibility.yaml``; who may
see data of a form, its published schema says (``x-fasttrack-readers``).

Source: domain model, sections 2.4 and 3 (who may see); agency interfaces, section 7 (withheld).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Final

from gateway.core.form.definition import Form, FormKind, parse_media_type
from gateway.core.identity import Role
from gateway.core.manifest import Manifest
from gateway.core.route import RecordKind
from gateway.core.rule import Rule, RuleFileError, RuleSet, load_rules

if TYPE_CHECKING:
    from gateway.core.case.case import MaterialReference

SEALED_MEDIA_TYPE: Final = "application/x-fasttrack-sealed"
"""Media type of a sealed volume: its secrecy mark. Nothing here ever reads into it."""


class ReaderKind(StrEnum):
    """In which capacity somebody reads."""

    POLICE = "ps"
    PROCURATORATE = "pr"
    COURT = "ct"
    ASSESSOR = "assessor"
    """Judicial administration that was commissioned with an assessment."""
    CORRECTOR = "corrector"
    """The correction agency that executes a judgment."""
    DEFENCE = "defence"
    """A duty lawyer or legal-aid lawyer, through judicial administration."""
    PARTY = "party"
    """A suspect, victim or informer."""
    OVERSIGHT = "ov"


class View(StrEnum):
    """How much a reader sees."""

    ALL = "all"
    """All of it, with the bundle."""
    REQUEST = "request"
    """All of it once it was asked for; the asking is an entry."""
    LEAST = "least"
    """Only what contains nothing that is to be withheld."""
    NONE = "none"
    """Nothing but that it exists."""


class Subject(StrEnum):
    """Materials that no document code names."""

    MEDIA = "media"
    SEALED = "sealed-volume"
    RECORD = "record"
    UNCODED = "uncoded"


_OF_ROLE: Final[Mapping[Role, ReaderKind]] = {
    Role.POLICE: ReaderKind.POLICE,
    Role.PROCURATORATE: ReaderKind.PROCURATORATE,
    Role.COURT: ReaderKind.COURT,
    Role.OVERSIGHT: ReaderKind.OVERSIGHT,
}
_FORM_VIEWS: Final[Mapping[str, View]] = {
    "all": View.ALL,
    # What is masked or reduced to a status is another text than the one that was signed: the signed one is not given,
    # and of the masked one a copy (``mask``).
    "masked": View.NONE,
    "status": View.NONE,
    "on_request": View.REQUEST,
}
_WIDTH: Final = (View.NONE, View.LEAST, View.REQUEST, View.ALL)


def reader_of(role: Role, kind: RecordKind) -> ReaderKind:
    """In which capacity the receiver of a handoff reads it.

    Args:
        role: of the receiver.
        kind: of the handoff.

    Returns:
        the kind of reader.
    """
    if role is Role.JUSTICE:
        return ReaderKind.CORRECTOR if kind is RecordKind.EXECUTION else ReaderKind.ASSESSOR
    return _OF_ROLE[role]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: whose it is, and how much each kind of reader sees."""

    rule: Rule
    see: Mapping[ReaderKind, View]


@dataclass(frozen=True, slots=True)
class Visibility:
    """The table.

    Args:
        rows: of document codes and kinds of material, by their id.
        forms: the published forms, by media type.
        defence_stages: stages of a case in which the defence may read the file.
    """

    rows: Mapping[str, tuple[Row, ...]]
    forms: Mapping[str, Form]
    defence_stages: frozenset[str]

    def of_code(self, subject: str, reader: ReaderKind, on: date) -> View:
        """How much of a document code or kind of material a reader sees.

        Args:
            subject: document code, or a ``Subject``.
            reader: in which capacity it is read.
            on: day of the handoff, by which the row is chosen.

        Returns:
            the view; NONE without a row in force on that day.
        """
        rows = (row for row in self.rows.get(subject, ()) if row.rule.is_valid(on))
        return next((row.see.get(reader, View.NONE) for row in rows), View.NONE)

    def of_form(self, media_type: str, reader: ReaderKind) -> View:
        """How much of an annex a reader sees with the bundle; NONE for a form that is not published."""
        form = self.forms.get(media_type)
        if form is None:
            return View.NONE
        role = Role.JUSTICE if reader in _JUSTICE else reader
        views = [_FORM_VIEWS[said.view] for said in form.readers if said.role == role]
        return max(views, key=_WIDTH.index, default=View.NONE)

    def masked_form(self, media_type: str, reader: ReaderKind) -> Form | None:
        """The form of an annex of which a reader gets a masked copy; None for all, for nothing, and for no annex."""
        form = self.forms.get(media_type)
        if form is None or self.of_form(media_type, reader) is not View.NONE:
            return None
        role = Role.JUSTICE if reader in _JUSTICE else reader
        return form if any(said.role == role and said.view == "masked" for said in form.readers) else None

    def of_material(self, media_type: str, codes: Iterable[str], reader: ReaderKind, on: date) -> View:
        """How much of a material a reader sees.

        Args:
            media_type: as the manifest says.
            codes: document codes by which manifest and record name it, "" for none; the narrowest view of them counts,
                so that nobody sees a transcript because somebody called it a judgment too.
            reader: in which capacity it is read.
            on: day of the handoff.

        Returns:
            the view.
        """
        if media_type == SEALED_MEDIA_TYPE:
            return self.of_code(Subject.SEALED, reader, on)
        if parse_media_type(media_type) is not None:
            return self.of_form(media_type, reader)
        if media_type.startswith(("audio/", "video/")):
            return self.of_code(Subject.MEDIA, reader, on)
        known = {code for code in codes if code} or {Subject.UNCODED}
        return min((self.of_code(code, reader, on) for code in known), key=_WIDTH.index)


_JUSTICE: Final = frozenset({ReaderKind.ASSESSOR, ReaderKind.CORRECTOR, ReaderKind.DEFENCE})


def find_withheld(
    table: Visibility, manifest: Manifest, references: Iterable[MaterialReference], on: date
) -> dict[str, View]:
    """Which materials of a bundle its receiver is not granted.

    Args:
        table: who sees what.
        manifest: of the bundle.
        references: documents and recordings of the record, by which a digest is known that travelled before.
        on: day of the handoff.

    Returns:
        by the SHA-256 of each that is not granted, hexadecimal, how it may be seen.
    """
    reader = reader_of(manifest.receiver.role, manifest.kind)
    codes: dict[str, set[str]] = {}
    for reference in references:
        codes.setdefault(reference.sha256, set()).add(reference.document_code)
    views = {manifest.native_record.sha256: [table.of_code(Subject.RECORD, reader, on)]}
    for material in manifest.materials:
        named = {*codes.get(material.sha256, ()), material.document_code}
        views.setdefault(material.sha256, []).append(table.of_material(material.media_type, named, reader, on))
    for digest in manifest.unchanged:
        # A recording of the record has no document code, and what travelled before has no media type here.
        named = codes.get(digest, {""})
        is_media = named == {""} and digest in codes
        view = table.of_code(Subject.MEDIA, reader, on) if is_media else table.of_material("", named, reader, on)
        views.setdefault(digest, []).append(view)
    narrowest = {digest: min(seen, key=_WIDTH.index) for digest, seen in views.items()}
    return {digest: view for digest, view in narrowest.items() if view is not View.ALL}


def view_in_bundle(
    table: Visibility,
    manifest: Manifest,
    references: Iterable[MaterialReference],
    *,
    sha256: str,
    reader: ReaderKind,
    on: date,
) -> View | None:
    """How much of one material of a bundle somebody sees who asks for it.

    Args:
        table: who sees what.
        manifest: of the bundle.
        references: documents and recordings of the record.
        sha256: of the material, hexadecimal.
        reader: in which capacity it is asked for.
        on: day of the asking.

    Returns:
        the view; None when the bundle has no such material.
    """
    named = [(reference.document_code, reference.sha256) for reference in references]
    codes = {code for code, digest in named if digest == sha256}
    media_types = [material.media_type for material in manifest.materials if material.sha256 == sha256]
    codes |= {material.document_code for material in manifest.materials if material.sha256 == sha256}
    if not media_types and sha256 not in manifest.unchanged:
        return None
    if not media_types and codes == {""}:
        media_types = ["audio/*"]
    views = [table.of_material(media_type, codes, reader, on) for media_type in media_types or [""]]
    return min(views, key=_WIDTH.index)


def parse_visibility(rules: RuleSet, forms: Iterable[Form]) -> Visibility:
    """Build the table.

    Args:
        rules: the file of rows.
        forms: the published forms.

    Returns:
        the table.

    Raises:
        RuleFileError: a row does not name every kind of reader once, or an unknown view; all at once.
    """
    readers, views = {*ReaderKind}, {*View}
    problems = []
    for row in rules.rows:
        see = row.content["see"]
        if not isinstance(see, dict) or see.keys() != readers:
            problems.append(f"{row.rule.id}: see must name {', '.join(ReaderKind)}")
        elif not set(see.values()) <= views:
            problems.append(f"{row.rule.id}: a view is one of {', '.join(View)}")
    if problems:
        raise RuleFileError(rules.name, problems)
    rows: dict[str, tuple[Row, ...]] = {}
    for row in rules.rows:
        see = {ReaderKind(reader): View(view) for reader, view in row.content["see"].items()}
        rows[row.rule.id] = (*rows.get(row.rule.id, ()), Row(row.rule, see))
    annexes = {form.media_type: form for form in forms if form.key.kind is FormKind.ANNEX}
    return Visibility(rows, annexes, frozenset(rules.settings["defence_stages"]))


@cache
def load_visibility() -> Visibility:
    """The table that comes with the package."""
    from gateway.core.form.catalog import published_forms  # noqa: PLC0415 - reads files of the package

    rules = load_rules("visibility", required=("title", "see"))
    return parse_visibility(rules, published_forms())
