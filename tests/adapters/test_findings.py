"""Single rules of the findings, each by one change to a sample that is right."""

from __future__ import annotations

import pytest

from adapters.registry import Adapters
from tests.adapters.cases import SAMPLES

_ADAPTERS = Adapters()
_TRANSFER = (SAMPLES / "01-dui-chain/1-transfer/from-police.transfer.xml").read_bytes().decode("gb18030")
_INDICTMENT = (SAMPLES / "01-dui-chain/4-indictment/from-procuratorate.indictment.json").read_text("utf-8")
_JUDGMENT = (SAMPLES / "01-dui-chain/5-judgment/from-court.judgment.xml").read_text("utf-8")
_EXECUTION = (SAMPLES / "01-dui-chain/7-execution/from-court.execution.xml").read_text("utf-8")
_X = "/YSQS/XYRLB/XYR[1]"


def _change(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


def _police(old: str, new: str) -> list[tuple[str, str, str]]:
    return _found(_change(_TRANSFER, old, new).encode("gb18030"), "police", "procuratorate")


def _procuratorate(old: str, new: str) -> list[tuple[str, str, str]]:
    return _found(_change(_INDICTMENT, old, new).encode(), "procuratorate", "court")


def _court(old: str, new: str, text: str = _JUDGMENT, receiver: str = "procuratorate") -> list[tuple[str, str, str]]:
    return _found(_change(text, old, new).encode(), "court", receiver)


def _found(data: bytes, sender: str, receiver: str) -> list[tuple[str, str, str]]:
    findings = _ADAPTERS.read(data, sender=sender, receiver=receiver).findings
    return [(finding.code.name, finding.severity.value[0], finding.path) for finding in findings]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('version="3.2"', 'version="3.1"', [("UNKNOWN_VERSION", "e", "/YSQS/@version")]),
        ("<JLLX>01</JLLX>", "<JLLX>11</JLLX>", [("KIND_NOT_ROUTED", "e", "/YSQS/TXX/JLLX")]),
        ("<JLLX>01</JLLX>", "<JLLX/>", [("MISSING_FIELD", "e", "/YSQS/TXX/JLLX")]),
        ("<JLLX>01</JLLX>", "<JLLX>99</JLLX>", [("CODE_NOT_IN_TABLE", "e", "/YSQS/TXX/JLLX")]),
        ("110108000000<", "110108FY0000<", [("PARTY_MISMATCH", "e", "/YSQS/TXX/FSDW")]),
        ("<AJMC>", "<AJMC>x</AJMC><AJMC>", [("REPEATED_FIELD", "e", "/YSQS/AJXX/AJMC")]),
        ("<FADD>", "<XYRLB>x</XYRLB><FADD>", [("UNKNOWN_FIELD", "w", "/YSQS/AJXX/XYRLB")]),
        ("<FADD>", "<Q/><Q>1</Q><FADD>", [("UNKNOWN_FIELD", "w", "/YSQS/AJXX/Q[2]")]),
        ("<XYRLB>", "<XYRLB>loose", [("UNKNOWN_FIELD", "w", "/YSQS/XYRLB")]),
        ('<ZM JD="1" DM="040101"/>', "<ZM/>", [("MISSING_FIELD", "e", f"{_X}/ZMLB/ZM[1]")]),
        ('<ZJ LX="111" ', "<ZJ ", [("MISSING_FIELD", "e", f"{_X}/ZJLB/ZJ[1]/@LX")]),
        (' HM="999001199003070114"', "", [("MISSING_FIELD", "e", f"{_X}/ZJLB/ZJ[1]/@HM")]),
        ("070114", "070115", [("BAD_CHECK_DIGIT", "e", f"{_X}/ZJLB/ZJ[1]/@HM")]),
        ('LX="304"', 'LX="304" ZDJS="2"', [("BAD_FORMAT", "e", f"{_X}/QZCSLB/QZCS[1]/@ZDJS")]),
        ("<XB>1<", "<XB>2<", [("SEX_CONFLICTS_ID", "w", f"{_X}/XB")]),
        ("<CSRQ>19900307<", "<CSRQ>19900000<", [("BIRTH_UNKNOWN", "w", f"{_X}/CSRQ")]),
        ("<CSRQ>19900307</CSRQ>", "", [("BIRTH_UNKNOWN", "w", f"{_X}/CSRQ")]),
        ("<CSYJ>1", "<CSYJ>/", [("PLACEHOLDER_VALUE", "w", f"{_X}/CSYJ")]),
        ("<WSSL>7", "<WSSL>8", [("COUNT_MISMATCH", "e", "/YSQS/AJXX/WSSL")]),
        ("<WSSL>", "<WPZE>5</WPZE><WSSL>", [("SUM_MISMATCH", "e", "/YSQS/AJXX/WPZE")]),
        ('BLXH="4"', 'BLXH="99"', [("DANGLING_REFERENCE", "e", "/YSQS/LXLB/LX[1]/@BLXH")]),
        ("<MJLB>", '<PJXX PJRQ="/"/><MJLB>', [("FIELD_NOT_IN_KIND", "w", "/YSQS/PJXX/@PJRQ")]),
        (
            "<WSLB>",
            "<BHRLB><BHR><BHRBH>V1</BHRBH><FBZ>1</FBZ><XM>x</XM><LXDH>-</LXDH></BHR></BHRLB><WSLB>",
            [
                ("MISSING_FIELD", "e", "/YSQS/BHRLB/BHR[1]/HM"),
                ("SEALED_IDENTITY_PRESENT", "e", "/YSQS/BHRLB/BHR[1]/XM"),
                ("PLACEHOLDER_VALUE", "w", "/YSQS/BHRLB/BHR[1]/LXDH"),
            ],
        ),
    ],
)
def test_police_transfer_with_one_change_has_its_findings(
    old: str, new: str, expected: list[tuple[str, str, str]]
) -> None:
    """Each rule gives its own finding, at its own place, and no other."""
    assert _police(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"JLLX_BM": "20",', "", []),
        ('"JLLX_BM": "20"', '"JLLX_BM": "/"', [("PLACEHOLDER_VALUE", "w", "/JLLX_BM")]),
        ('"BBH": "2.0"', '"BBH": 2.0', [("UNKNOWN_VERSION", "e", "/BBH")]),
        ('"XH": 1,', '"XH": "1",', [("BAD_FORMAT", "e", "/XYR/0/XH")]),
        ('"XH": 1,', '"XH": -0,', [("BAD_FORMAT", "e", "/XYR/0/XH")]),
        ('"XH": 1,', '"XH": [1],', [("MISSING_FIELD", "e", "/XYR/0/XH"), ("UNKNOWN_FIELD", "w", "/XYR/0/XH/0")]),
        ('"AJMC": "', '"a/b~c": {"d": [true]}, "AJMC": "', [("UNKNOWN_FIELD", "w", "/a~1b~0c/d/0")]),
        ('"YSAY_AYDM": "0010100"', '"YSAY_AYDM": " 0010100 "', []),
        ('"YSAY_AYDM": "0010100"', '"YSAY_AYDM": "1"', [("DERIVED_CONFLICT", "w", "/YSAY_AYDM")]),
        ('"YSAY_AYDM": "0010100",', '"TARYXX": "x",', [("DERIVED_CONFLICT", "w", "/TARYXX")]),
        ("缓刑", "缓", [("BAD_FORMAT", "e", "/XYR/0/LXJY/ZX")]),
    ],
)
def test_indictment_with_one_change_has_its_findings(old: str, new: str, expected: list[tuple[str, str, str]]) -> None:
    """Each rule gives its own finding, at its own place, and no other."""
    assert _procuratorate(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('LX="被告人"', 'LX="证人"', ["CODE_NOT_IN_TABLE", "MISSING_FIELD", "FIELD_NOT_IN_KIND", "DANGLING_REFERENCE"]),
        ('<R ID="9001" ', "<R ", ["MISSING_FIELD", "DANGLING_REFERENCE"]),
        ("<ZX>", '<ZX><R DSRID="9001" XZ="拘役"/>', ["REPEATED_FIELD"]),
        (' SSJZ="2024-07-05"', ' XQQ="2024-07-05" XQZ="2024-07-04"', ["END_BEFORE_START"]),
        ('FJ="5000元"', 'FJ="5000"', ["AMOUNT_WITHOUT_UNIT"]),
        ('TSRQ="无"', 'TSRQ="盲、"', ["BAD_FORMAT"]),
        ('RZRF="1"', 'RZRF="6"', ["CODE_NOT_IN_TABLE"]),
        ('<R DSRID="9001" JD="1"', '<R JD="1"', ["MISSING_FIELD"]),
        ('DSRID="9001"/>\n    <R ID="4"', 'DSRID="9"/>\n    <R ID="4"', ["DANGLING_REFERENCE"]),
        ("<QZCS>", '<QKB><R DSRID="9001" RQ="/"/></QKB><QZCS>', ["FIELD_NOT_IN_KIND"]),
    ],
)
def test_judgment_with_one_change_has_its_findings(old: str, new: str, expected: list[str]) -> None:
    """Rows, joins and parties give their own findings and no other."""
    assert {code for code, _, _ in _court(old, new)} == set(expected)


