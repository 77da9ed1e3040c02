"""Agency interfaces, section 4: bytes, syntax and header; which finding ends the reading, and where it stands."""

from __future__ import annotations

import re

import pytest

from tests.adapters.rule import INDICTMENT, OPINION, TRANSFER, Change, map_bytes

_HEAD = '<?xml version="1.0" encoding="GB18030"?>'
_POLICE = _HEAD + '<YSQS version="9"/>'
_VERSION = ["e UNKNOWN_VERSION /YSQS/@version"]
_ENCODING, _CONTROL = ["e ENCODING_MISMATCH"], ["e CONTROL_CHARACTER"]
_DOCTYPE, _SYNTAX = ["e DOCTYPE_FORBIDDEN"], ["e NOT_WELL_FORMED"]
_BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (_POLICE.encode(), _VERSION),
        (_BOM + _POLICE.encode(), _ENCODING),
        (b"\n" + _POLICE.encode(), _ENCODING),
        (_POLICE.removeprefix(_HEAD).encode(), _ENCODING),
        (_POLICE.replace(' encoding="GB18030"', "").encode(), _ENCODING),
        (_POLICE.replace("GB18030", "GBK").encode(), _ENCODING),
        (_POLICE.replace('"GB18030"', "'gb18030' standalone=\"yes\"").encode(), _VERSION),
        (_POLICE.replace("9", "张").encode(), _ENCODING),
        (_POLICE.replace("9", "张").encode("gb18030"), _VERSION),
        (_POLICE.encode() + b"\x80", _ENCODING),
        (_POLICE.encode() + b"\xff\x01<!DOCTYPE x>", _ENCODING),
        (_POLICE.encode() + b"<!DOCTYPE x>\x01", _CONTROL),
        (_POLICE.encode() + b"<!-- \xff\xff -->", _ENCODING),
        (_POLICE.encode() + b"<!-- \x84\x31\xa4\x38 -->", _CONTROL),
        (_POLICE.replace('"1.0"', '"1.1"').encode(), _SYNTAX),
        ((_HEAD + "\ufeff<YSQS/>").encode("gb18030"), _SYNTAX),
    ],
)
def test_police_bytes_have_the_first_finding_only(data: bytes, expected: list[str]) -> None:
    """Section 4, stage 1: encoding, control characters, document type and syntax, in this order."""
    assert map_bytes(data, "police", "procuratorate").findings == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<CASE/>", ["e UNKNOWN_VERSION /CASE/@VER"]),
        (_BOM + b"<CASE/>", ["w BOM_PRESENT", "e UNKNOWN_VERSION /CASE/@VER"]),
        (_BOM + _BOM + b"<CASE/>", ["w BOM_PRESENT", *_SYNTAX]),
        (_BOM + b"<CASE>\xff</CASE>", ["w BOM_PRESENT", *_ENCODING]),
        (b'<?xml version="1.0" encoding="utf-8"?><CASE/>', ["e UNKNOWN_VERSION /CASE/@VER"]),
        (b'<?xml version="1.0" encoding="UTF8"?><CASE/>', _ENCODING),
        (b'<?xml version="1.1" encoding="GBK"?><CASE/>', _ENCODING),
        (b"<CASE>\xed\xa0\x80</CASE>", _ENCODING),
        (b"<CASE/><CASE/>", _SYNTAX),
        (b'<CASE xmlns="a"/>', _SYNTAX),
        (b'<CASE xmlnsx="a"/>', ["e UNKNOWN_VERSION /CASE/@VER"]),
        (b"<!-- a:b --><?ab c:d?><CASE/>", ["e UNKNOWN_VERSION /CASE/@VER"]),
        (b"<CASE>]]></CASE>", _SYNTAX),
        (b"<case/>", _SYNTAX),
    ],
)
def test_court_bytes_have_the_first_finding_only(data: bytes, expected: list[str]) -> None:
    """Section 4, stages 1 and 2: a byte order mark is a warning beside whatever else is found."""
    assert map_bytes(data, "court", "procuratorate").findings == expected


@pytest.mark.parametrize("place", ["<!-- {} -->", "<YSQS><![CDATA[{}]]></YSQS>", "<?x {} ?>"])
@pytest.mark.parametrize("reference", ["&#0;", "&#x1f;", "&#127;", "&#00011;", "&#xFFFE;", "&#xDFFF;", "&#x110000;"])
def test_reference_to_a_forbidden_character_counts_wherever_it_stands(place: str, reference: str) -> None:
    """Section 4: a numeric reference counts in stage 1, in a comment or CDATA section too."""
    data = (_HEAD + place.format(reference)).encode()
    assert map_bytes(data, "police", "procuratorate").findings == _CONTROL


