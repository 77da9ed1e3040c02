"""Calls of ExchangeService on one handoff, from its submission to its decision."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from gateway.core.case.case import ReportLine
from gateway.core.entry import EntryKind
from gateway.core.lineage import report_sha256
from gateway.core.log.witness_policy import WitnessPolicy
from gateway.rpc.client_answer import (
    Claimed,
    Decision,
    Deficiency,
    Fetched,
    FetchedRendition,
    HandoffStatus,
    MaskedCopy,
    Reason,
    StatementStatus,
    Submitted,
    Told,
    Validated,
)
from gateway.rpc.client_call import Connection
from gateway.rpc.client_error import CallRefused, EvidenceRejected
from gateway.rpc.client_receipt import GatewayVerifier, Receipt, verify_receipt
from gateway.rpc.client_sealed import verify_all_sealed
from gateway.rpc.client_wire import from_findings, from_timestamp, parse_state
from gateway.v1 import exchange_pb2 as wire
from gateway.v1.common_pb2 import Receipt as ReceiptMessage
from gateway.v1.exchange_pb2_grpc import ExchangeServiceStub

if TYPE_CHECKING:
    from gateway.v1.exchange_pb2_grpc import ExchangeServiceAsyncStub

_ENTRY_OF: Final = {
    Decision.ACCEPT: EntryKind.ACCEPTED,
    Decision.ASK_SUPPLEMENT: EntryKind.SUPPLEMENT_ASKED,
    Decision.REFUSE: EntryKind.REFUSED,
}


class ExchangeCalls(Connection):
    """Calls of ExchangeService; every receipt is verified before it is given back."""

    verifier: GatewayVerifier
    policy: WitnessPolicy | None

    @property
    def _exchange(self) -> ExchangeServiceAsyncStub:
        return ExchangeServiceStub(self.channel)

    def _receipt(self, message: ReceiptMessage, handoff: UUID, *kinds: EntryKind, is_fresh: bool = True) -> Receipt:
        return verify_receipt(message, self.verifier, handoff=handoff, kinds=kinds, is_fresh=is_fresh)

    async def validate(self, manifest_jws: str, record: bytes) -> Validated:
        """Ask what a submit would say.

        Args:
            manifest_jws: signed manifest.
            record: native record; empty when it was uploaded as a material.

        Returns:
            all findings.

        Raises:
            CallRefused: the caller may not ask.
            GatewayUnreachable: no answer.
        """
        answer = await self.unary(
            self._exchange.Validate, wire.ValidateRequest(manifest_jws=manifest_jws, record=record)
        )
        return Validated(answer.acceptable, from_findings(answer.findings))

    async def submit(self, manifest_jws: str, record: bytes, *, bundle_id: UUID) -> Submitted:
        """Hand a bundle over.

        Args:
            manifest_jws: signed manifest.
            record: native record; empty when it was uploaded as a material.
            bundle_id: as the manifest has it.

        Returns:
            the verified receipt; the same for the same bundle however often it is submitted.

        Raises:
            CallRefused: all findings at once.
            GatewayUnreachable: no answer; submit the same bundle again.
            EvidenceRejected: the receipt does not verify.
        """
        try:
            answer = await self.unary(
                self._exchange.Submit, wire.SubmitRequest(manifest_jws=manifest_jws, record=record)
            )
        except CallRefused as error:
            if error.is_complete:
                raise
            # A trailer has no room for so many findings; the body of Validate has.
            checked = await self.validate(manifest_jws, record)
            raise error.with_findings(checked.findings) from error
        receipt = self._receipt(answer.receipt, bundle_id, EntryKind.SUBMITTED, is_fresh=not answer.replayed)
        # ES256 never gives the same signature twice: a manifest signed again is a replay, with the first one's receipt.
        if receipt.entry.content_sha256 != _payload_sha256(manifest_jws) or (
            not answer.replayed and receipt.entry.bundle_sha256 != _sha256(manifest_jws.encode("ascii"))
        ):
            raise EvidenceRejected("the receipt is for another bundle")
        return Submitted(receipt, answer.pair_number, from_findings(answer.warnings), answer.replayed)

    async def claim(
        self, handoff: UUID, consumer: str, *, lease_seconds: int = 0, act_id: UUID | None = None
    ) -> Claimed:
        """Take a lease.

        Args:
            handoff: which.
            consumer: name of the consumer within the agency.
            lease_seconds: 1 to 86,400; 0 for the gateway's default.
            act_id: id of this act, to repeat it after a crash; None for a new one.

        Returns:
            receipt and end of the lease.

        Raises:
            CallRefused: LEASE_HELD when another consumer holds it, and others.
            GatewayUnreachable: no answer.
            EvidenceRejected: the receipt does not verify.
        """
        answer = await self.unary(
            self._exchange.Claim,
            wire.ClaimRequest(
                handoff_id=str(handoff), consumer=consumer, lease_seconds=lease_seconds, act_id=str(act_id or uuid4())
            ),
        )
        receipt = self._receipt(answer.receipt, handoff, EntryKind.CLAIMED)
        return Claimed(receipt, from_timestamp(answer.lease_until))

    async def fetch(self, handoff: UUID, consumer: str, *, act_id: UUID | None = None) -> Fetched:
        """Get the content of a handoff.

        Args:
            handoff: which.
            consumer: the consumer that holds the lease.
            act_id: id of this act, to repeat it after a crash; None for a new one.

        Returns:
            original, rendition, report and receipt.

        Raises:
            CallRefused: NOT_CLAIMED, LEASE_EXPIRED and others.
            GatewayUnreachable: no answer.
            EvidenceRejected: receipt or digest of the rendition do not hold.
        """
        answer = await self.unary(
            self._exchange.Fetch,
            wire.FetchRequest(handoff_id=str(handoff), consumer=consumer, act_id=str(act_id or uuid4())),
        )
        receipt = self._receipt(answer.receipt, handoff, EntryKind.FETCHED, EntryKind.VIEWED)
        rendition = answer.rendition
        report = tuple(ReportLine(line.action, line.source, line.target, line.note) for line in answer.report)
        digest, report_digest = _sha256(rendition.data), report_sha256(report)
        if not hmac.compare_digest(digest, receipt.entry.rendition_sha256):
            raise EvidenceRejected("the rendition is not the one that the ledger records")
        if not hmac.compare_digest(report_digest, receipt.entry.report_sha256):
            raise EvidenceRejected("the mapping report is not the one that the ledger records")
        return Fetched(
            answer.manifest_jws,
            answer.record,
            FetchedRendition(
                rendition.data,
                rendition.media_type,
                rendition.encoding,
                rendition.mapping_version,
                digest,
                report_digest,
            ),
            report,
            from_findings(answer.warnings),
            receipt,
            answer.original_withheld,
            {item.sha256: item.view == wire.MATERIAL_VIEW_ON_REQUEST for item in answer.withheld},
            tuple(
                MaskedCopy(item.material_id, item.original_sha256, item.media_type, item.data)
                for item in answer.masked_copies
            ),
            Told(
                answer.judgement.rule_set,
                answer.judgement.result,
                from_findings(answer.judgement.findings),
                answer.judgement.findings_complete,
            ),
        )

    async def decide(
        self,
        handoff: UUID,
        consumer: str,
        decision: Decision,
        *,
        deficiencies: Sequence[Deficiency] = (),
        reasons: Sequence[Reason] = (),
        act_id: UUID | None = None,
    ) -> Receipt:
        """Accept, ask for a supplement or refuse.

        Args:
            handoff: which.
            consumer: the consumer that holds the lease.
            decision: what is decided.
            deficiencies: what is missing, for a supplement only.
            reasons: why, for a refusal only.
            act_id: id of this act, to repeat it after a crash; None for a new one.

        Returns:
            the verified receipt.

        Raises:
            CallRefused: ALREADY_DECIDED, NOT_FETCHED, DECISION_INCOMPLETE and others.
            GatewayUnreachable: no answer.
            EvidenceRejected: the receipt does not verify.
        """
        answer = await self.unary(
            self._exchange.Decide,
            wire.DecideRequest(
                handoff_id=str(handoff),
                consumer=consumer,
                act_id=str(act_id or uuid4()),
                decision=wire.Decision.Value(f"DECISION_{decision.name}"),
                deficiencies=[
                    wire.Deficiency(document_code=item.document_code, person_key=item.person_key, text=item.text)
                    for item in deficiencies
                ],
                reasons=[wire.Reason(code=item.code, text=item.text) for item in reasons],
            ),
        )
        return self._receipt(answer.receipt, handoff, _ENTRY_OF[decision])

    async def withdraw(self, handoff: UUID, reason: str, *, act_id: UUID | None = None) -> Receipt:
        """Take a handoff back.

        Args:
            handoff: which.
            reason: in words, 1 to 2,000 characters.
            act_id: id of this act, to repeat it after a crash; None for a new one.

        Returns:
            the verified receipt.

        Raises:
            CallRefused: ALREADY_DECIDED and others.
            GatewayUnreachable: no answer.
            EvidenceRejected: the receipt does not verify.
        """
        answer = await self.unary(
            self._exchange.Withdraw,
            wire.WithdrawRequest(handoff_id=str(handoff), act_id=str(act_id or uuid4()), reason=reason),
        )
        return self._receipt(answer.receipt, handoff, EntryKind.WITHDRAWN)

    async def get_receipt(self, handoff: UUID, *, wait_seconds: int = 0) -> HandoffStatus:
        """Ask where a handoff stands.

        Args:
            handoff: which; the caller is one of its parties.
            wait_seconds: how long the gateway may wait until every receipt is sealed, at most 20.

        Returns:
            state, receipts, decision, and what is sealed of it.

        Raises:
            CallRefused: HANDOFF_UNKNOWN, NOT_A_PARTY.
            GatewayUnreachable: no answer.
            EvidenceRejected: a receipt or a proof of logging does not verify.
        """
        answer = await self.unary(
            self._exchange.GetReceipt, wire.GetReceiptRequest(handoff_id=str(handoff), wait_seconds=wait_seconds)
        )
        receipts = tuple(self._receipt(item, handoff, *EntryKind, is_fresh=False) for item in answer.receipts)
        return HandoffStatus(
            parse_state(answer.state),
            receipts,
            answer.pair_number,
            tuple(Deficiency(item.document_code, item.person_key, item.text) for item in answer.deficiencies),
            tuple(Reason(item.code, item.text) for item in answer.reasons),
            answer.withdrawal_reason,
            verify_all_sealed(answer.sealed_proofs, receipts, self.policy),
            answer.case_destroyed,
        )

    async def get_statement_receipt(self, statement_id: UUID, *, wait_seconds: int = 0) -> StatementStatus:
        """Ask for the receipt of a statement, and for its proof of logging.

        Args:
            statement_id: which; the caller may read it.
            wait_seconds: how long the gateway may wait until the receipt is sealed, at most 20.

        Returns:
            the receipt and what is sealed of it.

        Raises:
            CallRefused: STATEMENT_UNKNOWN, NOT_A_PARTY.
            GatewayUnreachable: no answer.
            EvidenceRejected: the receipt or its proof of logging does not verify.
        """
        request = wire.GetReceiptRequest(statement_id=str(statement_id), wait_seconds=wait_seconds)
        answer = await self.unary(self._exchange.GetReceipt, request)
        receipts = tuple(
            verify_receipt(item, self.verifier, handoff=None, kinds=(EntryKind.STATED,), is_fresh=False)
            for item in answer.receipts
        )
        if [receipt.entry.act_id for receipt in receipts] != [str(statement_id)]:
            raise EvidenceRejected("the receipt is for another statement")
        return StatementStatus(receipts[0], verify_all_sealed(answer.sealed_proofs, receipts, self.policy)[0])


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _payload_sha256(jws: str) -> str:
    payload = jws.split(".")[1]
    return _sha256(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
