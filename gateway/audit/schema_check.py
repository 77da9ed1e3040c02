"""The schema against the one that the migrations of this version make: triggers, grants, tables, functions, guards."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import pairwise

from gateway.audit.finding import AuditFinding, Report, Severity
from gateway.core.port.fsck import FsckSource

_UNREADABLE = ("r ", "v ", "column ")


async def check_schema(source: FsckSource, now: datetime, report: Report) -> bool:
    """Compare the schema, line by line.

    Args:
        source: the ledger.
        now: aware time.
        report: takes the findings.

    Returns:
        whether every table and column is there, so that the rows can be read.
    """
    expected, found = Counter(await source.expected_catalogue()), Counter(await source.catalogue())
    is_readable = True
    for line in (expected - found).elements():
        report(AuditFinding("schema-missing", "schema", line, "is missing or was changed"))
        is_readable = is_readable and not line.startswith(_UNREADABLE)
    for line in (found - expected).elements():
        report(AuditFinding("schema-added", "schema", line, "no migration makes this"))
    for table in await source.unread_tables():
        if not any(line.startswith(f"r {table}") for line in expected):
            continue
        reason = "this version does not check what is in it"
        report(AuditFinding("table-unread", table, "", reason, severity=Severity.UNKNOWN))
    if is_readable:
        await _check_migrations(source, now, report)
    return is_readable


async def _check_migrations(source: FsckSource, now: datetime, report: Report) -> None:
    known, rows = await source.migrations()
    applied = {str(row[0]): row for row in rows}
    if len(applied) != len(rows):
        report(AuditFinding("migration-repeated", "schema_migration", "column=name", "a migration stands twice"))
    for name, digest in known:
        row = applied.pop(name, None)
        if row is None:
            reason = "this version's migration is not recorded"
            report(AuditFinding("migration-missing", "schema_migration", f"name={name} column=name", reason))
        elif row[1] != digest:
            reason = "another file was applied"
            report(AuditFinding("migration-digest", "schema_migration", f"name={name} column=sha256", reason))
    for name in applied:
        reason = "this version has no such migration"
        report(AuditFinding("migration-unknown", "schema_migration", f"name={name} column=name", reason))
    times = [row[2] for row in sorted(rows, key=lambda row: str(row[0]))]
    if any(earlier > later for earlier, later in pairwise(times)) or (times and times[-1] > now):
        reason = "out of order, or in the future"
        report(AuditFinding("migration-time", "schema_migration", "column=applied_at", reason))
