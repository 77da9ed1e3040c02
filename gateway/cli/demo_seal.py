"""Signer and witnesses of the demo: three agencies cosign what the signer signs, and two of them are enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.cli.demo_stage import ORIGIN, WITNESSES, Stage
from gateway.cli.local_process import LocalProcess, local_signer, local_witness

INTERVAL_SECONDS: Final = 0.5


class SealCrew:
    """The processes around the log, which start while the first handoffs are on their way."""

    def __init__(self, stage: Stage) -> None:
        home = stage.home / "seal"
        self._processes: list[LocalProcess] = [
            local_signer(stage.pki, stage.signer_database_url, home, origin=ORIGIN, interval_seconds=INTERVAL_SECONDS),
            *(local_witness(stage.pki, stage.target, home, origin=ORIGIN, agency=agency) for agency in WITNESSES),
        ]
        self._starting: list[asyncio.Future[LocalProcess]] = []

    def start(self) -> None:
        """Start all of them, without waiting."""
        for process in self._processes:
            self._starting.append(asyncio.ensure_future(asyncio.to_thread(process.start, "--init")))

    async def ready(self) -> None:
        """Wait until all of them run.

        Raises:
            LocalGatewayError: one did not start.
        """
        await asyncio.gather(*(asyncio.shield(starting) for starting in self._starting))

    async def stop(self) -> None:
        """End them; one that is just being started is waited for, because it could not be stopped otherwise."""
        if self._starting:
            await asyncio.wait(self._starting)
        for starting in self._starting:
            starting.exception()
        for process in self._processes:
            await asyncio.to_thread(process.stop)


@asynccontextmanager
async def open_crew(stage: Stage) -> AsyncIterator[SealCrew]:
    """Run signer and witnesses beside a gateway.

    Args:
        stage: a running gateway.

    Yields:
        the crew; ask it whether it is ready before waiting for a seal.
    """
    crew = SealCrew(stage)
    crew.start()
    try:
        yield crew
    finally:
        await crew.stop()
