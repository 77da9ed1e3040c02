"""A field is one or more leaves that hold one or more canonical values; most have one leaf and a codec.

Cells: what is to be written into a leaf is kept by the path of the leaf as its text and its *entries*, one for each
canonical value that the leaf comes from: the item, the field name and a loss. A cell without entries is generated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from adapters.engine.codec import BAD_FORMAT, Codec, Unreadable
from adapters.engine.fold import Placeholder
from gateway.core.case.value import Term
from gateway.core.errors import ErrorCode

if TYPE_CHECKING:
    from adapters.engine.item import Item
    from adapters.engine.plan import FieldFactory, FieldSpec, Leaf
    from adapters.engine.scan import Scan

KEPT: Final = 0
"""Reading what was written gives the same value."""
LOSSY: Final = 1
"""It gives another value, or the same one in another place."""
UNMAPPED: Final = 2
"""The receiver's table lacks the value; the raw value is in the companion leaf."""

Entry = tuple["Item", str, int]
Cells = dict[str, tuple[str | int, tuple[Entry, ...]]]


class Naming(Protocol):
    """What a writer knows about the source."""

    def raw_name(self, table: str, standard: str) -> str:
        """The name that the sender's table gives a canonical value."""

    def join_id(self, key: str) -> str | None:
        """The join id of the party with this key."""

    def is_moved(self, item: Item) -> bool:
        """Whether an identity document changes its place in the list."""


class Field(Protocol):
    """A field of one agency, as one record kind has it.

    Args:
        type: name in the type table.
        names: canonical values that it holds.
        leaves: of the interface, in the order of the field table.
        suffix: path of the first leaf.
        default: what is written when there is no value.
        is_mandatory: whether an item must have it.
        is_special: whether it reads and writes itself, instead of by the codec of its leaf.
        is_scalar: whether it is one leaf with one value.
        is_kept: whether reading what is written gives the same value; None when it always does.
        to_text: the text of a value; None when there is more to it.
        codec: of its one leaf; None when there is more to it.
    """

    type: str
    names: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    suffix: str
    default: Any
    is_mandatory: bool
    is_special: bool
    is_scalar: bool
    is_kept: Callable[[Any], bool] | None
    to_text: Callable[[Any], Any] | None
    codec: Codec | None

    def read(self, scan: Scan, item: Item) -> None:
        """Read the field of an item of which at least one leaf is there."""

    def absent(self, scan: Scan, item: Item) -> None:
        """Look at an item that has none of the leaves; only documents in lists have something to say."""

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        """Write the field of an item into its cells."""

    def is_exact(self, fields: dict[str, Any], leaf: Leaf, raw: Any) -> bool:
        """Whether a source leaf has exactly the text that its own agency writes for the value."""


class SpecField:
    """What every field has of its lines in the field table.

    Args:
        spec: its line or lines.
    """

    is_special = False
    is_scalar = False
    is_kept: Callable[[Any], bool] | None = None
    to_text: Callable[[Any], Any] | None = None
    codec: Codec | None = None

    def __init__(self, spec: FieldSpec) -> None:
        self.type = spec.type
        self.names = spec.names
        self.leaves: tuple[Leaf, ...] = tuple(spec.leaves.values())
        self.suffix = self.leaves[0].suffix
        self.default = spec.default
        self.is_mandatory = spec.is_mandatory

    def absent(self, scan: Scan, item: Item) -> None:
        """Nothing: what is missing is said by the item."""

    def is_exact(self, fields: dict[str, Any], leaf: Leaf, raw: Any) -> bool:
        """Never: a field that is no value's own text cannot have exactly that text."""
        return False


class ScalarField(SpecField):
    """One leaf, one canonical value; the writer asks its codec directly, because most fields are like this."""

    is_scalar = True

    def __init__(self, spec: FieldSpec, codec: Codec) -> None:
        super().__init__(spec)
        self.codec = codec
        self.leaf = self.leaves[0]
        self.name = spec.names[0]
        self.to_text = self._write = codec.write
        self.is_kept = codec.is_kept

    def read(self, scan: Scan, item: Item) -> None:
        """Nothing: the scan reads the one leaf by its codec."""

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        """Nothing: the writer asks the codec directly."""

    def is_exact(self, fields: dict[str, Any], leaf: Leaf, raw: Any) -> bool:
        return bool(self._write(fields[self.name]) == raw)


class ConstantField(SpecField):
    """The schema version: read so that the case knows it, generated when written."""

    is_special = True

    def read(self, scan: Scan, item: Item) -> None:
        part = scan.part(item, self.leaves[0], Placeholder.NEVER)
        if part is not None and part[1] is not None:
            item.set(self.names[0], part[1], part[0])

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        cells[self.leaves[0].suffix] = (self.default, ())


class SkippedField(SpecField):
    """A leaf of the file's own structure: looked at by the agency's source module, not a value."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self.is_mandatory = False

    def read(self, scan: Scan, item: Item) -> None:
        """Nothing: it holds no canonical value."""

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        """Nothing: the mapping of the agency generates it."""


class TermPartsField(SpecField):
    """A term in up to three leaves: years, months, days; a part that is zero is not written."""

    _PARTS: Final = ("years", "months", "days")

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._by_part = spec.leaves

    def read(self, scan: Scan, item: Item) -> None:
        numbers, sources = [], []
        for name in self._PARTS:
            part = scan.part(item, self._by_part[name])
            number = 0
            if part is not None:
                index, text = part
                if text is not None and len(text) <= 2 and text.isascii() and text.isdigit():
                    number = int(text)
                    sources.append(index)
                else:
                    if text is not None:
                        scan.note_leaf(ErrorCode.BAD_FORMAT, index)
                    item.bad[self.names[0]] = index
            numbers.append(number)
        if any(numbers) and self.names[0] not in item.bad:
            item.set(self.names[0], Term(*numbers), tuple(sources))

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        term = item.fields[self.names[0]]
        entries = ((item, self.names[0], KEPT),)
        for name in self._PARTS:
            number = getattr(term, name)
            if number:
                cells[self._by_part[name].suffix] = (str(number), entries)

    def is_exact(self, fields: dict[str, Any], leaf: Leaf, raw: Any) -> bool:
        number = getattr(fields[self.names[0]], leaf.part)
        return bool(number) and str(number) == raw


def set_read(scan: Scan, item: Item, name: str, index: int, value: Any) -> None:
    """Keep what a codec read: the value, nothing, or the finding that says why there is none."""
    if value.__class__ is Unreadable:
        scan.note_leaf(value.code, index)
        item.bad[name] = index
    elif value is not None:
        item.set(name, value, index)


def scalar(codec: Codec) -> FieldFactory:
    """A factory of fields with this codec."""

    def make(spec: FieldSpec) -> Field:
        return ScalarField(spec, codec)

    return make


__all__ = [
    "BAD_FORMAT",
    "KEPT",
    "LOSSY",
    "UNMAPPED",
    "Cells",
    "ConstantField",
    "Entry",
    "Field",
    "Naming",
    "ScalarField",
    "SkippedField",
    "SpecField",
    "TermPartsField",
    "scalar",
    "set_read",
]
