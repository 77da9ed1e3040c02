"""Agency interfaces, section 5: placeholders, codes, pairs and their companions, identity documents."""

from __future__ import annotations

import re

import pytest

from tests.adapters.rule import INDICTMENT, JUDGMENT, OPINION, TRANSFER, Change

_PERSON = "/YSQS/XYRLB/XYR[1]"
_FACTS = "受案登记表、鉴定意见、讯问笔录、视听资料"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (f"<ZYZJ>{_FACTS}", "<ZYZJ>- -", ["w PLACEHOLDER_VALUE /YSQS/AJXX/ZYZJ"]),
        (f"<ZYZJ>{_FACTS}", "<ZYZJ>－－", ["w PLACEHOLDER_VALUE /YSQS/AJXX/ZYZJ"]),
        (f"<ZYZJ>{_FACTS}", "<ZYZJ>———", []),
        (f"<ZYZJ>{_FACTS}", "<ZYZJ>详见卷宗", []),
        ("<XM>陈立安", "<XM>无", []),
        ("<CSYJ>1", "<CSYJ>无", [f"w PLACEHOLDER_VALUE {_PERSON}/CSYJ"]),
        ("<XB>1", "<XB>不 详", [f"w PLACEHOLDER_VALUE {_PERSON}/XB"]),
        ("<CSRQ>19900307", "<CSRQ>不 详", [f"w BIRTH_UNKNOWN {_PERSON}/CSRQ"]),
        ("<CSRQ>19900307", "<CSRQ>无", [f"w BIRTH_UNKNOWN {_PERSON}/CSRQ", f"w PLACEHOLDER_VALUE {_PERSON}/CSRQ"]),
        ("<SARQ>20240602", "<SARQ>不详", [f"{s} /YSQS/AJXX/SARQ" for s in ("e MISSING_FIELD", "w PLACEHOLDER_VALUE")]),
        ("<MZ>01", '<MZ YZ="/">01', []),
        ("<MZ>01", '<MZ YZ="/">77', [f"w CODE_UNKNOWN {_PERSON}/MZ"]),
        ("<MZ>01", '<MZ YZ="/">99', [f"w PLACEHOLDER_VALUE {_PERSON}/MZ/@YZ"]),
        ("<MZ>01", '<MZ YZ="/">', [f"w PLACEHOLDER_VALUE {_PERSON}/MZ/@YZ"]),
        (
            "<MJLB>",
            '<PJXX PJRQ="/" q="/"/><MJLB>',
            ["w FIELD_NOT_IN_KIND /YSQS/PJXX/@PJRQ", "w UNKNOWN_FIELD /YSQS/PJXX/@q"],
        ),
    ],
)
def test_placeholder_is_no_value_where_its_type_knows_it(old: str, new: str, expected: list[str]) -> None:
    """Section 5, placeholders: as it stands and after fold; not in leaves that are not read."""
    assert TRANSFER.map((old, new)).findings == expected


@pytest.mark.parametrize(
    ("new", "written", "actions", "findings"),
    [
        ('<MZ YZ="汉">01', "汉族", {"MZ": ["carried /XYR/0/MZ"], "MZ/@YZ": ["dropped"]}, []),
        ('<MZ YZ=" 汉">99', "未列|汉", {"MZ": ["unmapped"] * 2, "MZ/@YZ": ["unmapped"] * 2}, []),
        ("<MZ>99", "未列|未列", {"MZ": ["unmapped"] * 2}, []),
        ('<MZ YZ="汉">77', "未列|77", {"MZ": ["unmapped"] * 2, "MZ/@YZ": ["dropped"]}, ["CODE_UNKNOWN"]),
        ('<MZ YZ="汉">/', "未列|汉", {"MZ": ["dropped"], "MZ/@YZ": ["unmapped"] * 2}, ["PLACEHOLDER_VALUE"]),
        ('<MZ YZ="汉">', "未列|汉", {"MZ/@YZ": ["unmapped"] * 2}, []),
        ("<MZ>*", "未列|*", {"MZ": ["unmapped"] * 2}, ["CODE_UNKNOWN"]),
    ],
)
def test_companion_counts_beside_the_other_code_only(
    new: str, written: str, actions: dict[str, list[str]], findings: list[str]
) -> None:
    """Section 5, codes: beside any other code the companion is not read; with the other code, or alone, it counts."""
    found = TRANSFER.map(("<MZ>01", new))
    assert "|".join(re.findall(r'"MZ(?:_YZ)?": "(.*)"', found.text)) == written
    assert found.codes == findings
    for leaf, expected in actions.items():
        got = found.report[f"{_PERSON}/{leaf}"]
        assert [
            line if " " in wanted else line.split(" ")[0] for line, wanted in zip(got, expected, strict=True)
        ] == expected


_NATION = '"GJ_BM": "156",\n      "GJ_MC": "中国"'


