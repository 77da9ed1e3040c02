"""The contract that every adapter keeps, built-in or plug-in; each promise is one check that names what is wrong.

A check works on samples that come with the adapter, one at least for each record kind, and on what follows from them:
the sample with every optional value left out, with every code of its tables, on every route, and torn into pieces.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from adapters.codes.table import load_table
from adapters.contract_leaf import find_leaves
from adapters.engine.adapter import MOST_BYTES, Adapter
from adapters.engine.case_build import CLASSES, attribute_of
from adapters.engine.field import Field
from adapters.engine.finding import MESSAGES
from adapters.engine.format import PUBLISHED_MAPPING, Format
from adapters.engine.item import Item
from adapters.engine.plan import RowPlan
from adapters.engine.schema import Row
from gateway.core.case.case import ReportLine
from gateway.core.errors import ErrorCode

Samples = Mapping[str, tuple[bytes, ...]]
"""Files in the adapter's schema by canonical record kind."""
HEADER: Final = (
    "record.version",
    "record.kind",
    "record.sender",
    "record.receiver",
    "record.message_no",
    "case.police_no",
)
_HOSTILE: Final = (
    b"",
    b"\x00",
    b"\xff\xfe\xff",
    b"null",
    b"[]",
    b"{" * 100_000,
    b"[" * 100_000,
    b"<" * 1_000,
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    b"<a>" * 100_000,
    b"x" * (MOST_BYTES + 1),
)
_CUTS: Final = 40
_FLIPS: Final = 40
_ODD: Final = ("~!@#?", "１／２", "x" * 300, "-1")
"""Values that stand in the place of every value of a sample, one after the other."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An adapter that is checked.

    Args:
        adapter: made from its format.
        samples: by record kind.
        others: the adapters that it exchanges records with.
    """

    adapter: Adapter
    samples: Samples
    others: tuple[Adapter, ...]

    @property
    def format(self) -> Format:
        """What is particular to the adapter."""
        return self.adapter.format

    @property
    def kinds(self) -> frozenset[str]:
        """Record kinds that it sends or receives."""
        ways = ((self.format, other.format) for other in self.others)
        return frozenset().union(*(a.kinds_to(b) | b.kinds_to(a) for a, b in ways))

    def each_sample(self) -> Iterator[tuple[str, bytes, Item]]:
        """Kind, bytes and items of every sample that can be read."""
        for kind, files in sorted(self.samples.items()):
            for data in files:
                scan = self.adapter.read_unrouted(data, kind).trace
                if scan is not None:
                    yield kind, data, scan.root


@dataclass(frozen=True, slots=True)
class Kept:
    """Whether one promise is kept.

    Args:
        name: of the promise.
        promise: in words.
        problems: what breaks it; empty when it is kept.
    """

    name: str
    promise: str
    problems: tuple[str, ...]


def check_adapter(subject: Subject) -> tuple[Kept, ...]:
    """Run the whole contract.

    Args:
        subject: the adapter with its samples.

    Returns:
        one line for each promise. When the declaration, the table or a sample is wrong, the others are not looked at:
        they would say the same again.
    """
    found: list[Kept] = []
    for name, (promise, check) in CHECKS.items():
        found.append(Kept(name, promise, tuple(dict.fromkeys(_problems(check, subject)))))
        if found[-1].problems and name in ("declaration", "table", "samples"):
            break
    return tuple(found)


def _problems(check: Callable[[Subject], Iterator[str]], subject: Subject) -> Iterator[str]:
    # Code of a plug-in may raise anything; that is a broken promise and no end of the check.
    try:
        yield from check(subject)
    except Exception as error:
        yield f"{type(error).__name__}: {error}"


