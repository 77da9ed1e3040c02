"""Section 3 of each interface and section 5 of the common page: what a spelling becomes in the receiver's file."""

from __future__ import annotations

import pytest

from tests.adapters.rule import EXECUTION, INDICTMENT, JUDGMENT, OPINION, REQUEST, TRANSFER, Base

_BAD = "BAD_FORMAT"
Spelling = tuple[str, str, str]


def _check(base: Base, old: str, new: str, path: str, target: str, spelling: Spelling) -> None:
    text, written, action = spelling
    found = base.map((old, new.format(text)))
    if action.isupper():
        assert found.findings == [f"e {action} {path}"]
        return
    assert target.format(written) in found.text
    assert {line.split(" ")[0] for line in found.report[path]} == {action}


@pytest.mark.parametrize(
    "spelling",
    [
        ("20240229", "2024-02-29", "carried"),
        ("00010101", "0001-01-01", "carried"),
        (" 20240602　", "2024-06-02", "normalised"),
        ("20230229", "", _BAD),
        ("00000101", "", _BAD),
        ("20240600", "", _BAD),
        ("２０２４0602", "", _BAD),
    ],
)
def test_police_date(spelling: Spelling) -> None:
    """Police interface, section 3, date."""
    _check(TRANSFER, "<SARQ>20240602", "<SARQ>{}", "/YSQS/AJXX/SARQ", '"GASARQ": "{}"', spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        ("20240602", "2024-06-02", "carried"),
        ("19701231", "1970-12-31", "carried"),
        ("19701231240000", "1971-01-01 00:00:00", "normalised"),
        ("20991231235959", "2099-12-31 23:59:59", "carried"),
        ("20240228240000", "2024-02-29 00:00:00", "normalised"),
        ("19701231235959", "", _BAD),
        ("20991231240000", "", _BAD),
        ("20240602240001", "", _BAD),
        ("20240602235960", "", _BAD),
    ],
)
def test_police_instant_or_date(spelling: Spelling) -> None:
    """Police interface, section 3, dt and dtd; an instant with time lies in 1971 to 2099."""
    path = "/YSQS/XYRLB/XYR[1]/QZCSLB/QZCS[1]/@KSSJ"
    _check(TRANSFER, 'KSSJ="20240602101500"', 'KSSJ="{}"', path, '"KSSJ": "{}"', spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        ("5000.00", "500000", "carried"),
        ("5,000.5", "500050", "normalised"),
        ("0.00001万元", "10", "normalised"),
        ("90071992547409.91", "9007199254740991", "carried"),
        ("9007199254.740991万元", "9007199254740991", "normalised"),
        ("人民币5元整", "500", "normalised"),
        ("拾万拾元", "10001000", "normalised"),
        ("壹仟零壹拾元", "101000", "normalised"),
        ("零贰拾零壹元零伍分", "2105", "normalised"),
        ("壹圆伍角捌分正", "158", "normalised"),
        ("90071992547409.92", "", _BAD),
        ("9007199254.740992万元", "", _BAD),
        ("0.0000001万元", "", _BAD),
        ("5000.005", "", _BAD),
        ("5000,000", "", _BAD),
        ("人民币5", "", _BAD),
        ("5 元", "", _BAD),
        ("壹佰拾元", "", _BAD),
        ("零拾元", "", _BAD),
        ("零万元", "", _BAD),
        ("壹佰元零", "", _BAD),
        ("伍角元", "", _BAD),
    ],
)
def test_police_amount(spelling: Spelling) -> None:
    """Police interface, section 3, money and financial capitals."""
    path = "/YSQS/XYRLB/XYR[1]/QZCSLB/QZCS[1]/@BZJ"
    _check(TRANSFER, 'BZJ="5000.00"', 'BZJ="{}"', path, '"BZJE": {}', spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        ("a【2024］1号之二", "a〔2024〕1号之二", "normalised"),
        ("a〔2024〕[12345]1号", "a〔2024〕[12345]1号", "carried"),
        ("a 〔 2024 〕1 号", "a〔2024〕1号", "normalised"),
        ("a〔2024〕〔2023〕1号", "", _BAD),
        ("a〔２０２４〕1号", "", _BAD),
        ("a〔2024〕1号之2", "", _BAD),
        ("a(2024)1号", "", _BAD),
    ],
)
def test_document_number(spelling: Spelling) -> None:
    """Common page, section 5, docno: brackets of the year change, nothing else."""
    _check(TRANSFER, "<YSWH>一公(刑)诉字〔2024〕1012号", "<YSWH>{}", "/YSQS/AJXX/YSWH", '"YSWSWH": "{}"', spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        ("（２０２４） 京０１０８刑初１２３号", "(2024)京0108刑初123号", "normalised"),
        ("(2024)京01刑再1号", "(2024)京01刑再1号", "carried"),
        ("(2024)京0108刑初01号", "", _BAD),
        ("(2024)㐀0108刑初1号", "", _BAD),
        ("(2024)京01080刑初1号", "", _BAD),
    ],
)
def test_court_number(spelling: Spelling) -> None:
    """Common page, section 5, courtno."""
    path = "/YSQS/AJXX/FYAH"
    _check(TRANSFER, "<ZDYX>0</ZDYX>", "<ZDYX>0</ZDYX><FYAH>{}</FYAH>", path, '"FYAH": "{}"', spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        ("2024年1月5日", "2024-01-05", "normalised"),
        ("二零二四年十二月二十一日", "2024-12-21", "normalised"),
        ("二〇二四年1月五日", "2024-01-05", "normalised"),
        ("二〇二四年十月三一日", "", _BAD),
        ("二〇二四年〇一月五日", "", _BAD),
        ("2〇24年五月五日", "", _BAD),
        ("2024-6-19", "", _BAD),
        ("2024年0月5日", "", _BAD),
        ("约2024-06-19", "", _BAD),
    ],
)
def test_court_date(spelling: Spelling) -> None:
    """Court interface, section 3, date."""
    _check(JUDGMENT, 'LARQ="2024-06-19"', 'LARQ="{}"', "/CASE/AJ/@LARQ", '"LAZRQ": "{}"', spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        ("约1990年3月7日", "约1990年3月7日", "carried"),
        ("约1990-03-07", "约1990年3月7日", "normalised"),
        ("1990年03月7日", "1990-03-07", "normalised"),
        ("一九九〇年三月七日", "1990-03-07", "normalised"),
        ("一九九〇年三月〇日", "", _BAD),
        ("约一九九〇年三月七日", "", _BAD),
        ("约 1990年", "", _BAD),
        ("约0000", "", _BAD),
        ("0000-03", "", _BAD),
        ("1990年0月7日", "", _BAD),
        ("1990-02-30", "", _BAD),
    ],
)
def test_court_partial_date(spelling: Spelling) -> None:
    """Court interface, section 3, pdate: a form with Chinese numerals has no unknown part and no mark."""
    _check(JUDGMENT, 'CSRQ="1990-03-07"', 'CSRQ="{}"', "/CASE/DSR/R[1]/@CSRQ", '"CSRQ": "{}"', spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        ("5000.50元", "500050", "carried"),
        ("5000.00元", "500000", "normalised"),
        ("0.5万元正", "500000", "normalised"),
        ("伍仟元整", "500000", "normalised"),
        ("5,000", "", "AMOUNT_WITHOUT_UNIT"),
        ("5000.555", "", "AMOUNT_WITHOUT_UNIT"),
        ("50,00", "", _BAD),
        ("人民币5000", "", _BAD),
        ("５０００元", "", _BAD),
    ],
)
def test_court_amount(spelling: Spelling) -> None:
    """Court interface, section 3, money: digits alone lack their unit."""
    path = "/CASE/ZX/R[1]/@FJ"
    _check(JUDGMENT, 'FJ="5000元" SSJZ', 'FJ="{}" SSJZ', path, '"FJXJE": {},\n        "SSJZRQ"', spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        ("2024-06-01 24:00:00", "2024-06-02 00:00:00", "normalised"),
        ("二〇二四年六月一日", "2024-06-01", "normalised"),
        ("2024-06-01&#9;23:30:00", "", _BAD),
        ("2024年6月1日T23:30:00", "", _BAD),
        ("2024-06-01T23:30:00Z", "", _BAD),
    ],
)
def test_court_instant_or_date(spelling: Spelling) -> None:
    """Court interface, section 3, dt and dtd."""
    path = "/CASE/AJ/@FASJ"
    _check(JUDGMENT, 'FASJ="2024-06-01T23:30:00"', 'FASJ="{}"', path, '"FASJ": "{}"', spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        ("500005", "5000.05元", "carried"),
        ("0", "0元", "carried"),
        ("9007199254740991", "90071992547409.91元", "carried"),
        ("9007199254740992", "", _BAD),
        ("5e5", "", _BAD),
        ("-0", "", _BAD),
        ('"500000"', "", _BAD),
    ],
)
def test_procuratorate_amount(spelling: Spelling) -> None:
    """Procuratorate interface, section 3, money: a JSON integer of fen."""
    _check(INDICTMENT, '"BZJE": 500000', '"BZJE": {}', "/XYR/0/QZCS/0/BZJE", 'BZJ="{}"', spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        ("有期徒刑十五日，缓刑二年", 'XZ="有期徒刑" XQ_R="15" HX_N="2"', "carried"),
        ("拘役九十九年二十个月", 'XZ="拘役" XQ_N="99" XQ_Y="20"', "carried"),
        ("拘役两月宣告缓刑考验期04个月", 'XZ="拘役" XQ_Y="2" HX_Y="4"', "normalised"),
        ("拘役零年0个月", 'XZ="拘役"', "normalised"),
        ("拘役三十天；缓刑零年四月", 'XZ="拘役" XQ_R="30" HX_Y="4"', "normalised"),
        ("拘役缓刑零年", "", _BAD),
        ("拘役，二个月", "", _BAD),
        ("拘役十两月", "", _BAD),
        ("拘役一十个月", "", _BAD),
        ("拘役002个月", "", _BAD),
        ("拘役２个月", "", _BAD),
        ("拘役二个月， 缓刑四个月", "", _BAD),
        ("缓刑四个月", "", _BAD),
    ],
)
def test_procuratorate_sentence_text(spelling: Spelling) -> None:
    """Procuratorate interface, section 4, sentence text."""
    _check(INDICTMENT, "拘役二个月，缓刑四个月", "{}", "/XYR/0/LXJY/ZX", '<R DSRID="9001" {} FJ=', spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        ("1718526600999", "2024-06-16 16:30:00", "normalised"),
        ("31507200000", "1971-01-01 00:00:00", "carried"),
        ("4102415999999", "2099-12-31 23:59:59", "normalised"),
        ("31507199999", "", _BAD),
        ("4102416000000", "", _BAD),
        ("1718526600000.0", "", _BAD),
    ],
)
def test_justice_instant(spelling: Spelling) -> None:
    """Justice interface, section 3, dt: milliseconds, parts of a second are cut off."""
    _check(OPINION, "1718526600000", "{}", "/sentAt", '"FSSJ": "{}"', spelling)


