"""For every check of every form: one small change of an example, and exactly what it makes the gateway say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.core.form.definition import FormKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row.

    Args:
        code: that is found, and no other.
        form: whose example is changed.
        path: where it is found in it.
        change: JSON Pointer to value; see ``form_scene.changed_example``.
        kind: annex or statement.
        within: the example stands in the bundle of all examples, beside the record that agrees with them.
        beside: changes of other examples of the bundle.
        without: forms that are not in the bundle.
        case: fields of the record that are to differ.
        register: fields of rows of the register that are to differ, by officer number; None for no register.
        settings: other than the defaults.
    """

    code: str
    form: str
    path: str
    change: Mapping[str, Any] = field(default_factory=dict)
    kind: FormKind = FormKind.ANNEX
    within: bool = False
    beside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    case: Mapping[str, Any] = field(default_factory=dict)
    register: Mapping[str, Mapping[str, Any]] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For the names of tests."""
        return f"{self.code}-{self.form}{self.path.replace('/', '.')}"


def june(text: str) -> str:
    """An instant of June 2024, from "02T09:00:00"."""
    return f"2024-06-{text}+08:00"
