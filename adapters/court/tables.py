"""The court's tables: rows are joined to parties by an id that means nothing outside the file.

Reading: the party rows are looked at first, so that every other row is read as its party has it; then rows become items
of their parties. Writing: the other way round.

Source: court interface, schema 1.1, section 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.codes.table import load_table
from adapters.engine.fold import BLANK
from adapters.engine.plan import Leaf, Node, RowPlan
from adapters.engine.source_xml import Chooser, RowChoice
from adapters.engine.writer import Generated, Writer, own_items
from gateway.core.errors import ErrorCode

if TYPE_CHECKING:
    from adapters.engine.item import Item
    from adapters.engine.plan import ListPlan
    from adapters.engine.scan import Scan

PARTIES: Final = "DSR"
_ID: Final = "/@ID"
_PARTY: Final = "/@LX"
_JOIN: Final = "/@DSRID"
_FIRST_ID: Final = 9001
_JOINED_LISTS: Final = {
    "ZJB": ("id_doc", ("person",)),
    "QKB": ("prior", ("person",)),
    "QZCS": ("measure", ("person",)),
    "BHRB": ("legal", ("person",)),
    "ZM": ("charge", ("person", "org")),
    "PJ": ("sentence", ("person",)),
}
"""Tables whose rows are items of a party: canonical list, and the parties that may have them."""
_JOINED_FIELDS: Final = {"LXJY": ("person", "org"), "ZX": ("person", "org"), "PG": ("person",)}
"""Tables with one row for each party, whose fields are the party's own."""
_RECORD_LISTS: Final = {"CW": "property", "DJ": "freeze", "WS": "document", "LX": "recording", "RY": "officer"}
_REFERENCES: Final = (("property", "property.owner"), ("document", "document.person"))
_KEYS: Final = {"person": "person.key", "org": "org.key", "victim": "victim.key"}


def _text(scan: Scan, row: Item, suffix: str) -> tuple[int, str] | None:
    index = row.raw.get(suffix)
    return None if index is None else (index, str(scan.leaves[index][2]).strip(BLANK))


def _has_leaf(row: Any) -> bool:
    texts = (text for element in row.iter() for text in (element.text, *element.values(), *(c.tail for c in element)))
    return any(text and text.strip(BLANK) for text in texts)


def _rejected(plan: RowPlan) -> RowPlan:
    """The plan of a row that is no row: its leaves are not in the kind, but the party has its own finding."""
    node = Node("")
    for name, leaf in plan.node.attrs.items():
        node.attrs[name] = leaf if leaf.suffix == _PARTY and leaf.field else Leaf(leaf.suffix, in_kind=False)
    return RowPlan(plan.scope, node)


