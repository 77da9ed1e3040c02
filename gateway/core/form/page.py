"""The page of the forms and what commands say of them, made from schemas, rows and checks alone.

Source: domain model, section 3.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.core.form.book import FormBook
from gateway.core.form.definition import Concern, Form, FormKind, Reader
from gateway.core.form.field import describe_fields
from gateway.core.form.rule import CheckRule

MARK_BEGIN: Final = "<!-- forms: begin, written by `fasttrack annex list --markdown` -->"
MARK_END: Final = "<!-- forms: end -->"
_ROLES: Final = {
    "ps": "police",
    "pr": "procuratorate",
    "ct": "court",
    "ja": "justice",
    "ov": "oversight",
    "party": "party",
    "public": "public",
}
_CONCERNS: Final = {
    Concern.CASE: " Names a case.",
    Concern.NO_CASE: " Names no case.",
    Concern.EITHER: " May name a case.",
}
_VIEWS: Final = {"all": "", "masked": "masked", "status": "status only", "on_request": "on request, recorded"}


def describe_form(form: Form, book: FormBook) -> dict[str, Any]:
    """Say what a form is, as programs are told.

    Args:
        form: of the book.
        book: that has its checks.

    Returns:
        kind, name, version, media_type (annexes), title, concern, issuers, readers, masked, articles, checks.
    """
    return {
        "kind": form.key.kind.value,
        "name": form.key.name,
        "version": form.key.version,
        "media_type": form.media_type if form.key.kind is FormKind.ANNEX else None,
        "title": form.title,
        "concern": form.concern.value,
        "issuers": list(form.issuers),
        "readers": [{"role": r.role, "view": r.view, "condition": r.condition} for r in form.readers],
        "masked": list(form.masked),
        "articles": list(form.articles),
        "checks": [_describe_rule(row) for row in book.rows_of(form)],
    }


def _describe_rule(row: CheckRule) -> dict[str, Any]:
    return {
        "code": int(row.code),
        "name": row.code.name,
        "severity": row.severity.value,
        "adjustable": row.is_adjustable,
        "message": row.message,
        "cure": row.cure,
        "basis": row.rule.citation,
        "confidence": row.rule.confidence.value,
    }


def describe_reader(reader: Reader) -> str:
    """One reader in words."""
    notes = [note for note in (_VIEWS[reader.view], reader.condition) if note]
    return _ROLES[reader.role] + (f" ({'; '.join(notes)})" if notes else "")


def to_markdown(book: FormBook) -> str:
    """The generated part of the page, between its two marks.

    Args:
        book: the published forms.

    Returns:
        Markdown that ends with a line feed.
    """
    common = [row for row in book.rules.rows if row.code in book.common_codes]
    lines = [MARK_BEGIN, "## Checks of every form", "", *_to_table(common)]
    for kind, heading in ((FormKind.ANNEX, "Annexes"), (FormKind.STATEMENT, "Statements")):
        forms = [form for form in book.forms.values() if form.key.kind is kind]
        if forms:
            lines += [f"## {heading}", ""]
        for form in forms:
            lines += _to_section(form, book)
    return "\n".join([*lines[:-1], MARK_END, ""])


def _to_section(form: Form, book: FormBook) -> list[str]:
    file = f"{form.key.kind}/{form.key.name}.v{form.key.version}"
    masked = f" Masked: {', '.join(f'`{name}`' for name in form.masked)}." if form.masked else ""
    concern = _CONCERNS[form.concern] if form.key.kind is FormKind.STATEMENT else ""
    lines = [
        f"### {form.title}",
        "",
        f"`{form.key.name}` version {form.key.version}: [schema]({file}.schema.json), [example]({file}.example.json).",
        f"From: {', '.join(_ROLES[role] for role in form.issuers)}.{concern} "
        f"Seen by: {', '.join(describe_reader(reader) for reader in form.readers)}.{masked}",
        f"Articles: {'; '.join(form.articles)}.",
        "",
        "| Field | Required | What |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{row.path}` | {'yes' if row.is_required else ''} | {_cell(row.text)} |" for row in describe_fields(form)
    ]
    lines.append("")
    return lines + _to_table([row for row in book.rows_of(form) if row.code not in book.common_codes])


def _to_table(rows: list[CheckRule]) -> list[str]:
    if not rows:
        return []
    return [
        "| Check | Weighs | When | Article | Confidence |",
        "|---|---|---|---|---|",
        *(
            f"| {int(row.code)} `{row.code.name}` | {row.severity}{', adjustable' if row.is_adjustable else ''} "
            f"| {_cell(row.message)} | {_cell(row.rule.citation)} | {row.rule.confidence} |"
            for row in rows
        ),
        "",
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