@pytest.mark.parametrize(
    ("text", "written", "action"),
    [
        ("1990/03", "1990-03", "carried"),
        ("1990/03/00", "1990-03", "normalised"),
        ("unknown", "不详", "carried"),
        ("不详", "不详", "normalised"),
        ("0000/00", "不详", "normalised"),
    ],
)
def test_justice_partial_date(text: str, written: str, action: str) -> None:
    """Justice interface, section 3, pdate; BIRTH_UNKNOWN is the only finding."""
    found = OPINION.map(("1990/03/07", text))
    assert found.findings == ["w BIRTH_UNKNOWN /subjects/0/birthDate"]
    assert f'"CSRQ": "{written}"' in found.text
    assert found.report["/subjects/0/birthDate"] == [f"{action} /XYR/0/CSRQ"]


@pytest.mark.parametrize("text", ["Unknown", "1990-03-07", "0000/03", "1990/00/07", "约1990"])
def test_justice_partial_date_of_another_form_is_refused(text: str) -> None:
    """Justice interface, section 3, pdate."""
    assert OPINION.map(("1990/03/07", text)).findings == ["e BAD_FORMAT /subjects/0/birthDate"]


@pytest.mark.parametrize(
    ("base", "old", "new", "path", "target"),
    [
        (EXECUTION, 'CSRQ="1990-03-07"', 'CSRQ="约1990年3月"', "/CASE/DSR/R[1]/@CSRQ", '"birthDate": "1990/03"'),
        (EXECUTION, 'XBDM="1"', 'XBDM="9"', "/CASE/DSR/R[1]/@XBDM", '"gender": "U"'),
        (EXECUTION, "2024-07-08T16:30:00", "2024-07-08 24:00:00", "/CASE/MSG/@SJ", '"sentAt": 1720454400000'),
        (REQUEST, "拘役二个月，", "拘役2个月;", "/XYR/0/LXJY/ZX", '"term": "P2M"'),
        (TRANSFER, "<CSRQ>19900307", "<CSRQ>不详", "/YSQS/XYRLB/XYR[1]/CSRQ", '"CSRQ": "不详"'),
    ],
)
def test_value_that_does_not_come_back_is_normalised(base: Base, old: str, new: str, path: str, target: str) -> None:
    """Common page, section 7: carried only if the spelling and the value both survive."""
    found = base.map((old, new))
    assert target in found.text
    assert {line.split(" ")[0] for line in found.report[path]} == {"normalised"}


