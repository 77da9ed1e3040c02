"""Writes the generated part of gateway/core/STATE_MACHINE.md anew; review the difference.

.venv/bin/python -m tests.support.state_page
"""

from __future__ import annotations

from pathlib import Path

import gateway.core
from gateway.core.procedure.state_page import MARK_BEGIN, to_markdown

PAGE = Path(gateway.core.__file__).with_name("STATE_MACHINE.md")


def main() -> None:
    """Write the page."""
    text = PAGE.read_text("utf-8")
    begin = text.find(MARK_BEGIN)
    PAGE.write_text(text[: begin if begin >= 0 else len(text)] + to_markdown(), "utf-8")


if __name__ == "__main__":
    main()
