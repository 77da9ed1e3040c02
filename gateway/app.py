"""The composition root: the only module that builds concrete objects and knows them all."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adapters.registry import Adapters
from gateway.core.manifest import MAX_RECORD_BYTES
from gateway.core.schema_register import parse_schema_register

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncpg import Pool

    from gateway.config import Settings
    from gateway.core.errors import GatewayError
    from gateway.core.form.book import FormBook
    from gateway.core.form.limit import Limits
    from gateway.core.identity import Agency
    from gateway.core.judge.procedure import RuleProcedure
    from gateway.core.log.witness_policy import WitnessPolicy
    from gateway.core.port.flow import Clock
    from gateway.core.port.vault import CaseKeys
    from gateway.core.statement_form import StatementForms

_LOG: Final = logging.getLogger(__name__)
RECEIPT_TYPE: Final = "fasttrack-receipt+jws"


@lru_cache(maxsize=2)
def adapters(register: Path | None = None) -> Adapters:
    """The adapters of all agency systems; their tables are compiled once per process.

    Args:
        register: file that says which agencies use another schema than the published one; None for none.

    Returns:
        the adapters.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no such file, or names a schema that there is not.
    """
    registered = None if register is None else parse_schema_register(register.read_text(encoding="utf-8"))
    return Adapters(most_bytes=MAX_RECORD_BYTES, registered=registered)


def statement_forms(book: FormBook) -> StatementForms:
    """The types of statements that a gateway takes: the published ones, the steps of the procedure, overrides.

    Args:
        book: the published forms.
    """
    from gateway.core.access.material_request import MATERIAL_REQUEST  # noqa: PLC0415
    from gateway.core.judge.rule_set import load_rule_set  # noqa: PLC0415
    from gateway.core.procedure.finding_override import finding_override_form  # noqa: PLC0415
    from gateway.core.procedure.procedural_act import procedural_act_form  # noqa: PLC0415
    from gateway.core.statement_form import StatementForms, published_statement_forms  # noqa: PLC0415

    override = finding_override_form(book, load_rule_set())
    return StatementForms((*published_statement_forms(book), procedural_act_form(book), override, MATERIAL_REQUEST))


def procedure_of(chosen: Path | None) -> RuleProcedure:
    """The rules by which cases are judged.

    Args:
        chosen: YAML file of other readings; None for those of the rules.

    Returns:
        the procedure.

    Raises:
        OSError: the file cannot be read.
        ValueError: it says something that there is not (``RuleFileError``).
    """
    from gateway.core.judge.procedure import RuleProcedure  # noqa: PLC0415 - loads yaml
    from gateway.core.judge.rule_set import load_chosen  # noqa: PLC0415 - as above
    from gateway.core.rule import parse_yaml  # noqa: PLC0415 - as above

    if chosen is None:
        return RuleProcedure()
    return RuleProcedure(load_chosen(parse_yaml(chosen.name, chosen.read_bytes()), chosen.name))


def quiet_collector() -> None:
    """Let the collector of reference cycles look rarely: a record is thousands of objects, and none of them a cycle.

    With the defaults of Python it goes through all of them again and again, and a case with many persons costs more for
    each of them than a small one.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def now() -> datetime:
    """The time now, aware UTC."""
    return datetime.now(UTC)


def load_policy(path: Path | None, origin: str) -> WitnessPolicy | None:
    """Read the witness policy.

    Args:
        path: TOML file; None for none.
        origin: name of the log that it must be for.

    Returns:
        the policy, or None.

    Raises:
        OSError: it cannot be read.
        ValueError: it cannot be used, or is for another log.
    """
    from gateway.core.log.witness_policy import parse_policy  # noqa: PLC0415

    if path is None:
        return None
    policy = parse_policy(path.read_text("utf-8"))
    if policy.log.name != origin:
        raise ValueError("the witness policy is for another log than FASTTRACK_ORIGIN")
    return policy