@pytest.mark.parametrize(
    ("text", "written", "action"),
    [
        ("a&#13;&#10;b", "a\\nb", "normalised"),
        ("a&#10;b", "a\\nb", "carried"),
        ("a\r\nb", "a b", "carried"),
        ("&#x2028;&quot;\\/", '\u2028\\"\\\\/', "carried"),
        ("\u00a0a", "\u00a0a", "carried"),
        ("　a ", "a", "normalised"),
    ],
)
def test_text_changes_nothing_but_line_ends_and_blanks(text: str, written: str, action: str) -> None:
    """Common page, section 5, names and texts; section 6, escapes of JSON."""
    found = JUDGMENT.map(('CYM="陈安"', f'CYM="{text}"'))
    assert f'"CYM": "{written}",' in found.text
    assert found.report["/CASE/DSR/R[1]/@CYM"] == [f"{action} /XYR/0/CYM"]


def test_xml_is_escaped_where_it_must_be_and_nowhere_else() -> None:
    """Common page, section 6: escapes of text and of attributes differ."""
    found = INDICTMENT.map(
        ('"AJMC": "陈立安危险驾驶案"', '"AJMC": "a\\"&<>\'\\t\\nb"'), ('"ZYZJ": "受案', '"ZYZJ": "a\\"&<>\\t\\n受案')
    )
    assert 'MC="a&quot;&amp;&lt;&gt;\'&#9;&#10;b"' in found.text
    assert '<ZJ>a"&amp;&lt;&gt;\t\n受案' in found.text
