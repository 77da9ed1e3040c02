"""Composition of ``fasttrack rules replay``: the ledger, the adapters, and every rule set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.app import adapters, load_forms, procedure_of
from gateway.app_vault import VaultAccess, open_evidence
from gateway.core.annex import Annex
from gateway.core.case.case import Case
from gateway.core.digest import sha256_hex
from gateway.core.dossier import Carried
from gateway.core.entry import Entry, from_leaf
from gateway.core.errors import GatewayError
from gateway.core.form.definition import MEDIA_TYPE_PREFIX
from gateway.core.form.register import to_register
from gateway.core.judge.carried import MAX_EARLIER, CarriedSearch
from gateway.core.judge.procedure import RuleProcedure
from gateway.core.judge.replay import Replayed, is_judged, replay_entry
from gateway.core.manifest import Manifest, parse_manifest
from gateway.core.port.evidence import CaseBundle
from gateway.core.signed import payload_of
from gateway.flows.register import PAGE, REGISTER
from gateway.flows.stated import LEGAL_REVIEW, MOST_READ, OVERRIDE, READERS
from gateway.ledger.reader import Reader
from gateway.materials.local import stored_path

if TYPE_CHECKING:
    from gateway.core.form.book import FormBook


class StatedRegister(NamedTuple):
    """An officers' register as it was stated.

    Args:
        at: index of the entry.
        unit: whose officers it has.
        rows: by officer number.
    """

    at: int
    unit: str
    rows: Mapping[str, Mapping[str, Any]]


class StatedOfCase(NamedTuple):
    """A legal review or override as it was stated.

    Args:
        at: index of the entry.
        type: of the statement.
        issuer: agency, short form.
        shown: what a judgement looks at.
    """

    at: int
    type: str
    issuer: str
    shown: Mapping[str, Any]


class CaseReplay:
    """Judges the entries of one case again.

    Args:
        procedure: knows the rule sets.
        materials: folder of the material store; None when there is none at hand.
        register: file of agencies with another schema than usual; None for none.
    """

    def __init__(self, procedure: RuleProcedure, materials: Path | None, register: Path | None) -> None:
        self._procedure = procedure
        self._materials = materials
        self._adapters = adapters(register)
        self._forms: FormBook = load_forms(None)

    def replay(
        self,
        entries: list[Entry],
        bundles: list[CaseBundle],
        stated: Mapping[str, list[StatedRegister]] | None = None,
        of_case: Sequence[StatedOfCase] = (),
    ) -> list[Replayed]:
        """Judge every entry that was judged.

        Args:
            entries: of the case.
            bundles: of the case, by index.
            stated: officers' registers by the agency that stated them, by index.
            of_case: legal reviews and overrides of the case, by index.

        Returns:
            one comparison for each entry with a judgement, in order.
        """
        by_handoff = {bundle.handoff: bundle for bundle in bundles}
        return [
            self._replay(
                entry,
                by_handoff.get(entry.handoff),
                bundles,
                (stated or {}).get(entry.sender, []),
                [one for one in of_case if one.issuer == entry.sender],
            )
            for entry in entries
            if is_judged(entry)
        ]

    def _replay(
        self,
        entry: Entry,
        bundle: CaseBundle | None,
        bundles: list[CaseBundle],
        stated: list[StatedRegister],
        of_case: list[StatedOfCase],
    ) -> Replayed:
        case: Case | None = None
        annexes: tuple[Annex, ...] = ()
        carried: list[tuple[Carried, ...]] = [()]
        if bundle is not None and bundle.manifest_jws:
            manifest = parse_manifest(json.dumps(payload_of(bundle.manifest_jws)).encode())
            found = self._annexes(manifest)
            # Without one of its annexes a bundle is another bundle, and nothing can be said.
            if found is not None:
                case, annexes = self._case(manifest, bundle.record), found
            if case is not None and manifest.unchanged:
                earlier = [one for one in bundles if one.index < bundle.index]
                choices = [self._carried(manifest, case, earlier), self._carried(manifest, case, earlier[:-1])]
                carried = [one for one in choices if one is not None]
                case = None if choices[0] is None else case
        before = [one for one in stated if one.at < entry.index]
        registers = [_register(before), _register(before[:-1])] if before else [{}]
        return replay_entry(
            entry,
            case,
            annexes,
            self._procedure.find,
            registers=registers,
            reviews=_seen(of_case, LEGAL_REVIEW, entry.index),
            carried=carried,
            overrides=_seen(of_case, OVERRIDE, entry.index),
        )

    def _carried(self, manifest: Manifest, case: Case, earlier: list[CaseBundle]) -> tuple[Carried, ...] | None:
        """Unchanged documents that the record does not name; None when a record that may name them is not there."""
        search = CarriedSearch(manifest.unchanged, case)
        for bundle in earlier[: -MAX_EARLIER - 1 : -1]:
            if search.is_done:
                break
            before = parse_manifest(json.dumps(payload_of(bundle.manifest_jws)).encode())
            found = self._case(before, bundle.record)
            if found is None:
                return None
            search.look(found)
        return search.carried

    def _case(self, manifest: Manifest, stored: bytes) -> Case | None:
        record = manifest.native_record
        data = stored or self._material(record.sha256)
        if data is None or sha256_hex(data) != record.sha256:
            return None
        try:
            receiver = self._adapters.schema_of(str(manifest.receiver)).name
            reading = self._adapters.read(data, sender=record.schema, receiver=receiver, version=record.version)
        except GatewayError:
            return None
        return None if reading.has_errors else reading.case

    def _annexes(self, manifest: Manifest) -> tuple[Annex, ...] | None:
        found = []
        for index, material in enumerate(manifest.materials):
            if not material.media_type.startswith(MEDIA_TYPE_PREFIX):
                continue
            data = self._material(material.sha256)
            if data is None:
                return None
            try:
                annex, _ = self._forms.parse(
                    self._forms.find_material(material.media_type), data, f"/materials/{index}"
                )
            except GatewayError:
                return None
            if annex is None:
                return None
            found.append(annex)
        return tuple(found)

    def _material(self, sha256: str) -> bytes | None:
        path = None if self._materials is None else stored_path(self._materials, sha256)
        return None if path is None else path.read_bytes()


def _seen(of_case: list[StatedOfCase], type_name: str, before: int) -> tuple[tuple[Mapping[str, Any], ...], ...]:
    """What was stated of a type before an entry; the last may have come too late to be seen."""
    stated = [one for one in of_case if one.type == type_name and one.at < before]
    shown = tuple(one.shown for one in stated[:MOST_READ])
    return (shown, shown[:-1]) if shown else ((),)


def _register(stated: list[StatedRegister]) -> dict[str, Mapping[str, Any]]:
    """A later statement of a unit replaces the earlier one whole."""
    units = {one.unit: one.rows for one in stated}
    return {number: row for rows in units.values() for number, row in rows.items()}


async def _stated(reader: Reader, agency: str) -> list[StatedRegister]:
    found: list[StatedRegister] = []
    while True:
        after = found[-1].at if found else -1
        page = await reader.statements(case="", issuer=agency, type_name=REGISTER, after_index=after, limit=PAGE)
        for one in page:
            body = payload_of(one.statement_jws)["body"]
            found.append(StatedRegister(one.appended.index, body["unit_code"], to_register(body)))
        if len(page) < PAGE:
            return found


async def _of_case(reader: Reader, case: str) -> list[StatedOfCase]:
    found: list[StatedOfCase] = []
    for type_name, read in READERS.items():
        after = -1
        while page := await reader.statements(
            case=case, issuer="", type_name=type_name, after_index=after, limit=MOST_READ
        ):
            after = page[-1].appended.index
            found += [
                StatedOfCase(one.appended.index, type_name, one.issuer, read(payload_of(one.statement_jws)["body"]))
                for one in page
                if not one.is_destroyed
            ]
    return found


async def replay_case(
    database_url: str,
    case: str,
    *,
    vault: VaultAccess,
    materials: Path | None,
    settings: Path | None,
    register: Path | None,
) -> list[Replayed] | None:
    """Judge every stored record of a case again by the rule set that its entry names.

    Args:
        database_url: as a role that may read every table of the ledger.
        case: pseudonym.
        vault: opens what the case holds.
        materials: folder of the material store.
        settings: YAML of other readings of the rules.
        register: file of agencies with another schema than usual.

    Returns:
        one comparison for each judged entry; None when there is no such case.

    Raises:
        OSError, asyncpg.PostgresError, asyncpg.InterfaceError: the database or a file cannot be read.
        ValueError, RuntimeError: the settings or the vault cannot be used.
        GatewayError: LEDGER_UNAVAILABLE, VAULT_UNAVAILABLE; CASE_KEY_MISSING or SEAL_BROKEN when it does not open.
    """
    replay = CaseReplay(procedure_of(settings), materials, register)
    async with open_evidence(database_url, vault, "fasttrack rules") as source:
        entries = [from_leaf(entry.leaf) for entry in await source.entries(case)]
        if not entries:
            return None
        police = {entry.sender for entry in entries if entry.sender.startswith("ps:")}
        stated = {agency: await _stated(source.reader, agency) for agency in sorted(police)}
        of_case = await _of_case(source.reader, case)
        return replay.replay(entries, await source.bundles(case), stated, of_case)
