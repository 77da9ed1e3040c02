"""Fuzz targets of the adapters: briefly with every test run, longer by ``make fuzz`` (FUZZ_EXAMPLES files a target).

Whatever a file is: a reader answers with findings of the closed list and never raises; what can be read can be written,
and then both lineage laws hold, and the same file gives the same bytes again.
"""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.contract import leaves_of
from adapters.engine.finding import MESSAGES
from adapters.registry import Adapters
from gateway.core.errors import Severity
from gateway.core.schema_register import parse_schema_register
from tests.adapters.cases import ALL, Sample
from tests.fuzz.mutate import NASTY, mutate

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
_ADAPTERS = Adapters(formats=())
_SENDERS = sorted({sample.sender for sample in ALL if sample.rendition() is not None})
_BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def _samples(sender: str) -> list[Sample]:
    return [sample for sample in ALL if sample.sender == sender and sample.rendition() is not None]


def _check(data: bytes, sender: str, receiver: str, version: str = "") -> bool:
    """Read and map a file and check every promise; whether there was a rendition."""
    reading = _ADAPTERS.read(data, sender=sender, receiver=receiver, version=version)
    for finding in reading.findings:
        assert MESSAGES[finding.code] == finding.message
    assert reading.has_errors == any(finding.severity is Severity.ERROR for finding in reading.findings)
    rendition = _ADAPTERS.render(reading, receiver=receiver)
    assert (rendition.data is None) == reading.has_errors
    if rendition.data is None:
        assert rendition.report == () and reading.case is None
        return False
    assert reading.case is not None
    again = _ADAPTERS.render(_ADAPTERS.read(data, sender=sender, receiver=receiver, version=version), receiver=receiver)
    assert (again.data, again.report) == (rendition.data, rendition.report)
    sources = leaves_of(data, _ADAPTERS.adapter(sender, version).format)
    targets = leaves_of(rendition.data, _ADAPTERS.adapter(receiver).format)
    assert {line.source for line in rendition.report if line.source} == set(sources)
    assert {line.target for line in rendition.report if line.target} == set(targets)
    return True


@pytest.mark.parametrize("sender", _SENDERS)
@_BOUNDED
@given(data=st.data())
def test_fuzz_nearly_right_file_gives_findings_or_a_complete_report(sender: str, data: st.DataObject) -> None:
    """A sample changed at a few places is refused with findings, or mapped with every leaf accounted for."""
    sample = data.draw(st.sampled_from(_samples(sender)))
    dice: Random = data.draw(st.randoms(use_true_random=False))
    encoding = _ADAPTERS.encoding(sender).replace("UTF-8", "utf-8-sig")
    changed = mutate(sample.source.read_bytes(), encoding, dice)
    _check(changed, sender, sample.receiver)


@_BOUNDED
@given(data=st.data())
def test_fuzz_file_of_the_later_version_is_read_like_the_published_one(data: st.DataObject) -> None:
    """A version that is written as changes has no reader of its own that could be weaker."""
    sample = data.draw(st.sampled_from(_samples("police")))
    dice: Random = data.draw(st.randoms(use_true_random=False))
    source = sample.source.read_bytes().replace(b"3.2", b"3.3", 1).replace(b"LXDH>", b"YDDH>")
    _check(mutate(source, "gb18030", dice), "police", sample.receiver, "3.3")


@_BOUNDED
@given(st.binary(max_size=2000), st.sampled_from(["police", "procuratorate", "court", "justice"]))
def test_fuzz_arbitrary_bytes_are_refused(data: bytes, sender: str) -> None:
    """Bytes that nobody wrote as a record have an error and no rendition."""
    receiver = "procuratorate" if sender != "procuratorate" else "court"
    assert not _check(data, sender, receiver)


@_BOUNDED
@given(st.text(max_size=200) | st.sampled_from(NASTY).map('[schema]\n"ps:110108" = "{}"'.format))
def test_fuzz_register_is_read_or_refused(text: str) -> None:
    """The register of schemas comes from an operator's file: it is read, or a ValueError says why not."""
    try:
        parse_schema_register(text)
    except ValueError:
        return