def _declaration(subject: Subject) -> Iterator[str]:
    made = subject.format
    if not made.name.isidentifier() or made.name != made.name.lower():
        yield f"name {made.name!r}: lower-case letters, digits and _ are needed"
    if not made.schema_version or made.schema_version.strip() != made.schema_version:
        yield "schema_version is empty or has blanks around it"
    if bool(made.root) != (made.media_type == "application/xml"):
        yield "an XML schema has a root element and application/xml, a JSON schema has neither"
    is_built_in = not made.package or made.package.startswith("adapters.")
    if not is_built_in and (made.mapping_version == PUBLISHED_MAPPING or "+" in made.mapping_version):
        yield f"mapping_version {made.mapping_version!r}: a name of its own is needed, such as '{made.name}-1.0'"
    if not subject.kinds:
        yield "no record kind goes to it or comes from it: look at role and kinds"
    for kind in sorted((made.kinds or frozenset()) - subject.kinds):
        yield f"kind {kind}: no route to or from an agency of this role"


def _table(subject: Subject) -> Iterator[str]:
    made = subject.format
    rows = made.field_rows
    paths = [row.path for row in rows if row.type != "list"]
    yield from (f"{path} stands twice" for path in sorted({path for path in paths if paths.count(path) > 1}))
    for row in rows:
        if row.type != "list" and row.type not in made.factories:
            yield f"{row.path}: no codec for type {row.type!r}"
        yield from (f"{row.path}: no canonical field {name}" for name in _names(row) if not _is_canonical(row, name))
        if row.table:
            yield from _code_table(made, row)
    if any(row.type != "list" and row.type not in made.factories for row in rows):
        return
    for kind in sorted(subject.kinds):
        plan = subject.adapter.plan(kind)
        missing = [name for name in HEADER if name not in plan.suffixes]
        if missing:
            yield f"{kind} lacks {', '.join(missing)}"


def _names(row: Row) -> list[str]:
    return [name for part in row.field.split("; ") for name in part.split(", ") if name]


def _is_canonical(row: Row, name: str) -> bool:
    if row.type == "list" or "." not in name:
        return name in CLASSES
    return any(
        attribute_of(scope, name) in {described.name for described in fields(made)} for scope, made in CLASSES.items()
    )


def _code_table(made: Format, row: Row) -> Iterator[str]:
    try:
        table = load_table(row.table, made.name)
    except (OSError, KeyError, ModuleNotFoundError) as error:
        yield f"{row.path}: code table {row.table}.{made.name}.csv cannot be read ({type(error).__name__})"
        return
    if not table.standards:
        yield f"code table {row.table}.{made.name}.csv is empty"


def _samples(subject: Subject) -> Iterator[str]:
    for kind in sorted(subject.kinds):
        if not subject.samples.get(kind):
            yield f"no sample of kind {kind}"
    for kind, files in sorted(subject.samples.items()):
        for number, data in enumerate(files, 1):
            reading = subject.adapter.read_unrouted(data, kind)
            for finding in reading.findings:
                if finding.code not in (ErrorCode.PARTY_MISMATCH,) and finding.severity.value == "error":
                    yield f"sample {number} of {kind}: {finding.code.name} at {finding.path or 'the whole file'}"
            if reading.header is not None and reading.header.kind != kind:
                yield f"sample {number} of {kind} is of kind {reading.header.kind}"


def to_plain(item: Item) -> dict[str, Any]:
    """Canonical values of an item and its lists, without sources and empty lists."""
    lists = {
        name: [to_plain(entry) for entry in items if entry.fields or entry.lists] for name, items in item.lists.items()
    }
    return {"fields": item.fields, **{name: items for name, items in lists.items() if items}}


def _is_identity(subject: Subject, kind: str, root: Item) -> bool:
    written, _ = subject.adapter.write(root, kind, subject.format.name)
    scan = subject.adapter.read_unrouted(written, kind).trace
    if scan is None or to_plain(scan.root) == to_plain(root):
        return scan is not None
    # A schema that withholds leaves out the items that its task does not need, and a code may decide that.
    return subject.format.is_withholding and len(list(_items(scan.root))) < len(list(_items(root)))


