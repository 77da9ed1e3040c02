"""A plan is the field table of one agency made ready for one record kind: dictionaries by tag, attribute or member.

It is made once for each agency and kind; reading and writing then touch each leaf once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from adapters.engine.codec import same
from adapters.engine.fold import Placeholder
from adapters.engine.schema import Row, names_in

if TYPE_CHECKING:
    from adapters.engine.field import Field

FieldFactory = Callable[["FieldSpec"], "Field"]


class Leaf:
    """One leaf of the interface, as one kind has it.

    Args:
        suffix: its path below its item.
        part: which part of its field it is.
        in_kind: whether the kind (and party) has it.
    """

    __slots__ = ("field", "in_kind", "is_integer", "is_structure", "name", "part", "placeholder", "read", "suffix")

    def __init__(self, suffix: str, part: str = "", *, in_kind: bool = True) -> None:
        self.suffix = suffix
        self.part = part
        self.in_kind = in_kind
        self.read: Callable[[Any], Any] | None = None
        self.is_integer = False
        self.is_structure = False
        self.placeholder = Placeholder.ALL
        self.name = ""
        self.field: Field | None = None


STRUCTURE: Final = frozenset({"constant", "join id", "join reference", "party", "derived charge", "derived persons"})
"""Types whose leaves are the file's own structure: always dropped, never withheld."""

UNKNOWN_LEAF = Leaf("", in_kind=False)
"""Stands for every leaf that the interface does not have."""


@dataclass(slots=True)
class FieldSpec:
    """What a field is made from.

    Args:
        agency: adapter name.
        type: of its leaves.
        names: canonical fields.
        leaves: by part; a field of one leaf has the part "".
        table: base name of its code table.
        default: written when there is no value, "" for nothing.
        is_mandatory: in this kind.
        is_xml: notation of the file.
    """

    agency: str
    type: str
    names: tuple[str, ...]
    leaves: dict[str, Leaf]
    table: str
    default: str
    is_mandatory: bool
    is_xml: bool


class Node:
    """One element or member of the interface.

    Args:
        suffix: its path below its item.
    """

    __slots__ = ("attributes", "attrs", "children", "leaf", "members", "rows", "suffix")

    def __init__(self, suffix: str) -> None:
        self.attributes: list[tuple[str, str]] | None = None
        self.members: list[Member] | None = None
        self.suffix = suffix
        self.attrs: dict[str, Leaf] = {}
        self.children: dict[str, Node] = {}
        self.leaf: Leaf | None = None
        self.rows: ListPlan | None = None


Member = tuple[str, str, str, "Node"]
"""A child of a node: its name, the same as it begins in the text, the path of its own leaf ("" for none), the child."""
PlainWriter = tuple[str, Callable[[Any], Any] | None, Callable[[Any], bool] | None]
"""How a field of one leaf and one value is written: its path, its codec's ``write`` (None if the value is its own text)
and ``is_kept``."""


@dataclass(slots=True)
class RowPlan:
    """How one item of a list, or the record, is read and written.

    Args:
        scope: canonical scope.
        node: the element or object of the item.
        fields: those that the kind has, in the order of the interface.
        compounds: fields that are read after all leaves of the item are known, each with the paths of its leaves.
        mandatory: fields that must have a value.
        needed: the first canonical name of each of them; where an item has all of these, no field is missing.
        specials: fields that are written from lists of the item or by rule.
        by_name: field by canonical name.
        plain: those of them that are written without a look at other values.
        suffixes: path of the first leaf of each canonical name.
        lists: lists of the item, in the order of the interface.
        defaults: path and text of the leaves that are written when they have no value.
    """

    scope: str
    node: Node
    fields: list[Field] = field(default_factory=list)
    compounds: list[tuple[Field, frozenset[str]]] = field(default_factory=list)
    mandatory: list[Field] = field(default_factory=list)
    needed: set[str] = field(default_factory=set)
    specials: list[Field] = field(default_factory=list)
    by_name: dict[str, Field] = field(default_factory=dict)
    plain: dict[str, PlainWriter] = field(default_factory=dict)
    suffixes: dict[str, str] = field(default_factory=dict)
    lists: list[ListPlan] = field(default_factory=list)
    defaults: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class ListPlan:
    """A list of the interface.

    Args:
        key: under which the items are kept: the canonical list, or the table of a tabular schema.
        suffix: path of its items below their owner, without index.
        in_kind: whether the kind has it.
        is_mandatory: whether it must have an item.
        rows: plan of an item by scope; one unless the table is shared by parties.
    """

    key: str
    suffix: str
    in_kind: bool
    is_mandatory: bool
    rows: dict[str, RowPlan]

    @property
    def row(self) -> RowPlan:
        """The plan of a list whose items are all of one scope."""
        return next(iter(self.rows.values()))


def attributes_of(node: Node) -> list[tuple[str, str]]:
    """Attributes that the kind has: how each begins in the text, and the path of its leaf; worked out once."""
    known = node.attributes
    if known is None:
        known = node.attributes = [(f' {name}="', leaf.suffix) for name, leaf in node.attrs.items() if leaf.in_kind]
    return known


