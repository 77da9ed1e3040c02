"""Agency interfaces, section 8: the findings that need several fields, each where it stands and in its order."""

from __future__ import annotations

import re

import pytest

from tests.adapters.rule import INDICTMENT, TRANSFER, Base, Change, base, map_bytes

_PERSON = "/YSQS/XYRLB/XYR[1]"
_RECORDING = "/YSQS/LXLB/LX[1]"


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([("104000", "112000")], []),
        ([("103959", "104001")], ["e GAP_OUTSIDE_RECORDING {}/ZD[1]/@KSSJ"]),
        ([("104000", "112001")], ["e GAP_OUTSIDE_RECORDING {}/ZD[1]/@KSSJ"]),
        ([("105000", "105500"), ("105500", "105600")], []),
        (
            [("105000", "105900"), ("105100", "105200"), ("105500", "105600")],
            ["e GAPS_OVERLAP {}/ZD[2]/@KSSJ", "e GAPS_OVERLAP {}/ZD[3]/@KSSJ"],
        ),
        ([("105500", "105600"), ("105000", "105100")], ["e GAPS_OVERLAP {}/ZD[2]/@KSSJ"]),
        (
            [("100500", "120400"), ("120000", "130000")],
            [
                "e GAP_OUTSIDE_RECORDING {}/ZD[1]/@KSSJ",
                "e GAPS_OVERLAP {}/ZD[2]/@KSSJ",
                "e GAP_OUTSIDE_RECORDING {}/ZD[2]/@KSSJ",
            ],
        ),
        ([("105500", "105400")], ["e END_BEFORE_START {}/ZD[1]/@JSSJ"]),
        ([("", "105000"), ("104500", "104600")], ["e BAD_FORMAT {}/ZD[1]/@KSSJ", "e GAPS_OVERLAP {}/ZD[2]/@KSSJ"]),
    ],
)
def test_gaps_lie_in_their_recording_one_after_the_other(gaps: list[tuple[str, str]], expected: list[str]) -> None:
    """GAP_OUTSIDE_RECORDING, GAPS_OVERLAP, END_BEFORE_START."""
    rows = "".join(f'<ZD KSSJ="20240602{start}" JSSJ="20240602{end}"/>' for start, end in gaps)
    found = TRANSFER.map(('JYBH="110001"/>', f'JYBH="110001">{rows}</LX>')).findings
    assert found == [text.format(_RECORDING) for text in expected]


def test_finding_of_a_missing_leaf_stands_at_its_element() -> None:
    """Order: the node at which a finding stands, then path, then code."""
    found = TRANSFER.map(('JYBH="110001"/>', 'JYBH="110001"><ZD KSSJ="20240602103959"/></LX>')).findings
    assert found == [
        f"e MISSING_FIELD {_RECORDING}/ZD[1]/@JSSJ",
        f"e GAP_OUTSIDE_RECORDING {_RECORDING}/ZD[1]/@KSSJ",
    ]


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        (["20240602"], []),
        (["20240603"], ["w MEASURE_ORDER {}[2]/@KSSJ"]),
        (["20240602101501"], ["w MEASURE_ORDER {}[2]/@KSSJ"]),
        (["20240605", "x"], ["e BAD_FORMAT {}[2]/@KSSJ", "w MEASURE_ORDER {}[3]/@KSSJ"]),
        (["20240605", "20240601"], ["w MEASURE_ORDER {}[2]/@KSSJ"]),
    ],
)
def test_measures_are_compared_with_the_nearest_earlier_start(starts: list[str], expected: list[str]) -> None:
    """MEASURE_ORDER: dates are compared if one of the two has no time."""
    rows = "".join(f'<QZCS LX="302" KSSJ="{start}"/>' for start in starts)
    found = TRANSFER.map(("<QZCSLB>", f"<QZCSLB>{rows}")).findings
    assert found == [text.format(f"{_PERSON}/QZCSLB/QZCS") for text in expected]


@pytest.mark.parametrize(
    ("end", "is_early"),
    [("20240602101500", False), ("20240602", False), ("20240602101459", True), ("20240601", True)],
)
def test_end_may_be_the_start_but_not_before_it(end: str, is_early: bool) -> None:
    """END_BEFORE_START: dates are compared if one of the two has no time."""
    found = TRANSFER.map(('KSSJ="20240602101500"', f'KSSJ="20240602101500" JSSJ="{end}"')).findings
    assert found == ([f"e END_BEFORE_START {_PERSON}/QZCSLB/QZCS[1]/@JSSJ"] if is_early else [])