def _identity(subject: Subject) -> Iterator[str]:
    # A code is spelled alike in every record kind: once is enough.
    tried: set[str] = set()
    for kind, _, root in subject.each_sample():
        if not _is_identity(subject, kind, root):
            yield f"{kind}: the sample, written and read, is another case"
            continue
        for group, item, is_optional in _groups(subject.adapter.plan(kind), root):
            kept = dict(item.fields)
            if is_optional:
                for name in group.names:
                    item.fields.pop(name, None)
                if not _is_identity(subject, kind, root):
                    yield f"{kind}: without {', '.join(group.names)} the case that is read is another"
                item.fields = dict(kept)
            is_new = group.names[0] not in tried
            tried.add(group.names[0])
            for code in _codes(subject.format, group, kept) if is_new else ():
                item.fields[group.names[0]] = code
                if not _is_identity(subject, kind, root):
                    yield f"{kind}: {group.names[0]} {code} is read as something else"
            item.fields = kept


def _plans(plan: RowPlan) -> Iterator[RowPlan]:
    yield plan
    for rows in plan.lists:
        if rows.in_kind:
            for row in rows.rows.values():
                yield from _plans(row)


def _items(item: Item) -> Iterator[Item]:
    yield item
    for items in item.lists.values():
        for entry in items:
            yield from _items(entry)


def _groups(plan: RowPlan, root: Item) -> Iterator[tuple[Field, Item, bool]]:
    """Each field that has a value, in the first item that has it, and whether the value may be left out."""
    groups = [field for row in _plans(plan) for field in row.fields if field.names and field.type != "constant"]
    items = list(_items(root))
    for field in groups:
        holder = next((item for item in items if any(name in item.fields for name in field.names)), None)
        if holder is not None and field.names[0] != "record.kind":
            yield field, holder, not field.is_mandatory and not field.default


def _codes(made: Format, field: Field, values: Mapping[str, Any]) -> list[str]:
    # The number of an identity document must be right for its kind: its codes cannot be exchanged alone.
    if field.type not in ("code", "code, open") or field.names[0] not in values:
        return []
    table = next(row.table for row in made.field_rows if field.names[0] in _names(row) and row.table)
    return sorted(standard for standard, (_, is_kept) in load_table(table, made.name).written.items() if is_kept)


def _determinism(subject: Subject) -> Iterator[str]:
    for kind, data, root in subject.each_sample():
        again = Adapter(subject.format)
        first, second = subject.adapter.read_unrouted(data, kind), again.read_unrouted(data, kind)
        if first.findings != second.findings:
            yield f"{kind}: two readings have different findings"
        written = {made.write(root, kind, made.name)[0] for made in (subject.adapter, again, subject.adapter)}
        if len(written) > 1:
            yield f"{kind}: two writings give different bytes"


def _lineage(subject: Subject) -> Iterator[str]:
    for kind, data, root in subject.each_sample():
        for other in subject.others:
            if kind in subject.format.kinds_to(other.format):
                yield from _laws(kind, data, subject.adapter, other)
            if kind in other.format.kinds_to(subject.format):
                source, _ = other.write(root, kind, subject.format.name)
                yield from _laws(kind, source, other, subject.adapter)


def leaves_of(data: bytes, made: Format) -> list[str]:
    """Paths of the leaves of a file that can be read, in document order."""
    return find_leaves(made.decode(data).text, made.field_rows, is_xml=bool(made.root))


def map_unrouted(data: bytes, kind: str, sender: Adapter, receiver: Adapter) -> tuple[bytes, tuple[ReportLine, ...]]:
    """Map a file that can be read without asking who it is for; the rendition and its report."""
    scan = sender.read_unrouted(data, kind).trace
    target, writer = receiver.write(scan.root, kind, sender.name)
    return target, receiver.report(scan, writer)