@pytest.mark.parametrize("reference", ["&#9;", "&#13;", "&#x85;", "&#xFEFF;", "&#x1FFFE;", "&#x10FFFF;", "&amp;#1;"])
def test_reference_to_another_character_is_text(reference: str) -> None:
    """Section 4, stage 1: only the characters of the list are forbidden."""
    data = _POLICE.replace('"9"', f'"9{reference}"').encode()
    assert map_bytes(data, "police", "procuratorate").findings == _VERSION


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":"\\u0001","b":[{"c":"\\ufffe"}]}', ["e CONTROL_CHARACTER /a", "e CONTROL_CHARACTER /b/0/c"]),
        ('{"a":"\\ud83d\\ud83d\\ude00"}', ["e CONTROL_CHARACTER /a"]),
        ('{"a":"\\ud83d\\ude00 &#1; <!DOCTYPE"}', ["e UNKNOWN_VERSION /schemaVersion"]),
        ('{"a":1,"a":2,"x":{"\\b":1}}', _CONTROL),
        ('\ufeff{"\\ud800":1}', ["w BOM_PRESENT", *_CONTROL]),
        ('{"a":1,"\\u0061":2,"a":3}', ["e DUPLICATE_KEY /a"]),
        (
            '{"z":{"/":1,"/":2},"y":"\\u0000","y":1}',
            ["e DUPLICATE_KEY /z/~1", "e CONTROL_CHARACTER /y", "e DUPLICATE_KEY /y"],
        ),
        ('{"":1,"":2}', ["e DUPLICATE_KEY /"]),
        (
            '{"a":[1],"b":"\\u0001","a":[2],"c":"\\u0001","a":3}',
            ["e CONTROL_CHARACTER /b", "e DUPLICATE_KEY /a", "e CONTROL_CHARACTER /c"],
        ),
        ('{"a":"\x7f"}', _CONTROL),
        ('{"a":"\t"}', _SYNTAX),
        ('{"a":1,"a":2', _SYNTAX),
        ('{"a":-Infinity}', _SYNTAX),
        ('{"a":[-0,1e999999,' + "9" * 9999 + "]}", ["e UNKNOWN_VERSION /schemaVersion"]),
    ],
)
def test_json_syntax_findings_are_all_given_in_document_order(text: str, expected: list[str]) -> None:
    """Section 4, stage 2: a forbidden key stands alone; else duplicate keys and forbidden strings are all named."""
    assert map_bytes(text.encode(), "justice", "procuratorate").findings == expected


_MISSING_KIND = ["e MISSING_FIELD /JLLX_BM"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([('"2.0"', '" 2.0　"')], []),
        ([('"2.0"', '["2.0"]')], ["e UNKNOWN_VERSION /BBH"]),
        ([('"2.0"', '"2.1"'), ('"JLLX_BM": "20"', '"JLLX_BM": "30"')], ["e UNKNOWN_VERSION /BBH"]),
        ([('"JLLX_BM": "20",', "")], []),
        ([('"JLLX_BM": "20",', ""), ("提起公诉", "判决")], ["e KIND_NOT_ROUTED /JLLX_MC"]),
        ([('"JLLX_BM": "20",', ""), ("提起公诉", "起诉")], ["e CODE_NOT_IN_TABLE /JLLX_MC"]),
        ([('"JLLX_BM": "20"', '"JLLX_BM": "30"')], ["e KIND_NOT_ROUTED /JLLX_BM"]),
        ([('"JLLX_BM": "20"', '"JLLX_BM": 20')], ["e BAD_FORMAT /JLLX_BM"]),
        ([('"JLLX_BM": "20",', ""), ('"JLLX_MC": "提起公诉",', "")], _MISSING_KIND),
        (
            [('"JLLX_BM": "20"', '"JLLX_BM": "－ －"'), ("提起公诉", "/")],
            [*_MISSING_KIND, "w PLACEHOLDER_VALUE /JLLX_BM", "w PLACEHOLDER_VALUE /JLLX_MC"],
        ),
        ([("提起公诉", "判决")], ["w CODE_NAME_CONFLICT /JLLX_MC"]),
        ([('"FSDW_BM": "JC110108",', ""), ("第一检察院", "第一法院")], ["e PARTY_MISMATCH /FSDW_MC"]),
        ([("JC110108", "FY110108")], ["e PARTY_MISMATCH /FSDW_BM", "w CODE_NAME_CONFLICT /FSDW_MC"]),
    ],
)
def test_header_ends_the_reading_in_its_order(changes: list[Change], expected: list[str]) -> None:
    """Section 4, stage 3: version, kind, route; a kind that has a value leaves its warnings to stage 4."""
    assert INDICTMENT.map(*changes).findings == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("<XM>", '<XX>1</XX><XX a="2"/><XM>')], ["w UNKNOWN_FIELD {}/XX[1]", "w UNKNOWN_FIELD {}/XX[2]/@a"]),
        ([("<XM>", "<XX>1</XX><XM>")], ["w UNKNOWN_FIELD {}/XX"]),
        ([("<XM>陈立安", '<XM a="1">陈<i>2</i>')], ["w UNKNOWN_FIELD {}/XM/@a", "w UNKNOWN_FIELD {}/XM/i"]),
        ([("<XM>", "<XM>一</XM><XM z='1'/><XM>")], ["e REPEATED_FIELD {}/XM"]),
        ([("<XM>", "<XM/><XM>")], ["e MISSING_FIELD {}/XM", "e REPEATED_FIELD {}/XM"]),
        (
            [("<MJLB>", "<PGXX WTBH='1'/><PGXX/><MJLB>")],
            ["w FIELD_NOT_IN_KIND /YSQS/PGXX/@WTBH", "e REPEATED_FIELD /YSQS/PGXX"],
        ),
        (
            [("<MJLB>", "<TCBC><X><YQ>1</YQ><YQ>2</YQ><z>3</z></X></TCBC><MJLB>")],
            ["w FIELD_NOT_IN_KIND /YSQS/TCBC/X[1]/YQ", "w UNKNOWN_FIELD /YSQS/TCBC/X[1]/z"],
        ),
        ([('<ZM JD="1" DM="040101"/>', "")], ["e MISSING_FIELD {}/ZMLB/ZM[1]"]),
        ([("<CYM>陈安", "<CYM>\u00a0")], []),
    ],
)
def test_xml_paths_and_repeated_elements(changes: list[Change], expected: list[str]) -> None:
    """Section 4, paths; section 8: REPEATED_FIELD, UNKNOWN_FIELD, FIELD_NOT_IN_KIND and a list without items."""
    assert TRANSFER.map(*changes).findings == [text.format("/YSQS/XYRLB/XYR[1]") for text in expected]