@pytest.mark.parametrize(
    ("pair", "written", "findings"),
    [
        ('"GJ_MC": "中国"', 'GJ="中国"', []),
        ('"GJ_BM": "156"', 'GJ="中国"', []),
        ('"GJ_BM": "156", "GJ_MC": "美国"', 'GJ="中国"', ["w CODE_NAME_CONFLICT /XYR/0/GJ_MC"]),
        ('"GJ_BM": "/", "GJ_MC": "中国"', 'GJ="中国"', ["w PLACEHOLDER_VALUE /XYR/0/GJ_BM"]),
        ('"GJ_BM": "156", "GJ_MC": "/"', 'GJ="中国"', ["w PLACEHOLDER_VALUE /XYR/0/GJ_MC"]),
        ('"GJ_BM": "000", "GJ_MC": "中国"', 'GJ="其他国家" GJYZ="中国"', ["w CODE_UNKNOWN /XYR/0/GJ_BM"]),
        ('"GJ_BM": "000", "GJ_YZ": 5', 'GJ="其他国家" GJYZ="000"', ["w CODE_UNKNOWN /XYR/0/GJ_BM"]),
        ('"GJ_MC": "巴西", "GJ_YZ": "x"', 'GJ="其他国家" GJYZ="巴西"', ["w CODE_UNKNOWN /XYR/0/GJ_MC"]),
        ('"GJ_BM": "999", "GJ_MC": "巴西"', 'GJ="其他国家" GJYZ="其他"', ["w CODE_NAME_CONFLICT /XYR/0/GJ_MC"]),
        ('"GJ_BM": "999", "GJ_YZ": "a\\r\\nb"', 'GJ="其他国家" GJYZ="a&#10;b"', []),
        ('"GJ_MC": "其他", "GJ_YZ": "巴西"', 'GJ="其他国家" GJYZ="巴西"', []),
        ('"GJ_YZ": "巴西"', 'GJ="其他国家" GJYZ="巴西"', []),
        ('"GJ_BM": "566"', 'GJ="其他国家" GJYZ="尼日利亚"', []),
        ('"GJ_BM": "156", "GJ_YZ": 5', 'GJ="中国"', []),
    ],
)
def test_pair_is_read_by_its_code_and_else_by_its_name(pair: str, written: str, findings: list[str]) -> None:
    """Section 5, pair: the code counts; a finding about the value stands at the name only if the code is absent."""
    found = INDICTMENT.map((_NATION, pair))
    assert re.findall(" (GJ=.*?) MZ=", found.text) == [written]
    assert found.findings == findings


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("", ["e MISSING_FIELD /JZWS/0/WSLX_BM"]),
        ('"WSLX_MC": "/",', ["e MISSING_FIELD /JZWS/0/WSLX_BM", "w PLACEHOLDER_VALUE /JZWS/0/WSLX_MC"]),
        ('"WSLX_MC": "表",', ["e CODE_NOT_IN_TABLE /JZWS/0/WSLX_MC"]),
        ('"WSLX_BM": "D99", "WSLX_MC": "表",', ["e CODE_NOT_IN_TABLE /JZWS/0/WSLX_BM"]),
        ('"WSLX_BM": "Ｄ01",', ["e CODE_NOT_IN_TABLE /JZWS/0/WSLX_BM"]),
    ],
)
def test_pair_of_a_closed_table_must_be_in_it(pair: str, expected: list[str]) -> None:
    """Section 5, closed table; section 8: a missing pair is missing at its first leaf."""
    assert INDICTMENT.map(('"WSLX_BM": "D01",\n      "WSLX_MC": "受案登记表",', pair)).findings == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('HM="$$"', ["e MISSING_FIELD {}/@LX"]),
        ('LX="无"', ["e MISSING_FIELD {}/@LX", "w PLACEHOLDER_VALUE {}/@LX"]),
        ('LX="111" HM="无"', ["e MISSING_FIELD {}/@HM", "w PLACEHOLDER_VALUE {}/@HM"]),
        ('LX="111" HM="999001199003070115"', ["e BAD_CHECK_DIGIT {}/@HM"]),
        ('LX="111" HM="999001199002300114"', ["e BAD_FORMAT {}/@HM"]),
        ('LX="414" HM="A_1"', ["e BAD_FORMAT {}/@HM"]),
        ('LXYZ="军官证" HM="a（1）"', []),
        ('LX="555" HM="1"', ["w CODE_UNKNOWN {}/@LX"]),
    ],
)
def test_identity_document_needs_kind_and_number(document: str, expected: list[str]) -> None:
    """Section 5, identity document: the number is looked at only if there is a readable kind."""
    found = TRANSFER.map(('LX="111" HM="999001199003070114"', document)).findings
    assert found == [text.format(f"{_PERSON}/ZJLB/ZJ[1]") for text in expected]


_CARD = '<ZJ LX="111" HM="999001199003070114"/>'
_OTHER_CARD = '<ZJ LX="111" HM="99900119860105243x"/>'


