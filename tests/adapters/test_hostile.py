"""Files that mean harm, or mean nothing: a reader answers with findings, in bounded time, and never raises."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.registry import Adapters
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.route import ROUTES
from tests.adapters.cases import ALL, Sample

_ADAPTERS = Adapters()
_PAIRS = sorted({(sender, receiver) for _, sender, receiver in ROUTES})
_HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n<CASE VER="1.1"><MSG LX="PJ"/>'
_JSON = b'{"schemaVersion":"1.4","recordType":"ASSESSMENT_OPINION",'


def _codes(data: bytes, sender: str = "court", receiver: str = "police") -> list[ErrorCode]:
    return [finding.code for finding in _ADAPTERS.read(data, sender=sender, receiver=receiver).findings]


@pytest.mark.parametrize(
    "data",
    [
        _HEAD + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</CASE>",
        _HEAD + b"<a>" * 100 + b"x" + b"</a>" * 100 + b"</CASE>",
        _HEAD + b"<a " + b" ".join(b'a%d="1"' % i for i in range(60_000)) + b"/></CASE>",
        _HEAD + b"<a>1</a>" * 100_000 + b"</CASE>",
        _HEAD + b"<DSR>" + b'<R LX="x"/>' * 60_000 + b"</DSR></CASE>",
        _HEAD + b" " * (1 << 20) + b"</CASE>",
    ],
    ids=["depth", "depth above 64", "attributes", "leaves", "rows", "bytes"],
)
def test_xml_beyond_the_limits_is_refused(data: bytes) -> None:
    """Depth, attributes, leaves, findings and bytes of XML are bounded."""
    assert _codes(data) == [ErrorCode.RECORD_LIMIT_EXCEEDED]


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000,
        _JSON + b'"x":' + b"[" * 100 + b"1" + b"]" * 100 + b"}",
        _JSON + b",".join(b'"k%d":1' % i for i in range(60_000)) + b"}",
        _JSON + b'"x":[' + b",".join([b"1"] * 100_000) + b"]}",
        _JSON + b'"pages":[' + b",".join([b'{"docId":"1"}'] * 20_000) + b"]}",
    ],
    ids=["depth", "depth above 64", "members", "leaves", "findings"],
)
def test_json_beyond_the_limits_is_refused(data: bytes) -> None:
    """Depth, members, leaves and findings of JSON are bounded."""
    assert _codes(data, "justice", "court") == [ErrorCode.RECORD_LIMIT_EXCEEDED]


def test_size_limit_is_the_callers() -> None:
    """A caller may accept less than one mebibyte."""
    reading = Adapters(most_bytes=10).read(b"x" * 11, sender="court", receiver="police")
    assert [finding.code for finding in reading.findings] == [ErrorCode.RECORD_LIMIT_EXCEEDED]
    assert reading.header is None and reading.case is None


def test_billion_laughs_are_refused_before_parsing() -> None:
    """A document type, and so an entity of one's own, ends the reading in stage 1; in a comment too."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "' + b"ha" * 100 + b'"><!ENTITY b "' + b"&a;" * 100 + b'">]><CASE>&b;</CASE>'
    assert _codes(bomb) == [ErrorCode.DOCTYPE_FORBIDDEN]
    assert _codes(_HEAD + b"<!-- <!DOCTYPE x> --></CASE>") == [ErrorCode.DOCTYPE_FORBIDDEN]


