"""One item of a list, or the record itself, while it is read or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adapters.engine.plan import RowPlan

Source = int | tuple[int, ...]
"""The source leaf, or leaves, that a value was read from: positions in document order."""


class Item:
    """Values of one item by canonical field name, each with the source leaves that it was read from.

    Args:
        scope: canonical list that the item belongs to, ``record`` for the record.
        path: of the item in the notation of its file.
        plan: by which it is read; None for an item that was made from several leaves of another.
    """

    __slots__ = ("bad", "fields", "lists", "path", "plan", "raw", "scope", "sources")

    def __init__(self, scope: str, path: str = "", plan: RowPlan | None = None) -> None:
        self.scope = scope
        self.path = path
        self.plan = plan
        self.fields: dict[str, Any] = {}
        self.sources: dict[str, Source] = {}
        self.bad: dict[str, int] = {}
        self.raw: dict[str, int] = {}
        self.lists: dict[str, list[Item]] = {}

    def set(self, name: str, value: Any, source: Source) -> None:
        """Give a field its value and say where it came from."""
        self.fields[name] = value
        self.sources[name] = source

    def items(self, name: str) -> list[Item]:
        """The items of one of its lists, empty when it has none."""
        return self.lists.get(name) or []