def members_of(node: Node, beginning: str) -> list[Member]:
    """Children that the kind has, in the order of the interface; worked out once.

    Args:
        node: of one notation.
        beginning: of a child in the text, with ``{}`` for its name.

    Returns:
        the children.
    """
    known = node.members
    if known is None:
        known = node.members = [
            (name, beginning.format(name), child.leaf.suffix if child.leaf is not None else "", child)
            for name, child in node.children.items()
            if _is_in_kind(child)
        ]
    return known


def _is_in_kind(node: Node) -> bool:
    if node.rows is not None:
        return node.rows.in_kind
    leaves = [*node.attrs.values(), *((node.leaf,) if node.leaf is not None else ())]
    return any(leaf.in_kind for leaf in leaves) or any(map(_is_in_kind, node.children.values()))


class Compiler:
    """Makes the plans of one agency.

    Args:
        agency: adapter name.
        rows: its field table.
        factories: by type, what makes its fields.
        is_xml: notation of the file.
        is_tabular: lists are named by their table, not by their canonical list.
    """

    def __init__(
        self, agency: str, rows: Iterable[Row], factories: dict[str, FieldFactory], *, is_xml: bool, is_tabular: bool
    ) -> None:
        self._agency = agency
        self._factories = factories
        self._is_xml = is_xml
        self._is_tabular = is_tabular
        self._by_owner: dict[str, list[Row]] = {}
        for row in rows:
            self._by_owner.setdefault(row.owner, []).append(row)

    def compile(self, kind: str) -> RowPlan:
        """The plan of a record kind."""
        return self._row("", "record", kind, in_kind=True, is_shared=False)

    def _row(self, owner: str, scope: str, kind: str, *, in_kind: bool, is_shared: bool) -> RowPlan:
        plan = RowPlan(scope, Node(""))
        specs: dict[tuple[str, tuple[str, ...]], FieldSpec] = {}
        done: set[str] = set()
        for row in self._by_owner.get(owner, ()):
            suffix = row.path[len(owner) :]
            if row.type == "list":
                if row.path not in done:
                    done.add(row.path)
                    self._list(plan, row, suffix[:-2], kind, in_kind=in_kind)
                continue
            names = names_in(row, scope, is_shared=is_shared)
            cardinality = row.cardinality_in(kind, scope) if in_kind and names is not None else ""
            leaf = Leaf(suffix, row.part, in_kind=bool(cardinality))
            leaf.is_structure = row.type in STRUCTURE
            self._place(plan.node, suffix, leaf)
            if not cardinality or names is None:
                continue
            key = (row.type, names or (suffix if not row.part else row.type,))
            spec = specs.get(key)
            if spec is None:
                default = row.default if cardinality == "D" or row.type == "constant" else ""
                spec = specs[key] = FieldSpec(
                    self._agency, row.type, names, {}, row.table, default, cardinality == "M", self._is_xml
                )
            spec.leaves[row.part] = leaf
        for spec in specs.values():
            self._add(plan, self._factories[spec.type](spec))
        return plan

    def _list(self, plan: RowPlan, row: Row, suffix: str, kind: str, *, in_kind: bool) -> None:
        same = [r for r in self._by_owner[row.owner] if r.type == "list" and r.path == row.path]
        marks = {scope: r.cardinality_in(kind, scope) if in_kind else "" for r in same for scope in r.field.split(", ")}
        is_shared = len(marks) > 1
        key = row.path.split("/")[-2] if self._is_tabular else row.field
        rows = {
            scope: self._row(row.path, scope, kind, in_kind=bool(mark), is_shared=is_shared)
            for scope, mark in marks.items()
        }
        table = ListPlan(key, suffix, any(marks.values()), "M" in marks.values(), rows)
        plan.lists.append(table)
        node = self._node(plan.node, suffix)
        node.rows = table

    def _node(self, node: Node, suffix: str) -> Node:
        path = ""
        for name in suffix.split("/")[1:]:
            path += "/" + name
            child = node.children.get(name)
            if child is None:
                child = node.children[name] = Node(path)
            node = child
        return node

    def _place(self, node: Node, suffix: str, leaf: Leaf) -> None:
        head, _, name = suffix.rpartition("/")
        if name.startswith("@"):
            self._node(node, head).attrs[name[1:]] = leaf
        else:
            self._node(node, suffix).leaf = leaf

    @staticmethod
    def _add(plan: RowPlan, made: Field) -> None:
        plan.fields.append(made)
        for leaf in made.leaves:
            leaf.field = made
            if made.codec is not None:
                leaf.read = made.codec.read
                leaf.is_integer = made.codec.is_integer
                leaf.placeholder = made.codec.placeholder
            leaf.name = made.names[0] if made.names else ""
        if made.codec is None:
            plan.compounds.append((made, frozenset(leaf.suffix for leaf in made.leaves)))
        if made.is_mandatory:
            plan.mandatory.append(made)
            plan.needed.update(made.names[:1])
        if made.is_special:
            plan.specials.append(made)
        if made.default:
            plan.defaults.append((made.leaves[0].suffix, made.default))
        for name in made.names:
            plan.suffixes.setdefault(name, made.leaves[0].suffix)
            if not made.is_special:
                plan.by_name[name] = made
        if made.is_scalar and made.to_text is not None and not made.is_special:
            plan.plain[made.names[0]] = (made.suffix, None if made.to_text is same else made.to_text, made.is_kept)