@pytest.mark.parametrize(
    ("documents", "actions"),
    [
        (_CARD + _OTHER_CARD, ["carried /XYR/0/SFZH", "normalised /XYR/0/QTZJ/0/HM"]),
        ('<ZJ LX="414" HM="P1"/>' + _CARD, ["normalised /XYR/0/QTZJ/0/HM", "normalised /XYR/0/SFZH"]),
        (_CARD + '<ZJ LX="414" HM="P1"/>', ["carried /XYR/0/SFZH", "carried /XYR/0/QTZJ/0/HM"]),
        ('<ZJ LX="335" HM="A1"/>', ["carried /XYR/0/QTZJ/0/HM"]),
    ],
)
def test_card_goes_first_and_what_it_passes_is_moved(documents: str, actions: list[str]) -> None:
    """Procuratorate interface, section 4, citizen id; section 7: documents that are moved are normalised."""
    report = TRANSFER.map((_CARD, documents)).report
    got = [report[f"{_PERSON}/ZJLB/ZJ[{number}]/@HM"] for number in range(1, len(actions) + 1)]
    assert got == [[action] for action in actions]


@pytest.mark.parametrize(
    ("attributes", "code", "lines", "findings"),
    [
        ('LX="303"', "03", [], []),
        ('LX="303" ZDJS="1"', "04", ["carried", "carried"], []),
        ('LX="303" ZDJS="0"', "03", ["normalised", "normalised"], []),
        ('LX="304" ZDJS="1"', "02", ["normalised", "normalised"], []),
        ('LX="303" ZDJS="/"', "03", ["dropped"], ["PLACEHOLDER_VALUE"]),
        ('LX="303" ZDJS="01"', "", [], ["BAD_FORMAT"]),
        ('ZDJS="1"', "", [], ["MISSING_FIELD"]),
        ('LXYZ="新" ZDJS="1"', "99", ["unmapped"] * 3, []),
    ],
)
def test_measure_is_designated_by_a_second_leaf(
    attributes: str, code: str, lines: list[str], findings: list[str]
) -> None:
    """Police interface, section 4, measure."""
    found = TRANSFER.map(('LX="304"', attributes))
    assert re.findall(r'"CSLX_BM": "(.*)"', found.text) == ([code] if code else [])
    assert found.codes == findings
    got = found.report.get(f"{_PERSON}/QZCSLB/QZCS[1]/@ZDJS", [])
    assert [line.split(" ")[0] for line in got] == lines


@pytest.mark.parametrize(
    ("change", "written"),
    [
        (
            ("<AJLB>020790", "<AJLB>030200"),
            '"AJLB_BM": "9999",\n  "AJLB_MC": "其他",\n  "AJLB_YZ": "生产销售伪劣商品案"',
        ),
        (("<AJLB>020790", "<AJLB>020703"), '"AJLB_BM": "0207",\n  "AJLB_MC": "危害公共安全类",\n'),
        (("<WHCD>70", "<WHCD>40"), '"WHCD_BM": "99",\n      "WHCD_MC": "未列",\n      "WHCD_YZ": "中等职业教育"'),
        (('DM="040101"', 'DM="040302"'), '"AY_AYMC": "其他案由",\n          "AY_YZ": "非法经营案"'),
    ],
)
def test_value_that_the_receiver_lacks_goes_by_the_senders_name(change: Change, written: str) -> None:
    """Section 5, open table, value unknown to the writer: the name that the sender's table gives it."""
    assert written in TRANSFER.map(change).text


def test_procedure_of_the_court_is_read_into_the_wider_code_or_nowhere() -> None:
    """Section 5, also: a wider code lists narrower values; what a closed table lacks is not written."""
    summary = JUDGMENT.map(('SYCX="3"', 'SYCX="2"'))
    assert '"SFSC": "N"' in summary.text and summary.report["/CASE/AJ/@SYCX"] == ["normalised /SFSC"]
    undecided = JUDGMENT.map(('SYCX="3"', 'SYCX="9"'))
    assert '"SFSC"' not in undecided.text and undecided.report["/CASE/AJ/@SYCX"] == ["dropped"]
    proposed = INDICTMENT.map(('  "SFSC": "Y",\n', ""))
    assert 'SYCX="9"' in proposed.text and "defaulted /CASE/AJ/@SYCX" in proposed.report[""]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([('      "idNo": "999001199003070114",\n', "")], ["e MISSING_FIELD /subjects/0/idNo"]),
        ([('      "idType": "ID",\n', "")], ["e MISSING_FIELD /subjects/0/idType"]),
        ([('"idType": "ID"', '"idTypeRaw": "军官证"')], []),
        ([('      "idType": "ID",\n', ""), ('      "idNo": "999001199003070114",\n', "")], []),
    ],
)
def test_first_document_may_be_absent_but_not_half(changes: list[Change], expected: list[str]) -> None:
    """Justice interface, section 4, first document."""
    assert OPINION.map(*changes).findings == expected
