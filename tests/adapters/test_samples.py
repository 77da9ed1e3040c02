"""Every sample, byte for byte: rendition, report and findings; and the laws that hold for all of them."""

from __future__ import annotations

import hashlib

import pytest

from adapters.registry import Adapters
from gateway.core.errors import Severity
from tests.adapters.cases import ALL, READABLE, Sample
from tests.adapters.leaves import leaves

_ADAPTERS = Adapters()
_each = pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.name)
_each_readable = pytest.mark.parametrize("sample", READABLE, ids=lambda sample: sample.name)


def test_samples_are_all_here() -> None:
    """A sample that disappears from the folder does not disappear unnoticed."""
    assert len(ALL) == 59
    assert {sample.sender for sample in ALL} == {sample.receiver for sample in ALL} == set(_ADAPTERS.names())


@_each
def test_findings_of_sample_are_those_expected(sample: Sample) -> None:
    """Code, severity and path of every finding agree, in document order."""
    reading = _ADAPTERS.read(sample.source.read_bytes(), sender=sample.sender, receiver=sample.receiver)
    found = [(finding.code.name, finding.severity.value, finding.path) for finding in reading.findings]
    assert found == sample.lines("findings", ("code", "severity", "path"))
    assert (reading.case is None) == reading.has_errors


@_each
def test_rendition_of_sample_is_the_expected_bytes(sample: Sample) -> None:
    """The rendition agrees byte for byte, and there is none when there is an error."""
    _, rendition = _ADAPTERS.map(sample.source.read_bytes(), sender=sample.sender, receiver=sample.receiver)
    assert rendition.data == sample.rendition()
    assert rendition.encoding == ("GB18030" if sample.receiver == "police" else "UTF-8")


@_each
def test_report_of_sample_is_the_one_expected(sample: Sample) -> None:
    """Every line of the report agrees, in order."""
    _, rendition = _ADAPTERS.map(sample.source.read_bytes(), sender=sample.sender, receiver=sample.receiver)
    assert [line[:3] for line in rendition.report] == sample.lines("report", ("action", "source", "target"))


@_each_readable
def test_report_of_sample_names_every_leaf(sample: Sample) -> None:
    """Every source leaf is the source of a line, every target leaf the target of one, and nothing else is named."""
    data = sample.source.read_bytes()
    _, rendition = _ADAPTERS.map(data, sender=sample.sender, receiver=sample.receiver)
    assert rendition.data is not None
    sources = [line.source for line in rendition.report if line.source]
    targets = {line.target for line in rendition.report if line.target}
    assert list(dict.fromkeys(sources)) == leaves(data, sample.sender)
    assert targets == set(leaves(rendition.data, sample.receiver))


@_each_readable
def test_findings_of_sample_repeat_no_value(sample: Sample) -> None:
    """Messages go into logs, so they hold no value of the record."""
    reading = _ADAPTERS.read(sample.source.read_bytes(), sender=sample.sender, receiver=sample.receiver)
    assert reading.case is not None
    for finding in reading.findings:
        assert finding.severity is Severity.WARNING
        assert all(person.name not in finding.message for person in reading.case.persons)


@_each_readable
def test_reading_of_sample_gives_header_and_digests(sample: Sample) -> None:
    """The header names kind and parties; each document and recording gives its digest with a path of the file."""
    data = sample.source.read_bytes()
    reading = _ADAPTERS.read(data, sender=sample.sender, receiver=sample.receiver)
    assert reading.header is not None and reading.case is not None
    assert reading.header.kind == reading.case.kind == sample.kind
    known = set(leaves(data, sample.sender))
    assert {digest.path for digest in reading.digests} <= known
    assert len(reading.digests) == len(reading.case.documents) + len(reading.case.recordings)


@_each_readable
def test_mapping_of_sample_twice_gives_one_digest(sample: Sample) -> None:
    """The same input gives the same bytes and the same report, in a fresh registry too."""
    data = sample.source.read_bytes()
    outcomes = [made.map(data, sender=sample.sender, receiver=sample.receiver)[1] for made in (_ADAPTERS, Adapters())]
    digests = {hashlib.sha256(outcome.data or b"").hexdigest() for outcome in outcomes}
    assert len(digests) == 1
    assert outcomes[0].report == outcomes[1].report


@_each_readable
def test_rendition_of_sample_reads_back_without_errors_of_form(sample: Sample) -> None:
    """What a writer writes, the same agency's reader reads: no leaf of it is unknown or unreadable."""
    rendition = sample.rendition()
    assert rendition is not None
    adapter = _ADAPTERS.adapter(sample.receiver)
    noted = {finding.code.name for finding in adapter.read_unrouted(rendition, sample.kind).findings}
    assert not noted & {"BAD_FORMAT", "CODE_NOT_IN_TABLE", "UNKNOWN_FIELD", "FIELD_NOT_IN_KIND", "BAD_CHECK_DIGIT"}
