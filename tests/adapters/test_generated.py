"""Laws that hold for every case, not only for the samples."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.engine.case_build import from_case, to_case
from adapters.engine.item import Item
from adapters.engine.schema import KIND_OF_SHORT, load_rows
from adapters.registry import Adapters
from gateway.core.route import ROUTES
from tests.adapters.cases import READABLE, Sample
from tests.adapters.generate import cases, plain
from tests.adapters.leaves import leaves

_ADAPTERS = Adapters()
_KINDS = {
    "police": ("TRANSFER", "RETRANSFER", "RETURN", "NON_PROSECUTION", "JUDGMENT", "EXECUTION", "ASSESSMENT_REQUEST"),
    "procuratorate": tuple(KIND_OF_SHORT.values()),
    "court": ("INDICTMENT", "JUDGMENT", "EXECUTION", "ASSESSMENT_REQUEST", "ASSESSMENT_OPINION"),
    "justice": ("ASSESSMENT_OPINION",),
}
_PAIRS = [(agency, kind) for agency, kinds in _KINDS.items() for kind in kinds]
_NAMES = frozenset(
    name
    for agency in _ADAPTERS.names()
    for row in load_rows(agency)
    if row.type != "list" and row.field
    for name in row.field.replace(";", ",").split(", ")
)


def _settings(examples: int) -> settings:
    slow = [
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.large_base_example,
    ]
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow)


@pytest.mark.parametrize(("agency", "kind"), _PAIRS)
@_settings(6)
@given(data=st.data())
def test_reader_of_written_case_gives_the_case(agency: str, kind: str, data: st.DataObject) -> None:
    """Writing a case that a schema can carry and reading it back is the identity."""
    adapter = _ADAPTERS.adapter(agency)
    root: Item = data.draw(cases(adapter, kind))
    written, _ = adapter.write(root, kind, agency)
    scan = adapter.read_unrouted(written, kind).trace
    assert scan is not None
    assert plain(scan.root) == plain(root)


@pytest.mark.parametrize(("kind", "sender", "receiver"), sorted(ROUTES))
@_settings(6)
@given(data=st.data())
def test_report_of_generated_case_names_every_leaf(kind: str, sender: str, receiver: str, data: st.DataObject) -> None:
    """For any case on any route every leaf of source and target is accounted for; nothing else is named."""
    writer = _ADAPTERS.adapter(sender)
    root: Item = data.draw(cases(writer, kind))
    for name, role, system in (("record.sender", "ps pr ct ja", sender), ("record.receiver", "ps pr ct ja", receiver)):
        at = ("police", "procuratorate", "court", "justice").index(system)
        root.fields[name] = f"{role.split()[at]}:110108"
    source, _ = writer.write(root, kind, sender)
    reading = writer.read_unrouted(source, kind)
    target, made = _ADAPTERS.adapter(receiver).write(reading.trace.root, kind, sender)
    report = _ADAPTERS.adapter(receiver).report(reading.trace, made)
    assert list(dict.fromkeys(line.source for line in report if line.source)) == leaves(source, sender)
    assert {line.target for line in report if line.target} == set(leaves(target, receiver))
    assert len(report) == len({line[1:3] for line in report})


@pytest.mark.parametrize(("kind", "sender", "receiver"), sorted(ROUTES))
@_settings(6)
@given(data=st.data())
def test_carried_means_that_the_receiver_reads_the_same(
    kind: str, sender: str, receiver: str, data: st.DataObject
) -> None:
    """Where a field is carried, the receiver's own reader gives the value that the sender's gave."""
    writer, other = _ADAPTERS.adapter(sender), _ADAPTERS.adapter(receiver)
    source, _ = writer.write(data.draw(cases(writer, kind)), kind, sender)
    scan = writer.read_unrouted(source, kind).trace
    target, made = other.write(scan.root, kind, sender)
    read_back = other.read_unrouted(target, kind).trace
    actions = {(line.source, line.target): line.action for line in other.report(scan, made)}
    pairs = [(scan.root, read_back.root)]
    for name in ("person", "org", "victim", "document", "recording"):
        ours, theirs = scan.root.items(name), read_back.root.items(name)
        # Justice takes only the persons and pages that its task needs.
        pairs += zip(ours, theirs, strict=True) if len(ours) == len(theirs) else []
    for ours, theirs in pairs:
        for name, at in theirs.sources.items():
            sources = ours.sources.get(name)
            if not isinstance(at, int) or not isinstance(sources, int):
                continue
            action = actions.get((scan.path_of(sources), read_back.path_of(at)))
            # The source was written by its own agency, so only another value can make it normalised.
            if action in ("carried", "normalised"):
                assert (theirs.fields[name] == ours.fields[name]) == (action == "carried")


@pytest.mark.parametrize("sample", READABLE, ids=lambda sample: sample.name)
def test_typed_case_goes_to_items_and_back(sample: Sample) -> None:
    """The typed case holds everything that was read: items made from it give the same case."""
    reading = _ADAPTERS.read(sample.source.read_bytes(), sender=sample.sender, receiver=sample.receiver)
    assert reading.case is not None
    root = from_case(reading.case, _NAMES)
    assert to_case(root) == reading.case
    assert plain(root) == plain(reading.trace.root)
