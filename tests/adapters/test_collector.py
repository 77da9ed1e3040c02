"""Mapping leaves nothing behind that only the collector of reference cycles could find."""

from __future__ import annotations

import gc

import pytest

from adapters.registry import Adapters
from tests.adapters.cases import READABLE, Sample

_ADAPTERS = Adapters(formats=())


@pytest.mark.parametrize("sample", READABLE[:20], ids=lambda sample: sample.name)
def test_mapping_makes_no_reference_cycle(sample: Sample) -> None:
    """Items, plans and reports never refer back, so memory is free at once and a serving process can collect rarely."""
    data = sample.source.read_bytes()
    _ = _ADAPTERS.map(data, sender=sample.sender, receiver=sample.receiver)[1].report
    # What is there already is set aside, so that the collector looks at nothing but what the mapping leaves behind.
    gc.freeze()
    gc.disable()
    try:
        for _ in range(3):
            _ADAPTERS.map(data, sender=sample.sender, receiver=sample.receiver)[1].report  # noqa: B018
        assert gc.collect() == 0
    finally:
        gc.enable()
        gc.unfreeze()
