"""Forms that several requests share."""

import pytest

from gateway.core.errors import GatewayError
from gateway.flows.request import parse_act


def test_act_with_every_part_wrong_names_all_of_them_at_once() -> None:
    """A caller repairs handoff, act and consumer in one go."""
    with pytest.raises(GatewayError) as refused:
        parse_act("x", "y", "not a name")
    assert [finding.path for finding in refused.value.findings] == ["handoff_id", "act_id", "consumer"]
