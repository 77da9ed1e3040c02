"""Coded fields: a code, or a pair of code and name; open ones with a companion leaf for the raw value.

Source: agency interfaces, section 5 (codes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.codes.table import OTHER, Table, load_table
from adapters.engine.codec import NOT_IN_TABLE, Codec, Unreadable
from adapters.engine.field import KEPT, LOSSY, UNMAPPED, Cells, Field, Naming, ScalarField, SpecField
from adapters.engine.fold import Placeholder, is_placeholder
from adapters.engine.item import Item, Source
from adapters.engine.value_text import read_text
from gateway.core.case.value import RawText
from gateway.core.errors import ErrorCode

if TYPE_CHECKING:
    from adapters.engine.plan import FieldSpec, Leaf
    from adapters.engine.scan import Scan

Part = tuple[int, str | None] | None


class Resolved(NamedTuple):
    """What the leaves of a coded field say.

    Args:
        value: a standard, a RawText, or None.
        sources: the leaves that it was read from; when there is no value, the leaf that is unreadable.
        is_bad: a leaf is unreadable.
    """

    value: str | RawText | None
    sources: tuple[int, ...] = ()
    is_bad: bool = False


_NOTHING = Resolved(None)


def _is_placeholder(code: str, name: str) -> bool:
    # A table may have a word that says nothing as its name, and then it is a finding although it is in the table.
    return is_placeholder(code, Placeholder.ALL) or is_placeholder(name, Placeholder.ALL)


class CodeField(SpecField):
    """A code of a table."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self.name = spec.names[0]
        self.table_name = spec.table
        self.table = load_table(spec.table, spec.agency)
        self.is_open = "raw" in spec.leaves
        self.code: Leaf = spec.leaves["code"]
        self.title: Leaf | None = spec.leaves.get("name")
        self.companion: Leaf | None = spec.leaves.get("raw")
        # A field whose code is looked at in another way must always be resolved by its own rules.
        is_plain = type(self).resolve is CodeField.resolve and type(self).normal is CodeField.normal
        self._by_pair = {
            (code, name if self.title is not None else None): self.table.standards[code]
            for code, name in self.table.names.items()
            if is_plain and self.table.standards[code] != OTHER and not _is_placeholder(code, name)
        }

    def normal(self, text: str) -> str:
        """The code that a text means; another spelling only where the agency accepts one."""
        return text

    def resolve(self, scan: Scan, item: Item) -> Resolved:
        """Read the leaves, giving every finding that they deserve."""
        raw = item.raw
        code = scan.part(item, self.code) if self.code.suffix in raw else None
        title = scan.part(item, self.title) if self.title is not None and self.title.suffix in raw else None
        if code is not None:
            return self._by_code(scan, item, code[0], code[1], title)
        if title is not None:
            return self._by_name(scan, item, title[0], title[1])
        return self._by_companion(scan, item, ())

    def _by_code(self, scan: Scan, item: Item, index: int, text: str | None, title: Part) -> Resolved:
        if text is None:
            return Resolved(None, (index,), is_bad=True)
        code = self.normal(text)
        standard = self.table.standards.get(code)
        if standard is None:
            if not self.is_open:
                scan.note_leaf(ErrorCode.CODE_NOT_IN_TABLE, index)
                return Resolved(None, (index,), is_bad=True)
            scan.note_leaf(ErrorCode.CODE_UNKNOWN, index)
            if title is not None and title[1] is not None:
                return Resolved(RawText(read_text(title[1])), (index, title[0]))
            return Resolved(RawText(read_text(text)), (index,))
        sources: tuple[int, ...] = (index,)
        if title is not None and title[1] is not None:
            sources = (index, title[0])
            if title[1] != self.table.names[code]:
                scan.note_leaf(ErrorCode.CODE_NAME_CONFLICT, title[0])
        if standard == OTHER:
            return self._by_companion(scan, item, sources)
        return Resolved(standard, sources)

    def _by_name(self, scan: Scan, item: Item, index: int, text: str | None) -> Resolved:
        if text is None:
            return Resolved(None, (index,), is_bad=True)
        code = self.table.codes_by_name.get(text)
        if code is None:
            if not self.is_open:
                scan.note_leaf(ErrorCode.CODE_NOT_IN_TABLE, index)
                return Resolved(None, (index,), is_bad=True)
            scan.note_leaf(ErrorCode.CODE_UNKNOWN, index)
            return Resolved(RawText(read_text(text)), (index,))
        standard = self.table.standards[code]
        if standard == OTHER:
            return self._by_companion(scan, item, (index,))
        return Resolved(standard, (index,))

    def _by_companion(self, scan: Scan, item: Item, others: tuple[int, ...]) -> Resolved:
        """The *other* code, or no code: the companion says what is meant, else the name of the *other* code."""
        if self.companion is None or self.companion.suffix not in item.raw:
            part = None
        else:
            part = scan.part(item, self.companion)
        if part is not None and part[1] is None:
            return Resolved(None, (part[0],), is_bad=True)
        if part is not None and part[1] is not None:
            return Resolved(RawText(read_text(part[1])), (*others, part[0]))
        if others:
            return Resolved(RawText(self.table.names[self.table.other]), others)
        return _NOTHING

    def read(self, scan: Scan, item: Item) -> None:
        raw = item.raw
        code = raw.get(self.code.suffix)
        title = raw.get(self.title.suffix) if self.title is not None else None
        if code is not None:
            leaves = scan.leaves
            standard = self._by_pair.get((leaves[code][2], leaves[title][2] if title is not None else None))
            # Exactly the code and the name of the table: most are, and then there is nothing to find.
            if standard is not None:
                item.set(self.name, standard, code if title is None else (code, title))
                return
        self.keep(item, self.resolve(scan, item))

    def keep(self, item: Item, found: Resolved) -> None:
        """Keep what was resolved as the value of the field."""
        if found.value is not None:
            source: Source = found.sources[0] if len(found.sources) == 1 else found.sources
            item.set(self.name, found.value, source)
        elif found.is_bad:
            item.bad[self.name] = found.sources[0]

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        self.put(cells, item, naming, KEPT)

    def put(self, cells: Cells, item: Item, naming: Naming, least: int) -> None:
        """Write the value; ``least`` is a loss that it has anyway."""
        value = item.fields[self.name]
        if value.__class__ is str:
            hit = self.table.written.get(value)
            if hit is not None:
                code, is_kept = hit
                entries = ((item, self.name, max(least, KEPT if is_kept else LOSSY)),)
                cells[self.code.suffix] = (code, entries)
                if self.title is not None:
                    cells[self.title.suffix] = (self.table.names[code], entries)
                return
            raw = naming.raw_name(self.table_name, value)
        else:
            raw = value.text
        if self.companion is None:
            return
        entries = ((item, self.name, UNMAPPED),)
        cells[self.code.suffix] = (self.table.other, entries)
        if self.title is not None:
            cells[self.title.suffix] = (self.table.names[self.table.other], entries)
        cells[self.companion.suffix] = (raw, entries)

    def is_exact(self, fields: dict[str, Any], leaf: Leaf, raw: Any) -> bool:
        value = fields[self.name]
        if value.__class__ is not str:
            return False
        code = self.table.written[value][0]
        return bool(raw == (self.table.names[code] if leaf is self.title else code))


def _closed_codec(table: Table) -> Codec:
    standards, written = table.standards, table.written

    def read(text: str) -> str | Unreadable:
        return standards.get(text, NOT_IN_TABLE)

    def write(value: str) -> str | None:
        hit = written.get(value)
        return hit[0] if hit else None

    def is_kept(value: str) -> bool:
        return written[value][1]

    return Codec(read, write, is_kept=is_kept)


def code(spec: FieldSpec) -> Field:
    """A coded field: of one leaf when its table is closed and has no pair, else of several."""
    if len(spec.leaves) == 1:
        return ScalarField(spec, _closed_codec(load_table(spec.table, spec.agency)))
    return CodeField(spec)


class ChargeNameField(CodeField):
    """A charge by its name, read with or without the final 罪 and written without it."""

    def normal(self, text: str) -> str:
        short = text[:-1]
        return (
            short
            if text.endswith("罪") and text not in self.table.standards and short in self.table.standards
            else text
        )
