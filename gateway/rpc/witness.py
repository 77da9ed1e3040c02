"""WitnessService: checkpoints for witnesses, and what they say of them."""

from __future__ import annotations

from typing import Any

from gateway.flows.parts import Parts
from gateway.flows.witness import add_cosignature, offer_checkpoint
from gateway.v1 import witness_pb2 as pb
from gateway.v1 import witness_pb2_grpc


class WitnessServicer(witness_pb2_grpc.WitnessServiceServicer):
    """Checkpoints and cosignatures, see witness.proto; every method runs inside ``Chain``.

    Args:
        parts: the filled ports.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def GetCheckpoint(self, request: pb.GetCheckpointRequest, context: Any) -> pb.GetCheckpointResponse:
        """Give the newest checkpoint."""
        offer = await offer_checkpoint(self._parts, request.witness, request.known_size, request.wait_seconds)
        return pb.GetCheckpointResponse(
            size=offer.size,
            checkpoint=offer.checkpoint,
            consistency=offer.proof,
            cosigned_size=offer.cosigned_size,
        )

    async def AddCosignature(self, request: pb.AddCosignatureRequest, context: Any) -> pb.AddCosignatureResponse:
        """Take a cosignature."""
        await add_cosignature(self._parts, request.size, request.line)
        return pb.AddCosignatureResponse()
