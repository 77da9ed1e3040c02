"""What is taken for a fact that nobody has said: never the answer that gives more time.

Source: domain model, section 0 (2); Criminal Procedure Law 172.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.clock.rule import ClockRule
from gateway.core.errors import GatewayError


def assume_shortest(rule: ClockRule, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what is not known so that the limit is the shortest one that the law knows for the rest.

    Args:
        rule: of the clock.
        inputs: what is known, by name; the form is that of the rule.

    Returns:
        the inputs with everything on which the length depends.
    """
    known = dict(inputs)
    for name in rule.asked:
        if known.get(name) is not None:
            continue
        kind = rule.inputs[name]
        values: tuple[Any, ...] = kind.words or ((True, False) if kind.name == "flag" else (0, 1200))
        known[name] = min(values, key=lambda value: _rank(rule, {**known, name: value}))
    return known


def _rank(rule: ClockRule, inputs: Mapping[str, Any]) -> tuple[int, tuple[int, int, int]]:
    try:
        length = rule.choose_length(inputs)
    except GatewayError:
        return (1, (0, 0, 0))
    return (0, length.rank) if length is not None else (1, (0, 0, 0))