def limits_of(settings: Settings) -> Limits:
    """What a gateway counts statutory limits by, said in the log and in a metric.

    Args:
        settings: of the process.

    Returns:
        table of clocks, calendar and readings.

    Raises:
        OSError: a file cannot be read.
        ValueError: it is no year of holidays, or has no readings (RuleFileError).
    """
    from gateway.app_counting import find_years, load_counting  # noqa: PLC0415 - loads yaml
    from gateway.core.clock.table import name_counting  # noqa: PLC0415 - as above
    from gateway.core.form.limit import Limits  # noqa: PLC0415 - as above
    from gateway.telemetry import count_by, log_event  # noqa: PLC0415 - as above

    limits = Limits(*load_counting(find_years(settings.holidays_dir), settings.clock_settings))
    name = name_counting(*limits)
    count_by(name)
    log_event(_LOG, logging.INFO, "counting limits", counting=name)
    return limits


def load_forms(settings: Path | None, limits: Limits | None = None) -> FormBook:
    """Read the published forms of annexes and statements.

    Args:
        settings: YAML file with other tolerances and thresholds; None for the defaults.
        limits: what statutory limits are counted by; None for the readings of the package.

    Returns:
        the forms with their checks.

    Raises:
        OSError: the file cannot be read.
        ValueError: a setting is not as it must be.
    """
    from gateway.core.form.book import load_form_book  # noqa: PLC0415
    from gateway.core.rule import parse_yaml  # noqa: PLC0415

    chosen = None if settings is None else parse_yaml(settings.name, settings.read_bytes())
    return load_form_book(chosen, limits)


@asynccontextmanager
async def open_gateway(settings: Settings, *, clock: Clock = now) -> AsyncIterator[Callable[[], int]]:
    """Build a gateway from its settings, serve, and on leaving stop in an order that loses nothing.

    Leaving takes no new calls, lets the running ones end, commits and answers what the batcher holds, then closes.

    Args:
        settings: of the process.
        clock: gateway time. Nothing sets another than the machine's but a test that plays a case of many months; TLS
            goes by the machine's time whatever this says.

    Yields:
        a function that gives the port it listens on.

    Raises:
        OSError, ValueError: a key, a certificate, the register of schemas, chosen readings or a year of holidays cannot
            be used.
        GatewayError: LEDGER_UNAVAILABLE, VAULT_UNAVAILABLE; ALGORITHM_UNAVAILABLE when a key cannot be used on this
            machine.
        RuntimeError: the address cannot be bound, or the vault is none.
    """
    # Imported here so that commands which only need adapters do not pay for the server.
    from gateway.app_vault import VaultAccess  # noqa: PLC0415

    access = VaultAccess(settings.vault_url, settings.master_key_file)
    async with access.open("fasttrack gateway") as vault, _open_with(settings, vault, clock) as port:
        yield port


