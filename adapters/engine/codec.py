"""A codec reads the text of one leaf into a canonical value and writes the value back.

``read`` gives the value, ``None`` when the text says that there is no value (a term of zero), or an ``Unreadable``.
``write`` gives the text, or ``None`` when the value has no spelling in this schema.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from adapters.engine.fold import Placeholder
from gateway.core.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a leaf has no value.

    Args:
        code: the finding.
    """

    code: ErrorCode


BAD_FORMAT: Final = Unreadable(ErrorCode.BAD_FORMAT)
NOT_IN_TABLE: Final = Unreadable(ErrorCode.CODE_NOT_IN_TABLE)
BAD_CHECK: Final = Unreadable(ErrorCode.BAD_CHECK_DIGIT)
NO_UNIT: Final = Unreadable(ErrorCode.AMOUNT_WITHOUT_UNIT)


@dataclass(frozen=True, slots=True)
class Codec:
    """How one type of leaf is spelled by one agency.

    Args:
        read: from the text without blanks around it (an int when ``is_integer``).
        write: to the text (an int when ``is_integer``).
        is_integer: the leaf is a JSON integer, not a string.
        placeholder: which placeholders the type knows.
        is_kept: whether reading what is written gives the same value; None when it always does.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    is_integer: bool = False
    placeholder: Placeholder = Placeholder.ALL
    is_kept: Callable[[Any], bool] | None = None


def same(value: Any) -> Any:
    """The written form of a value that is its own spelling."""
    return value