class CourtTables:
    """The tables of one file that is read."""

    def __init__(self) -> None:
        self._scope_of_party = load_table("party", "court").standards
        self._scope_of_id: dict[str, str] = {}
        self._seen: set[tuple[str, str]] = set()

    def prepare(self, scan: Scan, root: Any, plan: RowPlan) -> Chooser:
        rows = next(rows for rows in plan.lists if rows.key == PARTIES)
        table = next((child for child in root if child.tag == PARTIES), None)
        for row in table if table is not None else ():
            scope = self._scope(row, rows) if row.tag == "R" else None
            join_id = row.get("ID", "").strip(BLANK)
            if scope is not None and join_id:
                self._scope_of_id.setdefault(join_id, scope)
        return self._choose

    def _scope(self, row: Any, rows: ListPlan) -> str | None:
        scope = self._scope_of_party.get(row.get("LX", "").strip(BLANK))
        return scope if scope is not None and rows.rows[scope].fields else None

    def _choose(self, scan: Scan, row: Any, rows: ListPlan, path: str) -> RowChoice | None:
        if rows.key == PARTIES:
            scope = self._scope(row, rows)
            if scope is not None:
                return RowChoice(rows.rows[scope])
            if row.get("LX", "").strip(BLANK):
                scan.note(ErrorCode.CODE_NOT_IN_TABLE, path + _PARTY)
            elif _has_leaf(row):
                scan.note(ErrorCode.MISSING_FIELD, path + _PARTY)
            return RowChoice(_rejected(rows.rows["person"]), is_kept=False)
        if rows.key not in _JOINED_FIELDS:
            return RowChoice(rows.row)
        join = row.get("DSRID", "").strip(BLANK)
        if join and (rows.key, join) in self._seen:
            scan.note(ErrorCode.REPEATED_FIELD, path + _JOIN)
            return None
        self._seen.add((rows.key, join))
        return RowChoice(rows.rows.get(self._scope_of_id.get(join, "person"), rows.row))

    def join(self, scan: Scan, kind: str) -> None:
        root = scan.root
        tables = root.lists
        root.lists = {}
        parties = self._parties(scan, tables.get(PARTIES, []))
        if not root.items("person"):
            # Sentences are needed only where there is a person who can be sentenced.
            scan.noted[:] = [
                n for n in scan.noted if n.path != "/CASE/PJ/R[1]" or n.code is not ErrorCode.MISSING_FIELD
            ]
        for table, (name, scopes) in _JOINED_LISTS.items():
            for row in tables.get(table, ()):
                party = self._party(scan, row, parties, scopes)
                if party is not None:
                    party.lists.setdefault(name, []).append(row)
        for table, scopes in _JOINED_FIELDS.items():
            for row in tables.get(table, ()):
                party = self._party(scan, row, parties, scopes)
                if party is not None:
                    party.fields.update(row.fields)
                    party.sources.update(row.sources)
                    party.bad.update(row.bad)
        root.lists.update({name: tables[table] for table, name in _RECORD_LISTS.items() if table in tables})
        ordered = [row for scope in _KEYS for row in root.items(scope)]
        expected = {id(row): str(number) for number, row in enumerate(ordered, _FIRST_ID)}
        for list_name, field_name in _REFERENCES:
            for item in root.items(list_name):
                self._resolve(scan, item, field_name, parties, expected)

    @staticmethod
    def _parties(scan: Scan, rows: list[Item]) -> dict[str, Item]:
        """Parties by join id; of several rows with the same id the first counts."""
        parties: dict[str, Item] = {}
        for row in rows:
            scan.root.lists.setdefault(row.scope, []).append(row)
            found = _text(scan, row, _ID)
            if found is None:
                scan.note(ErrorCode.MISSING_FIELD, row.path + _ID)
            elif found[1] in parties:
                scan.note_leaf(ErrorCode.DUPLICATE_PERSON_KEY, found[0])
            else:
                parties[found[1]] = row
        return parties

    @staticmethod
    def _party(scan: Scan, row: Item, parties: dict[str, Item], scopes: tuple[str, ...]) -> Item | None:
        found = _text(scan, row, _JOIN)
        if found is None:
            scan.note(ErrorCode.MISSING_FIELD, row.path + _JOIN)
        else:
            party = parties.get(found[1])
            if party is not None and party.scope in scopes:
                return party
            scan.note_leaf(ErrorCode.DANGLING_REFERENCE, found[0])
        scan.orphans.append(row)
        return None

    @staticmethod
    def _resolve(scan: Scan, item: Item, name: str, parties: dict[str, Item], expected: dict[int, str]) -> None:
        """Turn the join id of a reference into the key that it stands for."""
        index = item.sources.get(name)
        if not isinstance(index, int):
            return
        party = parties.get(item.fields[name])
        key = party.fields.get(_KEYS[party.scope]) if party is not None and party.scope != "victim" else None
        if party is None or key is None:
            scan.note_leaf(ErrorCode.DANGLING_REFERENCE, index)
            del item.fields[name], item.sources[name]
            return
        scan.exact[index] = expected[id(party)] == scan.leaves[index][2]
        item.fields[name] = key


def table_rows(writer: Writer, rows: ListPlan, owner: Item) -> list[tuple[Item, Generated | None]]:
    """The rows of a table.

    Args:
        writer: with the whole case.
        rows: the table.
        owner: the record.

    Returns:
        the items of the rows, each with its generated leaves.
    """
    root = writer.root
    if rows.key == PARTIES:
        return _party_rows(writer, rows)
    if rows.key in _RECORD_LISTS:
        return [(item, None) for item in root.items(_RECORD_LISTS[rows.key])]
    if rows.key in _JOINED_FIELDS:
        return [(party, {_JOIN: join_id}) for party, join_id in _joined(writer, _JOINED_FIELDS[rows.key])]
    if rows.key not in _JOINED_LISTS:
        return own_items(writer, rows, owner)
    name, scopes = _JOINED_LISTS[rows.key]
    found: list[tuple[Item, Generated | None]] = []
    for party, join_id in _joined(writer, scopes):
        items = party.items(name)
        # The leading identity document stands among the leaves of the person.
        found.extend((item, {_JOIN: join_id}) for item in (items[1:] if name == "id_doc" else items))
    return found


def _party_rows(writer: Writer, rows: ListPlan) -> list[tuple[Item, Generated | None]]:
    words = load_table("party", "court").written
    parties = [item for scope in _KEYS if rows.rows[scope].fields for item in writer.root.items(scope)]
    found: list[tuple[Item, Generated | None]] = []
    for number, party in enumerate(parties, _FIRST_ID):
        join_id = str(number)
        writer.party_ids[id(party)] = join_id
        key = party.fields.get(_KEYS[party.scope])
        if key is not None and party.scope != "victim":
            writer.join_ids[key] = join_id
        found.append((party, {_ID: join_id, _PARTY: words[party.scope][0]}))
    return found


def _joined(writer: Writer, scopes: tuple[str, ...]) -> list[tuple[Item, str]]:
    return [
        (party, writer.party_ids[id(party)])
        for scope in scopes
        for party in writer.root.items(scope)
        if id(party) in writer.party_ids
    ]
