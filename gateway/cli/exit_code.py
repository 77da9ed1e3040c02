"""What the exit status of ``fasttrack`` says; scripts rely on it, so a number never changes its meaning."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit statuses, the same for every command."""

    OK = 0
    REFUSED = 1
    """The gateway refused, or a check has findings; all of them were printed."""
    USAGE = 2
    """An option, argument or file is wrong; nothing was sent."""
    UNREACHABLE = 3
    """No answer from the gateway, or it cannot take the call now; the same command may be run again."""
    EVIDENCE = 4
    """A receipt, digest or proof does not verify; keep what was printed and call the operator."""
    INTERRUPTED = 130
    """Ctrl-C; the same command goes on where it was."""
