"""Frozen accounts of a case, in the record and as the list that goes with it."""

from __future__ import annotations

import json
from typing import Any

from gateway.core.case.case import Case, Freeze
from gateway.core.form.book import load_form_book
from gateway.core.form.catalog import load_example
from gateway.core.form.definition import FormKind
from tests.scenario.case_file import day
from tests.scenario.world import Annex


def frozen(count: int, *, until: str) -> tuple[Freeze, ...]:
    """Accounts frozen on 29 January 2026, with one yuan in each.

    Args:
        count: how many.
        until: last day.
    """
    return tuple(
        Freeze(
            bank="示范银行测试支行", account=f"9990010000{number:09d}", kind="LIMIT", amount=100,
            from_=day("2026-01-29"), to=day(until), no="一公(刑)冻字〔2026〕1号",
        )
        for number in range(1, count + 1)
    )  # fmt: skip


def freeze_list(case: Case, *, lifted_at: str = "", **approvals: Any) -> list[Annex]:
    """The list of the frozen accounts, and while they last the legal review that it names.

    Args:
        case: whose freezes they are.
        lifted_at: when all of them were lifted; "" while they last.
        approvals: fields of the list that are to differ.
    """
    book = load_form_book()
    listed = json.loads(load_example(book.find(FormKind.ANNEX, "freeze-list", 1)))
    review = json.loads(load_example(book.find(FormKind.ANNEX, "legal-review", 1)))
    row = {**listed["freezes"][0], "start": "2026-01-29T10:00:00+08:00"}
    if lifted_at:
        row["lifted_at"] = lifted_at
    for name in ("county_approval", "city_approval", "seized_total_fen"):
        del listed[name]
    total = 0 if lifted_at else case.freeze_total
    listed |= {"filed_on": "2026-01-28", "city_notices": [], "total_fen": total, **approvals}
    listed["freezes"] = [
        {
            **row, "freeze_id": f"DJ-{number}", "bank": freeze.bank, "account": freeze.account,
            "amount_fen": freeze.amount, "expiry": str(freeze.to), "doc_no": freeze.no, "request_no": freeze.no,
        }
        for number, freeze in enumerate(case.freezes, 1)
    ]  # fmt: skip
    review |= {"submitted_at": "2026-01-29T08:00:00+08:00", "reviewed_at": "2026-01-29T09:00:00+08:00"}
    bodies = {"freeze-list": listed} if lifted_at else {"freeze-list": listed, "legal-review": review}
    return [
        Annex(f"application/vnd.fasttrack.{name}.v1+json", json.dumps(data, ensure_ascii=False).encode())
        for name, data in bodies.items()
    ]
