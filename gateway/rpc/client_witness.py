"""Calls of WitnessService; implements ``WitnessGateway``. Nothing is verified here: the witness does that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.flows.cosign import Offer
from gateway.rpc.client_call import Connection
from gateway.v1 import witness_pb2 as wire
from gateway.v1.witness_pb2_grpc import WitnessServiceStub

if TYPE_CHECKING:
    from gateway.v1.witness_pb2_grpc import WitnessServiceAsyncStub


class WitnessClient(Connection):
    """Asks for checkpoints and hands cosignatures in."""

    @property
    def _witness(self) -> WitnessServiceAsyncStub:
        return WitnessServiceStub(self.channel)

    async def poll_checkpoint(self, witness: str, known_size: int, *, wait_seconds: int = 0) -> Offer:
        """Ask for the newest checkpoint.

        Args:
            witness: name of the caller's key; "" to only look.
            known_size: size of the last checkpoint that the caller cosigned or verified; 0 for none.
            wait_seconds: how long the gateway may wait for news, at most 20.

        Returns:
            what it offers.

        Raises:
            CallRefused: the caller may not ask.
            GatewayUnreachable: no answer.
        """
        answer = await self.unary(
            self._witness.GetCheckpoint,
            wire.GetCheckpointRequest(known_size=known_size, witness=witness, wait_seconds=wait_seconds),
        )
        return Offer(answer.size, answer.checkpoint, tuple(answer.consistency), answer.cosigned_size)

    async def add_cosignature(self, size: int, line: str) -> None:
        """Hand a cosignature in; again is without effect.

        Args:
            size: of the checkpoint.
            line: signature line with its newline.

        Raises:
            CallRefused: the gateway does not take it.
            GatewayUnreachable: no answer.
        """
        await self.unary(self._witness.AddCosignature, wire.AddCosignatureRequest(size=size, line=line))