def _laws(kind: str, source: bytes, sender: Adapter, receiver: Adapter) -> Iterator[str]:
    target, report = map_unrouted(source, kind, sender, receiver)
    where = f"{kind} from {sender.name} to {receiver.name}"
    if (target, report) != map_unrouted(source, kind, sender, receiver):
        yield f"{where}: mapped twice it is not the same"
    for side, named, there in (
        ("source", [line.source for line in report], leaves_of(source, sender.format)),
        ("target", [line.target for line in report], leaves_of(target, receiver.format)),
    ):
        paths = {path for path in named if path}
        yield from (f"{where}: {side} {path} has no line" for path in there if path not in paths)
        yield from (f"{where}: {side} {path} is no leaf" for path in sorted(paths.difference(there)))


def _hostile(subject: Subject) -> Iterator[str]:
    for number, data in enumerate(_HOSTILE):
        yield from _answered(subject, data, f"hostile file {number}", must_refuse=True)
    tried: set[str] = set()
    dice = random.Random(1)  # noqa: S311 - the same pieces each time; nothing is kept secret
    for kind, data, _ in subject.each_sample():
        for _ in range(_CUTS):
            end = dice.randrange(max(1, len(data) - 8))
            yield from _answered(subject, data[:end], f"{kind} cut at byte {end}", must_refuse=True)
        for _ in range(_FLIPS):
            at = dice.randrange(len(data))
            changed = data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
            yield from _answered(subject, changed, f"{kind} changed at byte {at}", must_refuse=False)
        text = data.decode(subject.format.encoding)
        for value in _values(subject, kind, data, tried):
            for odd in _ODD:
                changed = text.replace(value, odd, 1).encode(subject.format.encoding)
                yield from _answered(subject, changed, f"{kind} with an odd value", must_refuse=False)


def _values(subject: Subject, kind: str, data: bytes, tried: set[str]) -> Iterator[str]:
    """A value of each leaf that was not tried with an earlier sample."""
    for _, leaf, raw in subject.adapter.read_unrouted(data, kind).trace.leaves:
        if isinstance(raw, str) and leaf.suffix not in tried:
            tried.add(leaf.suffix)
            yield raw


def _answered(subject: Subject, data: bytes, what: str, *, must_refuse: bool) -> Iterator[str]:
    for other in subject.others[:1]:
        # Whatever a reader raises is what this check looks for.
        try:
            reading = subject.adapter.read(data, other.format)
        except Exception as error:
            yield f"{what}: {type(error).__name__} instead of a finding"
            continue
        if must_refuse and not reading.has_errors:
            yield f"{what}: no error"
        if any(
            finding.code not in MESSAGES or finding.message != MESSAGES[finding.code] for finding in reading.findings
        ):
            yield f"{what}: a finding that is not in the closed list"


def _version(subject: Subject) -> Iterator[str]:
    other = Adapter(replace(subject.format, schema_version=subject.format.schema_version + ".1"))
    for kind, data, _ in subject.each_sample():
        for receiver in subject.others:
            found = [finding.code for finding in other.read(data, receiver.format).findings]
            if found != [ErrorCode.UNKNOWN_VERSION]:
                yield f"{kind}: a record of another version is not refused with UNKNOWN_VERSION alone"


CHECKS: Final[dict[str, tuple[str, Callable[[Subject], Iterator[str]]]]] = {
    "declaration": ("names, versions, role and kinds are right", _declaration),
    "table": ("every leaf has a codec, a canonical field and its code table", _table),
    "samples": ("every record kind has a sample without an error", _samples),
    "identity": (
        "what is written is read back as the same case, with every code and without what is optional",
        _identity,
    ),
    "determinism": ("the same input gives the same bytes and findings", _determinism),
    "lineage": ("the report names every leaf of source and target and nothing else", _lineage),
    "hostile": ("whatever the bytes are, the answer is findings of the closed list", _hostile),
    "version": ("a record of another version is refused", _version),
}
"""The promises in the order in which they are checked."""