_ALIAS = '"BMCH": [\n        {\n          "MC": "三哥"\n        }\n      ]'


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (_ALIAS, '"BMCH": {"MC": "三哥"}', ["w UNKNOWN_FIELD /XYR/0/BMCH/MC"]),
        (_ALIAS, '"BMCH": "三哥"', ["w UNKNOWN_FIELD /XYR/0/BMCH"]),
        (
            _ALIAS,
            '"BMCH": ["x", {"MC": "小三"}, [{"MC": "z"}], null, {}, {"MC": " "}]',
            ["w UNKNOWN_FIELD /XYR/0/BMCH/0", "w UNKNOWN_FIELD /XYR/0/BMCH/2/0/MC"],
        ),
        ('"AJMC": "陈立安危险驾驶案"', '"AJMC": ["a"]', ["e MISSING_FIELD /AJMC", "w UNKNOWN_FIELD /AJMC/0"]),
        ('"AJMC": "陈立安危险驾驶案"', '"AJMC": true', ["e BAD_FORMAT /AJMC"]),
        ('"XH": "1"', '"XH": 1', ["e BAD_FORMAT /JZWS/0/XH"]),
        ('"XH": 1', '"XH": 1.0', ["e BAD_FORMAT /XYR/0/XH"]),
        ('"XH": 1', '"XH": 1000000000', ["e BAD_FORMAT /XYR/0/XH"]),
        (
            '"JJS": {',
            '"PJ": {"PJX": [{"ZX": 5}, 6]}, "JJS": {',
            ["w FIELD_NOT_IN_KIND /XYR/0/PJ/PJX/0/ZX", "w UNKNOWN_FIELD /XYR/0/PJ/PJX/1"],
        ),
        ('"AJMC"', '"\\u0041JMC"', []),
        ('"TBLX": [', '"TBLX": [{}, null, {"KSSJ": ""}, ', []),
    ],
)
def test_json_of_another_shape_is_named_leaf_by_leaf(old: str, new: str, expected: list[str]) -> None:
    """Section 4, leaf: an object where a list belongs and an array where none does are not read."""
    assert INDICTMENT.map((old, new)).findings == expected


def test_list_item_keeps_the_index_of_its_place() -> None:
    """Section 4, leaf: an item without any leaf is no item, but it keeps its index."""
    report = INDICTMENT.map(('"TBLX": [', '"TBLX": [{}, null, ')).report
    assert report["/TBLX/2/SBBH"] == ["carried /CASE/LX/R[1]/@SB"]


def test_document_without_documents_says_so_where_the_list_would_be() -> None:
    """Section 8: a finding without a node stands at its nearest existing ancestor, so before what comes later."""
    text = re.sub(r"  <WSLB>.*</WSLB>\n", "", TRANSFER.text, flags=re.DOTALL).replace(' BLXH="4"', "")
    data = text.replace("<WSSL>7</WSSL>", "").replace("<MJLB>", "<MJLB><x>1</x>").replace("陈立安危险驾驶案", "")
    assert map_bytes(data.encode("gb18030"), "police", "procuratorate").findings == [
        "e MISSING_FIELD /YSQS/WSLB/WS[1]",
        "e MISSING_FIELD /YSQS/AJXX/AJMC",
        "w UNKNOWN_FIELD /YSQS/MJLB/x",
    ]


def test_opinion_without_subjects_misses_the_first() -> None:
    """Section 8, MISSING_FIELD: an array is not a node, so the finding stands at the root."""
    text = re.sub(r'"subjects": \[.*?\n  \],', '"q": 1, "subjects": [],', OPINION.text, flags=re.DOTALL)
    found = map_bytes(text.encode(), "justice", "procuratorate").findings
    assert found == ["e MISSING_FIELD /subjects/0", "w UNKNOWN_FIELD /q"]
