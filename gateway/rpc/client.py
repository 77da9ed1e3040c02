"""The typed client of an agency or of oversight.

It is composed from outside: credentials, signer and receipt verifier are given to it, because which files they come
from is the caller's business (``gateway/cli/connection.py`` builds them from options).

    async with GatewayClient("gateway:7443", credentials, verifier=verifier, signer=signer) as client:
        submitted = await client.submit_bundle(draft)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import grpc

from gateway.core.log.witness_policy import WitnessPolicy
from gateway.core.manifest import to_payload
from gateway.rpc.client_answer import Submitted, Validated
from gateway.rpc.client_bundle import Bundle, BundleDraft, BundleSigner, make_bundle
from gateway.rpc.client_call import Metadata, RetryPolicy
from gateway.rpc.client_clock import ClockCalls
from gateway.rpc.client_enquiry import EnquiryCalls
from gateway.rpc.client_exchange import ExchangeCalls
from gateway.rpc.client_inbox import InboxCalls
from gateway.rpc.client_ledger import LedgerCalls
from gateway.rpc.client_material import FileDigest, MaterialCalls
from gateway.rpc.client_notice import NoticeCalls
from gateway.rpc.client_receipt import GatewayVerifier
from gateway.rpc.client_statement import StatementCalls, StatementSigner

FileProgress = Callable[[FileDigest, int], None]
"""Told a file and how many of its bytes the gateway has."""


@dataclass(frozen=True, slots=True)
class SubmittedBundle:
    """A bundle that was handed over.

    Args:
        submitted: what the gateway answered.
        manifest_jws: what was signed; keep it with the receipt.
        uploaded: files that had to be sent; the gateway had the others.
    """

    submitted: Submitted
    manifest_jws: str
    uploaded: tuple[FileDigest, ...]


class GatewayClient(
    ExchangeCalls, InboxCalls, MaterialCalls, StatementCalls, EnquiryCalls, LedgerCalls, NoticeCalls, ClockCalls
):
    """All RPCs of the gateway with core types in and out.

    Args:
        target: host:port.
        credentials: mutual TLS of the caller.
        verifier: checks the gateway's signature over receipts.
        signer: signs manifests; None for a caller that submits nothing.
        statement_signer: signs statements; None for a caller that states nothing.
        policy: whose cosignatures seal a receipt; None for a client that verifies no proofs of logging.
        retry: when a call is made again.
        timeout_seconds: deadline of each call that is not a stream.
        metadata: gives the metadata of each call; None for the W3C trace context of the current span.
    """

    def __init__(
        self,
        target: str,
        credentials: grpc.ChannelCredentials,
        *,
        verifier: GatewayVerifier,
        signer: BundleSigner | None = None,
        statement_signer: StatementSigner | None = None,
        policy: WitnessPolicy | None = None,
        retry: RetryPolicy | None = None,
        timeout_seconds: float = 30.0,
        metadata: Callable[[], Metadata] | None = None,
    ) -> None:
        super().__init__(target, credentials, retry=retry, timeout_seconds=timeout_seconds, metadata=metadata)
        self.verifier = verifier
        self.signer = signer
        self.statement_signer = statement_signer
        self.policy = policy

    async def __aenter__(self) -> Self:
        return await super().__aenter__()

    def sign(self, bundle: Bundle) -> str:
        """Sign the manifest of a bundle.

        Args:
            bundle: as ``make_bundle`` gives it.

        Returns:
            compact JWS.

        Raises:
            RuntimeError: the client was made without a signer.
        """
        if self.signer is None:
            raise RuntimeError("this client was made without a signer")
        return self.signer(to_payload(bundle.manifest))

    async def submit_bundle(self, draft: BundleDraft, *, progress: FileProgress | None = None) -> SubmittedBundle:
        """Upload what is missing, sign and submit.

        Args:
            draft: what is to be handed over.
            progress: told how far each upload is.

        Returns:
            the verified receipt.

        Raises:
            CallRefused: all findings at once.
            GatewayUnreachable: no answer; submit the same draft again, nothing happens twice.
            EvidenceRejected: the receipt does not verify.
            OSError: a file cannot be read.
        """
        bundle = make_bundle(draft)
        uploaded = await self._upload_all(bundle, progress)
        manifest_jws = self.sign(bundle)
        submitted = await self.submit(manifest_jws, bundle.record, bundle_id=draft.bundle_id)
        return SubmittedBundle(submitted, manifest_jws, uploaded)

    async def validate_bundle(self, draft: BundleDraft, *, progress: FileProgress | None = None) -> Validated:
        """Upload what is missing, sign and ask what a submit would say.

        Args:
            draft: what would be handed over.
            progress: told how far each upload is.

        Returns:
            all findings.

        Raises:
            CallRefused: the caller may not ask, or the signature is refused.
            GatewayUnreachable: no answer.
            OSError: a file cannot be read.
        """
        bundle = make_bundle(draft)
        await self._upload_all(bundle, progress)
        return await self.validate(self.sign(bundle), bundle.record)

    async def _upload_all(self, bundle: Bundle, progress: FileProgress | None) -> tuple[FileDigest, ...]:
        missing = await self.find_missing([file.sha256 for file in bundle.files]) if bundle.files else {}
        uploaded = []
        for file in bundle.files:
            if file.sha256 in missing:
                await self.upload(file, progress=_for_file(file, progress))
                uploaded.append(file)
            elif progress is not None:
                progress(file, file.size)
        return tuple(uploaded)


def _for_file(file: FileDigest, progress: FileProgress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, _: progress(file, done)
