"""Kill gateway, signer, witnesses and PostgreSQL under load: ``python -m tests.crash --rounds 200 --seed 1``.

Progress goes to standard error. The last line of standard output is ``rounds=N acknowledged=N lost=N doubled=N
lying_receipts=N``; the exit status is 0 only when all rounds were played and the last three are 0.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import traceback

from tests.crash.round import begin, play
from tests.crash.world import open_world


def main() -> int:
    """Play the rounds of the command line and give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description="Kill processes of the log under load.")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="who is killed when")
    options = parser.parse_args()
    print(f"seed {options.seed}", file=sys.stderr, flush=True)
    is_done = False
    with open_world() as world:
        outcome = begin(world)
        try:
            tell = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
            asyncio.run(play(world, options.rounds, options.seed, outcome, tell))
            is_done = True
        # Whatever ends the rounds, the line with the counts comes last, and the status says that it is not good.
        except Exception:
            traceback.print_exc()
    print(
        f"{outcome.in_doubt} acts in doubt, {outcome.sealed} seals verified, killed: "
        + ", ".join(f"{victim} {count}" for victim, count in sorted(outcome.killed.items())),
        file=sys.stderr,
        flush=True,
    )
    print(outcome.to_line(), flush=True)
    return 0 if is_done and outcome.book.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
