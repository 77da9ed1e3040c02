"""A process of its own that appends submits by many callers and prints the index of each: ``DSN COUNT``."""

from __future__ import annotations

import asyncio
import sys

from tests.integration.ledger.act import append_all, batcher_on, committed, make_submit


async def main(dsn: str, count: int) -> None:
    """Append and print."""
    async with batcher_on(dsn) as batcher:
        for _ in range(count // 20):
            for appended in committed(await append_all(batcher, [make_submit() for _ in range(20)])):
                print(appended.index)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