@pytest.mark.parametrize(
    ("total", "amounts", "expected"),
    [
        ("3000", ["1000", "2000"], []),
        ("3000", ["1000", "1000"], ["e SUM_MISMATCH"]),
        ("3000", ["1000", ""], ["w SUM_MISMATCH"]),
        ("1000", ["1000", "/"], ["w PLACEHOLDER_VALUE"]),
        ("3000", ["1000", "x"], ["w SUM_MISMATCH", "e BAD_FORMAT"]),
        ("5", [], ["e SUM_MISMATCH"]),
        ("0", [], []),
        ("x", ["1"], ["e BAD_FORMAT"]),
    ],
)
def test_total_is_the_sum_of_what_can_be_read(total: str, amounts: list[str], expected: list[str]) -> None:
    """SUM_MISMATCH: an error only if every item has a readable amount."""
    rows = "".join(f'<WP MC="a" JE="{amount}"/>' for amount in amounts)
    changes = [("<WSSL>", f"<WPZE>{total}</WPZE><WSSL>"), ("<WSLB>", f"<CAWPLB>{rows}</CAWPLB><WSLB>")]
    assert [text.rpartition(" ")[0] for text in TRANSFER.map(*changes).findings] == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("<CSRQ>19900307", "<CSRQ>19900308")], ["e BIRTH_CONFLICTS_ID {}/CSRQ"]),
        ([("<CSRQ>19900307", "<CSRQ>19900308"), ("<CSYJ>1", "<CSYJ>2")], ["w BIRTH_CONFLICTS_ID {}/CSRQ"]),
        ([("<CSRQ>19900307", "<CSRQ>19900308"), ("<CSYJ>1</CSYJ>", "")], ["e BIRTH_CONFLICTS_ID {}/CSRQ"]),
        ([("<CSRQ>19900307", "<CSRQ>19900400")], ["e BIRTH_CONFLICTS_ID {}/CSRQ", "w BIRTH_UNKNOWN {}/CSRQ"]),
        ([("<CSRQ>19900307", "<CSRQ>1990")], ["e BAD_FORMAT {}/CSRQ"]),
        ([("<XB>1", "<XB>2")], ["w SEX_CONFLICTS_ID {}/XB"]),
        ([("<XB>1", "<XB>9")], []),
        (
            [('HM="999001199003070114"/>', 'HM="999001199003070115"/><ZJ LX="111" HM="99900119860105243X"/>')],
            ["e BIRTH_CONFLICTS_ID {}/CSRQ", "e BAD_CHECK_DIGIT {}/ZJLB/ZJ[1]/@HM"],
        ),
    ],
)
def test_birth_and_sex_agree_with_the_first_readable_citizen_id(changes: list[Change], expected: list[str]) -> None:
    """BIRTH_CONFLICTS_ID, SEX_CONFLICTS_ID, BIRTH_UNKNOWN."""
    assert TRANSFER.map(*changes).findings == [text.format(_PERSON) for text in expected]


_SECOND = '<XYR XH="2"><RYBH>{}</RYBH><XM>{}</XM><CSRQ>19900101</CSRQ><ZMLB><ZM JD="1" DM="040101"/></ZMLB></XYR>'
_VICTIM = "<BHRLB><BHR><BHRBH>{}</BHRBH><XM>x</XM></BHR></BHRLB>"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("</XYRLB>", _SECOND.format("R2", "陈立安"), ["w SAME_NAME_PERSONS /YSQS/XYRLB/XYR[2]/XM"]),
        ("</XYRLB>", _SECOND.format("R2", "陈 立安"), []),
        (
            "</XYRLB>",
            _SECOND.format("R1101080000002024060121", "x"),
            ["e DUPLICATE_PERSON_KEY /YSQS/XYRLB/XYR[2]/RYBH"],
        ),
        (
            "<XYRLB>",
            _VICTIM.format("R1101080000002024060121"),
            ["e DUPLICATE_PERSON_KEY /YSQS/BHRLB/BHR[1]/BHRBH"],
        ),
        ('XH="2" DM', 'XH="1" DM', ["e DUPLICATE_DOCUMENT_KEY /YSQS/WSLB/WS[2]/@XH"]),
        ('BLXH="4"', 'BLXH="04"', ["e DANGLING_REFERENCE /YSQS/LXLB/LX[1]/@BLXH"]),
        ('BLXH="4"', 'BLXH=" 4 "', []),
        (
            'XH="4" DM',
            'XH="a" DM',
            ["e BAD_FORMAT /YSQS/WSLB/WS[4]/@XH", "e DANGLING_REFERENCE /YSQS/LXLB/LX[1]/@BLXH"],
        ),
        ("<WSSL>7", "<WSSL>/", ["w PLACEHOLDER_VALUE /YSQS/AJXX/WSSL"]),
        ('RZ="1" RF="1"', 'RF="1"', []),
        ('RZ="1" RF="1"', 'RZ="0" RF="1"', [f"w PLEA_INCONSISTENT {_PERSON}/RZQK/@RF"]),
    ],
)
def test_keys_names_and_references_of_a_transfer(old: str, new: str, expected: list[str]) -> None:
    """DUPLICATE_*, SAME_NAME_PERSONS, DANGLING_REFERENCE, COUNT_MISMATCH, PLEA_INCONSISTENT."""
    inserted = new + old if old.startswith("<XYRLB") or old.startswith("</") else new
    assert TRANSFER.map((old, inserted)).findings == expected


