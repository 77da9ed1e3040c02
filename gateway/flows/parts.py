"""What every flow is given: the filled ports, built once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.core.access.enquiry import EnquiryLimit
from gateway.core.access.visibility import Visibility, load_visibility
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.due import Counting
from gateway.core.clock.table import ClockTable, load_clock_table
from gateway.core.form.book import FormBook, load_form_book
from gateway.core.log.mirror import MirrorSource
from gateway.core.log.witness_policy import WitnessPolicy
from gateway.core.port.flow import Adapters, BundleVerifier, Clock, Procedure, StatementSigner, StatementVerifier
from gateway.core.port.ledger import InboxWatch, LedgerReader, LedgerWriter, NoticeReader
from gateway.core.port.material import MaterialGrants, MaterialStore
from gateway.core.port.seal import Checkpoints
from gateway.core.pseudonym import Pseudonyms
from gateway.core.statement_form import StatementForms
from gateway.flows.register import Registers


def load_counting() -> Counting:
    """The calendar that comes with the package, and the readings of the table of limits."""
    return Counting(load_calendar(), load_clock_table().settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The filled ports.

    Args:
        origin: name of the log.
        clock: time now, aware UTC.
        pseudonyms: makes the pseudonyms of the ledger.
        verify: verifies bundle signatures.
        verify_statement: verifies signatures of statements.
        statement_forms: types of statements that are taken.
        writer: appends to the ledger.
        reader: reads the ledger.
        notices: reads what agencies were told of limits.
        watch: wakes readers of an inbox.
        store: materials.
        grants: who may see which material.
        adapters: agency schemas.
        procedure: guards that need rules.
        statements: signs what the gateway states beside receipts.
        checkpoints: checkpoints and cosignatures.
        mirror: reads the ledger for mirrors.
        policy: whose cosignatures seal a receipt; None when nothing is sealed here.
        forms: published forms of annexes and statements, with the chosen settings.
        registers: officers' registers that agencies have stated.
        clocks: table of statutory limits.
        counting: what limits are counted by.
        visibility: who sees which material.
        enquiries: how often parties may ask, at this process.
    """

    origin: str
    clock: Clock
    pseudonyms: Pseudonyms
    verify: BundleVerifier
    verify_statement: StatementVerifier
    statement_forms: StatementForms
    writer: LedgerWriter
    reader: LedgerReader
    notices: NoticeReader
    watch: InboxWatch
    store: MaterialStore
    grants: MaterialGrants
    adapters: Adapters
    procedure: Procedure
    statements: StatementSigner
    checkpoints: Checkpoints
    mirror: MirrorSource
    policy: WitnessPolicy | None = None
    forms: FormBook = field(default_factory=load_form_book)
    registers: Registers = field(default_factory=Registers)
    clocks: ClockTable = field(default_factory=load_clock_table)
    counting: Counting = field(default_factory=load_counting)
    visibility: Visibility = field(default_factory=load_visibility)
    enquiries: EnquiryLimit = field(default_factory=EnquiryLimit)
