"""Cases made up by hypothesis: for one agency and kind, any value that its schema can carry."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from hypothesis import strategies as st

from adapters.engine.adapter import Adapter
from adapters.engine.field import Field
from adapters.engine.field_code import CodeField
from adapters.engine.fold import BLANK, Placeholder, is_placeholder
from adapters.engine.item import Item
from adapters.engine.plan import RowPlan
from adapters.engine.value_amount import MOST_FEN
from adapters.engine.value_identity import citizen_check, organisation_check, uscc_check
from gateway.core.case.value import CHINA_TIME, PartialDate, RawText, Term

_ALPHABET = "张三李四①②𬱖䶮㐂﨑\ue78d\u9fb4Ａａz09 &<>\"'\\/;；、,，（）罪\n\t　[]〔〕é"
_JOINED = {"ZJB": "id_doc", "QKB": "prior", "QZCS": "measure", "BHRB": "legal", "ZM": "charge", "PJ": "sentence"}
_RECORD = {"CW": "property", "DJ": "freeze", "WS": "document", "LX": "recording", "RY": "officer"}
_OWN = ("LXJY", "ZX", "PG")


def _is_text(text: str) -> bool:
    return bool(text) and text == text.strip(BLANK) and not is_placeholder(text, Placeholder.MARKS)


def _digits(size: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=size, max_size=size)


texts = st.text(_ALPHABET, min_size=1, max_size=10).map(lambda text: text.strip(BLANK)).filter(_is_text)
aliases = st.text("张三李四小哥A1 ", min_size=1, max_size=6).map(str.strip).filter(_is_text)
raws = texts.filter(lambda text: not is_placeholder(text, Placeholder.ALL))
dates = st.dates(date(1900, 1, 1), date(2200, 1, 1))
instants = st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 31)).map(
    lambda at: at.replace(microsecond=0, tzinfo=CHINA_TIME)
)
partials = st.one_of(
    st.just(PartialDate()),
    dates.map(lambda day: PartialDate(day.year)),
    dates.map(lambda day: PartialDate(day.year, day.month)),
    dates.map(lambda day: PartialDate(day.year, day.month, day.day)),
)
abouts = dates.map(lambda day: PartialDate(day.year, day.month, None, approximate=True))
terms = st.builds(Term, st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)).filter(lambda term: term != Term())
citizens = st.builds(
    lambda day, serial: (body := f"999001{day:%Y%m%d}{serial}") + citizen_check(body), dates, _digits(3)
)
usccs = st.builds(
    lambda digits, body: (text := f"91{digits}{body}{organisation_check(body)}") + uscc_check(text),
    _digits(6),
    _digits(7).map(lambda digits: "A" + digits),
)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "key": st.text("0123456789ABZ-", min_size=2, max_size=12).filter(
        lambda text: not is_placeholder(text, Placeholder.ALL)
    ),
    "idtext": st.text("0123456789ABZ", min_size=1, max_size=12),
    "division": st.one_of(_digits(6), _digits(9)),
    "cid": citizens,
    "uscc": usccs,
    "policeno": st.builds("A{}2024{:02d}{}".format, _digits(12), st.integers(1, 12), _digits(4)),
    "docno": st.builds("一公(刑)字〔{}〕{}号".format, _digits(4), _digits(3)),
    "courtno": st.builds("({})京0108刑初{}号".format, _digits(4), st.integers(1, 999)),
    "bmsah": st.builds("一检起诉受[{}]{}号".format, _digits(4), _digits(11)),
    "sha256": st.text("0123456789abcdef", min_size=64, max_size=64),
    "quantity": st.one_of(st.integers(0, 99).map(str), st.integers(1, 9).map("0.{}".format)),
    "date": dates,
    "pdate": partials,
    "dt": instants,
    "dtd": st.one_of(dates, instants),
    "money": st.integers(0, MOST_FEN),
    "int": st.integers(0, 999_999_999),
    "flag": st.booleans(),
    "term": terms,
    "term parts": terms,
    "reference to person": st.text("0123456789ABZ", min_size=1, max_size=9),
    "reference to document": st.text("0123456789ABZ", min_size=1, max_size=9),
}


def _codes(field: Field, agency: str) -> st.SearchStrategy[Any]:
    from adapters.codes.table import load_table
    from adapters.engine.schema import load_rows

    table = next(row.table for row in load_rows(agency) if field.names[0] in row.field and row.table)
    known = load_table(table, agency)
    values = [standard for standard, (_, is_kept) in known.written.items() if is_kept]
    if field.type == "measure":
        values.append("RSD")
    standards = st.sampled_from(sorted(values))
    if not isinstance(field, CodeField) or not field.is_open:
        return standards
    return st.one_of(standards, raws.map(RawText))


def _sometimes(draw: st.DrawFn, *, is_needed: bool) -> bool:
    return is_needed or draw(st.booleans())


def _fill(draw: st.DrawFn, item: Item, plan: RowPlan, agency: str) -> None:
    for field in plan.fields:
        kind = field.type
        is_needed = field.is_mandatory or bool(field.default)
        if kind == "constant":
            item.fields[field.names[0]] = field.default
        elif kind in ("iddoc", "first document", "first card", "alias text", "gap text"):
            continue
        elif kind == "sentence text":
            if _sometimes(draw, is_needed=is_needed):
                penalty, term, probation = field.names
                item.fields[penalty] = draw(st.sampled_from(["CONTROL", "DETENTION", "FINE", "ACQUITTAL"]))
                for name in (term, probation):
                    if draw(st.booleans()):
                        item.fields[name] = draw(terms)
        elif kind == "health text":
            # What the court can say: these are true, or none is.
            true = draw(st.sets(st.sampled_from(field.names)))
            item.fields.update(dict.fromkeys(true or field.names, bool(true)))
        elif kind == "plea code":
            plea = draw(
                st.sampled_from([(True, True), (True, False), (False, False), (True, None), (False, None), None])
            )
            item.fields.update({n: v for n, v in zip(field.names, plea or (), strict=False) if v is not None})
        elif field.names and _sometimes(draw, is_needed=is_needed):
            values = _VALUES.get(kind)
            if kind == "pdate" and agency in ("procuratorate", "court"):
                values = st.one_of(partials, abouts)
            item.fields[field.names[0]] = draw(_codes(field, agency) if values is None else values)


def _documents(draw: st.DrawFn, agency: str, kinds: st.SearchStrategy[Any]) -> list[Item]:
    found = []
    for _ in range(draw(st.integers(0, 1 if agency == "justice" else 3))):
        document = Item("id_doc")
        kind = document.fields["id_doc.kind"] = draw(kinds)
        document.fields["id_doc.number"] = draw(citizens if kind == "111" else _VALUES["idtext"])
        found.append(document)
    # The procuratorate puts a card first; a case that it can carry unchanged has it there.
    return sorted(found, key=lambda document: document.fields["id_doc.kind"] != "111")


def _special(draw: st.DrawFn, item: Item, plan: RowPlan, agency: str) -> None:
    kinds = {field.type for field in plan.fields}
    if kinds & {"first document", "first card"}:
        kinds_known = st.one_of(st.sampled_from(["111", "414"]), raws.map(RawText))
        item.lists["id_doc"] = _documents(draw, agency, kinds_known)
    if "alias text" in kinds:
        for name in draw(st.lists(aliases, max_size=3)):
            alias = Item("alias")
            alias.fields["alias.name"] = name
            item.lists.setdefault("alias", []).append(alias)
    if "gap text" in kinds:
        item.lists["gap"] = [_gap(draw) for _ in range(draw(st.integers(0, 2)))]


def _gap(draw: st.DrawFn) -> Item:
    gap = Item("gap")
    gap.fields = {"gap.start": draw(instants), "gap.end": draw(instants)}
    return gap


def _item(draw: st.DrawFn, scope: str, plan: RowPlan, agency: str) -> Item:
    item = Item(scope)
    _fill(draw, item, plan, agency)
    _special(draw, item, plan, agency)
    for rows in plan.lists:
        if not rows.in_kind or (rows.key in ("id_doc",) and item.lists.get("id_doc") is not None):
            continue
        if rows.key == "id_doc":
            item.lists["id_doc"] = _documents(
                draw, agency, st.one_of(st.sampled_from(["111", "414"]), raws.map(RawText))
            )
            continue
        scope_of = rows.key
        count = draw(st.integers(1 if rows.is_mandatory else 0, 2))
        item.lists[rows.key] = [_item(draw, scope_of, rows.row, agency) for _ in range(count)]
    return item


def _court(draw: st.DrawFn, plan: RowPlan) -> Item:
    tables = {rows.key: rows for rows in plan.lists if rows.in_kind}
    root = Item("record")
    _fill(draw, root, plan, "court")
    keys: list[Any] = []
    for scope, row in tables["DSR"].rows.items():
        if not row.fields:
            continue
        for _ in range(draw(st.integers(1 if scope == "person" else 0, 2))):
            party = Item(scope)
            _fill(draw, party, row, "court")
            party.fields[f"{scope}.key"] = f"{scope[0].upper()}{len(keys)}"
            _special(draw, party, row, "court")
            if scope != "victim":
                keys.append(party.fields[f"{scope}.key"])
                _belongings(draw, party, tables)
            root.lists.setdefault(scope, []).append(party)
    for table, name in _RECORD.items():
        if table in tables:
            items = [_item(draw, name, tables[table].row, "court") for _ in range(draw(st.integers(0, 2)))]
            for item in items:
                for reference in ("property.owner", "document.person"):
                    if reference in item.fields:
                        item.fields[reference] = draw(st.sampled_from(keys))
            root.lists[name] = items
    return root


def _belongings(draw: st.DrawFn, party: Item, tables: dict[str, Any]) -> None:
    for table in _OWN:
        if table in tables and party.scope in tables[table].rows:
            _fill(draw, party, tables[table].rows[party.scope], "court")
    for table, name in _JOINED.items():
        if table in tables and table != "ZJB" and (party.scope == "person" or table == "ZM"):
            count = draw(st.integers(0, 2))
            party.lists[name] = [_item(draw, name, tables[table].row, "court") for _ in range(count)]


@st.composite
def cases(draw: st.DrawFn, adapter: Adapter, kind: str) -> Item:
    """A case that the agency's schema can carry in this kind.

    Args:
        draw: of hypothesis.
        adapter: of the agency.
        kind: canonical record kind.

    Returns:
        its canonical items, without sources.
    """
    plan = adapter.plan(kind)
    root = _court(draw, plan) if adapter.name == "court" else _item(draw, "record", plan, adapter.name)
    root.fields["record.kind"] = kind
    return root


def plain(item: Item) -> dict[str, Any]:
    """An item as plain data, without lists that are empty and without sources."""
    lists = {name: [plain(entry) for entry in items] for name, items in item.lists.items() if items}
    return {"fields": item.fields, **lists}
