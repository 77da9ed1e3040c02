"""Random acts on a few cases with a few persons each, legal and illegal alike, for the core and for a real ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID, uuid4

from gateway.core.command import Bundle, Command, StatedText
from gateway.core.entry import EntryKind
from gateway.core.handoff import HandoffHead
from gateway.core.identity import Agency, Role
from gateway.core.procedure.act_table import load_acts
from gateway.core.procedure.lifecycle import Stage
from gateway.core.procedure.track import Tracks
from gateway.core.route import ROUTES, RecordKind

T = TypeVar("T")
Choose = Callable[[Sequence[Any]], Any]
"""Picks one of a sequence."""

CASES = ("a" * 32, "b" * 32, "c" * 32)
PERSONS = {case: tuple(f"{case[:31]}{number}" for number in range(3)) for case in CASES}
_ROLES = {"police": Role.POLICE, "procuratorate": Role.PROCURATORATE, "court": Role.COURT, "justice": Role.JUSTICE}
_AGENCIES = tuple(
    Agency(role, division)
    for role in (Role.POLICE, Role.PROCURATORATE, Role.COURT, Role.JUSTICE)
    for division in ("999001", "999002")
)
_CONSUMER = "1" * 32


@dataclass(slots=True)
class RandomCase:
    """Draws the next act; half of the time one that may well be allowed.

    Args:
        choose: picks.
        open_handoffs: those that were submitted and not decided, with what was done to them.
    """

    choose: Choose
    open_handoffs: dict[UUID, list[EntryKind]] = field(default_factory=dict)

    def submit(self, case: str, stage: Stage, holder: str) -> Command:
        """A handoff; the sender is often who has the file."""
        name, sending, receiving = self.choose(sorted(ROUTES))
        sender = Agency(_ROLES[sending], self.choose(("999001", "999001", "999002")))
        if holder and self.choose((True, True, False)):
            sender = Agency(sender.role, holder[3:])
        receiver = Agency(_ROLES[receiving], "999001")
        bundle_id = uuid4()
        persons = {
            person: self.choose(({}, {"custody": "detained"}, {"custody": "bail"}, {"nonprosecuted": True}))
            for person in PERSONS[case]
            if self.choose((True, True, True, False))
        }
        cause: dict[str, Any] = {"persons": persons}
        if name in ("TRANSFER", "RETRANSFER"):
            cause["lane"] = self.choose(("fast", "fast", "ordinary"))
        del stage
        return Command(
            kind=EntryKind.SUBMITTED, actor=sender, act_id=bundle_id,
            content_sha256=sha256(bundle_id.bytes).hexdigest(), handoff=bundle_id, case=case,
            handoff_kind=RecordKind(name), sender=sender, receiver=receiver,
            bundle=Bundle(
                manifest_jws="h.p.s", record=b"<case/>", case_number="A9990010000002026010001",
                idempotency_key=str(bundle_id), materials=(),
            ),
            bundle_sha256="a" * 64, bundle_sm3="b" * 64, signer_key="c" * 64, rule_set="none",
            rule_result="NOT_EVALUATED", cause=cause,
        )  # fmt: skip

    def state(self, case: str, stage: Stage, holder: str, tracks: Tracks) -> Command:
        """A procedural act; the issuer is often who has the file, the act often one of the stage."""
        acts = load_acts()
        fitting = [name for name, row in acts.items() if stage in row.sources]
        row = acts[self.choose(fitting if fitting and self.choose((True, True, False)) else list(acts))]
        issuer = self.choose(_AGENCIES)
        if holder and self.choose((True, True, False)):
            issuer = Agency(Role(holder[:2]), holder[3:])
        elif self.choose((True, False)):
            issuer = Agency(sorted(row.who)[0], "999001")
        other = self.choose([known for known in CASES if known != case])
        cause: dict[str, Any] = {
            "act": row.id, "on": self.choose(("2026-01-05", "2026-01-20")), "ground": self.choose(("177-1", "177-2")),
            "effective_on": self.choose(("2026-01-10", "2026-03-01")), "until": "2026-09-01",
            "expected_months": self.choose((6, 14, 40)), "to_agency": f"{issuer.role}:999002",
        }  # fmt: skip
        if row.is_of_persons:
            known = [person for person in PERSONS[case] if person in tracks.persons] or list(PERSONS[case])
            persons = [person for person in known if self.choose((True, True, False))] or known[:1]
            cause |= {"persons": persons, "other": other, "there": [f"{other[:24]}{p[:7]}{p[-1]}" for p in persons]}
        if row.id == "joined":
            given = tracks.handed_on.get(case)
            cause |= {"other": other, "given": given or {
                "assessment": "none", "holder": str(issuer), "persons": {f"{case[:30]}f{other[0]}": {}}, "returns": 1,
                "stage": stage.value,
            }}  # fmt: skip
        statement_id = uuid4()
        return Command(
            kind=EntryKind.STATED, actor=issuer, act_id=statement_id,
            content_sha256=sha256(statement_id.bytes).hexdigest(), case=case, signer_key="c" * 64,
            statement=StatedText(statement_jws="h.p.s", case_number="A9990010000002026010001"),
            statement_type="procedural-act", statement_sha256="d" * 64, statement_sm3="e" * 64, cause=cause,
        )  # fmt: skip

    def decide(self, handoffs: Sequence[HandoffHead]) -> Command:
        """The next step of a handoff, or a wrong one."""
        head = self.choose(handoffs)
        way = {"offered": (EntryKind.CLAIMED, EntryKind.FETCHED), "fetched": (EntryKind.ACCEPTED,)}.get(head.state, ())
        others = (EntryKind.REFUSED, EntryKind.SUPPLEMENT_ASKED, EntryKind.WITHDRAWN, EntryKind.ACCEPTED)
        kind = self.choose((*way, *way, *way, *others))
        actor = head.sender if kind is EntryKind.WITHDRAWN else head.receiver
        act_id = uuid4()
        return Command(
            kind=kind, actor=Agency(Role(actor[:2]), actor[3:]), act_id=act_id,
            content_sha256=sha256(act_id.bytes).hexdigest(), handoff=UUID(head.handoff), consumer=_CONSUMER,
        )  # fmt: skip