_STAGE = '"JD_BM": "1",\n          "JD_MC": "侦查机关移送"'
_BOTH = ["w DERIVED_CONFLICT /YSAY_AYDM", "w DERIVED_CONFLICT /YSAY_AYMC"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([('"YSAY_AYDM": "0010100",', "")], []),
        ([('"YSAY_AYDM": "0010100"', '"YSAY_AYDM": "/"')], _BOTH[:1]),
        ([('"YSAY_AYMC": "危险驾驶罪"', '"YSAY_AYMC": "危险驾驶"')], _BOTH[1:]),
        ([(_STAGE, '"JD_BM": "2"')], _BOTH),
        (
            [('"AY_AYDM": "0010100",\n          "AY_AYMC": "危险驾驶罪"', '"AY_AYDM": "77"')],
            [*_BOTH, "w CODE_UNKNOWN /XYR/0/ZM/0/AY_AYDM"],
        ),
        (
            [('"YSAY_AYMC": "危险驾驶罪"', '"YSAY_AYMC": "x"'), ('"JD_BM": "2"', '"JD_BM": "9"')],
            ["e CODE_NOT_IN_TABLE /XYR/0/ZM/1/JD_BM"],
        ),
        ([('"JZWSSL"', '"TARYXX": "陈立安（男，1990-03-07）", "JZWSSL"')], ["w DERIVED_CONFLICT /TARYXX"]),
        ([('"JZWSSL"', '"TARYXX": "x", "JZWSSL"'), ('"XB": "男"', '"XB": "雄"')], ["e CODE_NOT_IN_TABLE /XYR/0/XB"]),
    ],
)
def test_derived_text_is_compared_with_what_would_be_written(changes: list[Change], expected: list[str]) -> None:
    """DERIVED_CONFLICT: each leaf for itself; not where a field that it is made from is unreadable."""
    assert INDICTMENT.map(*changes).findings == expected


def test_decision_is_mandatory_for_every_party_of_a_non_prosecution() -> None:
    """MISSING_FIELD: in NP the decision of any listed person or organisation."""
    source = base("26-non-prosecution-organisation", "police")
    text = re.sub(r',?\s*"BQS": \{[^}]*\}', "", source.text)
    paths = [f"/{party}/0/BQS/{leaf}" for party in ("XYR", "XYDW") for leaf in ("LX_BM", "RQ", "WSWH")]
    assert Base(text, "procuratorate", "police").map().findings == [f"e MISSING_FIELD {path}" for path in paths]


@pytest.mark.parametrize(
    ("folder", "pattern", "text", "expected"),
    [
        ("14-return-and-retransfer/1-return", r'"X": \[.*?\]', '"X": [null]', ["/TCBC/X/0"]),
        (
            "14-return-and-retransfer/1-return",
            r',\s*"TCBC": \{.*\}\s*\]\s*\}',
            "",
            ["/TCBC/CS", "/TCBC/RQ", "/TCBC/WSWH", "/TCBC/X/0"],
        ),
        ("14-return-and-retransfer/2-retransfer", "<HF>.*?</HF>", "<HF> </HF>", ["/YSQS/TCBC/X[1]/HF"]),
        ("15-non-prosecution", r',\s*"BQS": \{.*?\}', "", ["/XYR/0/BQS/LX_BM", "/XYR/0/BQS/RQ", "/XYR/0/BQS/WSWH"]),
    ],
)
def test_kind_has_mandatory_fields_of_its_own(folder: str, pattern: str, text: str, expected: list[str]) -> None:
    """Section 5, cardinality; MISSING_FIELD: a group that is absent does not excuse its leaves."""
    receiver = "procuratorate" if folder.endswith("retransfer") else "police"
    source = base(folder, receiver)
    data = re.sub(pattern, text, source.text, count=1, flags=re.DOTALL)
    encoded = data.encode("gb18030" if source.sender == "police" else "utf-8")
    found = map_bytes(encoded, source.sender, receiver).findings
    assert found == [f"e MISSING_FIELD {path}" for path in expected]