@pytest.mark.parametrize(
    "body",
    [
        b"<a:b/>",
        b'<b a:c="1"/>',
        b"<?a:b c?>",
        b'<a xmlns=""/>',
        b'<a xmlns:x="u"/>',
        b'<a xml:lang="x"/>',
        b"<a>&foo;</a>",
        b"<!-- a -- b -->",
        b'<a b="1" b="2"/>',
    ],
)
def test_xml_with_names_or_entities_of_its_own_is_not_well_formed(body: bytes) -> None:
    """Namespaces, colons in names and undeclared entities are refused."""
    assert _codes(_HEAD + body + b"</CASE>") == [ErrorCode.NOT_WELL_FORMED]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff\xfe", ErrorCode.ENCODING_MISMATCH),
        (b'<?xml version="1.0" encoding="GBK"?><CASE/>', ErrorCode.ENCODING_MISMATCH),
        (b"<CASE>\x00</CASE>", ErrorCode.CONTROL_CHARACTER),
        (b"<CASE>&#x1F;</CASE>", ErrorCode.CONTROL_CHARACTER),
        (b"<CASE>&#55296;</CASE>", ErrorCode.CONTROL_CHARACTER),
        (b"<CASE>&#99999999999999999999;</CASE>", ErrorCode.CONTROL_CHARACTER),
        ("<CASE>\ufffe</CASE>".encode(), ErrorCode.CONTROL_CHARACTER),
        (b'<?xml version="1.1"?><CASE/>', ErrorCode.NOT_WELL_FORMED),
        (b"<OTHER/>", ErrorCode.NOT_WELL_FORMED),
        (b"", ErrorCode.NOT_WELL_FORMED),
    ],
)
def test_court_bytes_that_are_no_record_have_one_finding(data: bytes, code: ErrorCode) -> None:
    """Stages 1 and 2 give the first thing that is wrong and nothing else."""
    assert _codes(data) == [code]


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b"null",
        b"1",
        b'{"a":NaN}',
        b'{"a":1,}',
        b'{"a":01}',
        b"{'a':1}",
        b'{"a":"\t"}',
        b"",
        b'{"a":"\\x"}',
    ],
)
def test_json_that_is_no_record_ends_before_its_fields(data: bytes) -> None:
    """Only an object of RFC 8259 with the version of the schema is read."""
    expected = ErrorCode.UNKNOWN_VERSION if data == b"{}" else ErrorCode.NOT_WELL_FORMED
    assert _codes(data, "justice", "court") == [expected]


def test_json_duplicates_and_escapes_are_all_named() -> None:
    """Every key that occurs twice and every forbidden character by an escape is a finding, in document order."""
    data = b'{"a":{"b":1,"b":2},"c":"\\u0000","a":3,"d":["\\ud800"]}'
    findings = _ADAPTERS.read(data, sender="justice", receiver="court").findings
    assert [(finding.code.name, finding.path) for finding in findings] == [
        ("DUPLICATE_KEY", "/a/b"),
        ("CONTROL_CHARACTER", "/c"),
        ("DUPLICATE_KEY", "/a"),
        ("CONTROL_CHARACTER", "/d/0"),
    ]
    assert _codes(b'{"a":1,"a":2,"\\u0001":3}', "justice", "court") == [ErrorCode.CONTROL_CHARACTER]


def test_names_that_are_no_adapter_are_refused() -> None:
    """An adapter that does not exist is the caller's mistake, not a finding of the record."""
    with pytest.raises(GatewayError) as caught:
        _ADAPTERS.read(b"", sender="tax", receiver="court")
    assert caught.value.code is ErrorCode.ARGUMENT_INVALID


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(_PAIRS))
def test_reader_never_raises_on_arbitrary_bytes(data: bytes, pair: tuple[str, str]) -> None:
    """Arbitrary bytes give an error finding and no rendition."""
    reading, rendition = _ADAPTERS.map(data, sender=pair[0], receiver=pair[1])
    assert reading.has_errors and rendition.data is None and rendition.report == ()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from(ALL))
def test_reader_never_raises_on_mutated_samples(data: st.DataObject, sample: Sample) -> None:
    """A sample with bytes changed, cut out or doubled gives findings or a rendition, never an exception."""
    content = bytearray(sample.source.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 40)))
        piece = bytes(content[start:end])
        content[start:end] = data.draw(
            st.sampled_from([b"", piece * 2, b'"', b"<", b"{", b"\x00", b"-", b"1", "无".encode()])
        )
    reading, rendition = _ADAPTERS.map(bytes(content), sender=sample.sender, receiver=sample.receiver)
    assert (rendition.data is None) == reading.has_errors
    if rendition.data is not None:
        assert {line.target for line in rendition.report} and reading.case is not None