def test_join_ids_are_dropped_even_where_the_rest_is_withheld() -> None:
    """The structure of the court's file is no data that anybody could be denied."""
    text = _change(_EXECUTION, "<QZCS>", '<QKB><R DSRID="9001" RQ="2018" JG="x" CF="y"/></QKB><QZCS>')
    _, rendition = _ADAPTERS.map(text.encode(), sender="court", receiver="justice")
    actions = {line.source: line.action for line in rendition.report}
    assert actions["/CASE/QKB/R[1]/@DSRID"] == "dropped"
    assert actions["/CASE/QKB/R[1]/@JG"] == "withheld"


def test_reference_with_other_join_ids_is_normalised() -> None:
    """A join id that the court itself would not write does not survive; the key that it stands for does."""
    text = _JUDGMENT.replace('"9001"', '"A7"')
    _, rendition = _ADAPTERS.map(text.encode(), sender="court", receiver="procuratorate")
    actions = {line.source: line.action for line in rendition.report if line.target}
    assert actions["/CASE/WS/R[3]/@DSRID"] == "normalised"
    assert b"R1101080000002024060121" in (rendition.data or b"")


def test_file_with_byte_order_mark_keeps_it_among_its_findings() -> None:
    """A byte order mark is ignored and said, whatever else is wrong."""
    assert _found(b"\xef\xbb\xbf{}", "justice", "court") == [
        ("BOM_PRESENT", "w", ""),
        ("UNKNOWN_VERSION", "e", "/schemaVersion"),
    ]
    assert _found(b"\xef\xbb\xbf\x00", "justice", "court") == [
        ("BOM_PRESENT", "w", ""),
        ("CONTROL_CHARACTER", "e", ""),
    ]