@asynccontextmanager
async def _open_with(settings: Settings, vault: CaseKeys, clock: Clock) -> AsyncIterator[Callable[[], int]]:
    from gateway.app_keys import KeyFollower, register_versions  # noqa: PLC0415
    from gateway.app_vault import finish_destructions, make_office  # noqa: PLC0415
    from gateway.core.pseudonym import Pseudonyms  # noqa: PLC0415
    from gateway.flows.parts import Parts  # noqa: PLC0415
    from gateway.flows.refuse import record_refusal  # noqa: PLC0415
    from gateway.ledger.batcher import Batcher  # noqa: PLC0415
    from gateway.ledger.checkpoint import CheckpointStore  # noqa: PLC0415
    from gateway.ledger.grant import Grants  # noqa: PLC0415
    from gateway.ledger.mirror_source import MirrorReader  # noqa: PLC0415
    from gateway.ledger.pool import open_pool  # noqa: PLC0415
    from gateway.ledger.reader import Reader  # noqa: PLC0415
    from gateway.ledger.schedule import ScheduleReader  # noqa: PLC0415
    from gateway.ledger.sealed import Sealer  # noqa: PLC0415
    from gateway.ledger.signer_key import KeyStore  # noqa: PLC0415
    from gateway.ledger.watch import Watch  # noqa: PLC0415
    from gateway.materials.local import LocalStore  # noqa: PLC0415
    from gateway.rpc.chain import Chain  # noqa: PLC0415
    from gateway.rpc.server import GatewayServer  # noqa: PLC0415
    from gateway.telemetry import log_event, set_up_exporters  # noqa: PLC0415
    from gateway.trust.receipt import load_receipt_signer  # noqa: PLC0415
    from gateway.trust.tls import peer_agency, server_credentials  # noqa: PLC0415

    telemetry = set_up_exporters()
    policy = load_policy(settings.witness_policy, settings.origin)
    statements = load_receipt_signer(settings.receipt_cert, settings.receipt_key)
    pseudonyms, sealer = Pseudonyms(settings.pseudonym_key_file.read_bytes()), Sealer(settings.origin, vault)
    procedure, forms, schemas = (
        procedure_of(settings.rule_settings),
        load_forms(settings.form_settings, limits_of(settings)),
        adapters(settings.schema_versions),
    )
    async with _closing(await open_pool(settings.database_url)) as pool:
        batcher = Batcher(
            pool,
            origin=settings.origin,
            clock=clock,
            sign=lambda claims: statements.sign(claims, RECEIPT_TYPE),
            observe=telemetry.batch,
            sealer=sealer,
        )
        watch, store = Watch(settings.database_url), LocalStore(settings.materials_dir)
        follower = KeyFollower(KeyStore(pool), watch, settings.signing_ca)
        parts = Parts(
            origin=settings.origin,
            clock=clock,
            pseudonyms=pseudonyms,
            verify=follower.verify,
            verify_statement=follower.verify_statement,
            statement_forms=statement_forms(forms),
            writer=batcher,
            reader=Reader(pool, sealer),
            notices=ScheduleReader(pool, sealer),
            watch=watch,
            store=store,
            grants=Grants(pool),
            adapters=schemas,
            procedure=procedure,
            statements=statements,
            checkpoints=CheckpointStore(pool),
            mirror=MirrorReader(pool, sealer),
            policy=policy,
            forms=forms,
            clocks=forms.limits.table,
            counting=forms.limits.counting,
        )

        async def refuse(caller: Agency, method: str, error: GatewayError) -> int:
            return await record_refusal(batcher, caller, method, error)

        server = GatewayServer(
            parts,
            Chain(telemetry, peer_agency, refuse),
            server_credentials(settings.tls_cert, settings.tls_key, settings.tls_ca),
        )
        try:
            await batcher.start()
            await watch.start()
            await register_versions(batcher, procedure.definitions().items(), schemas.definitions())
            await follower.start(batcher, settings.signers_dir)
            await finish_destructions(make_office(batcher, pool, store, vault))
            port = await server.start(settings.listen)
            log_event(_LOG, logging.INFO, "serving", listening=settings.listen)
            yield lambda: port
        finally:
            await server.stop()
            await follower.stop()
            await watch.stop()
            await batcher.stop()
            log_event(_LOG, logging.INFO, "stopped")


@asynccontextmanager
async def _closing(pool: Pool[Any]) -> AsyncIterator[Pool[Any]]:
    """Close a pool last, also when what is built upon it cannot be."""
    try:
        yield pool
    finally:
        await pool.close()


async def serve(settings: Settings, stop: asyncio.Event, ready: Callable[[int], Any]) -> None:
    """Serve until told to stop.

    Args:
        settings: of the process.
        stop: set it to stop.
        ready: called once with the port.
    """
    async with open_gateway(settings) as port:
        quiet_collector()
        ready(port())
        await stop.wait()
