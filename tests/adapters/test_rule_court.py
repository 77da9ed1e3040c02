"""Court interface, section 4: party rows, join references, and the fields that the court spells in its own way."""

from __future__ import annotations

import re

import pytest

from tests.adapters.rule import EXECUTION, INDICTMENT, JUDGMENT, Base, Change

_ROW = re.findall(r'    <R ID="9001" LX="被告人".*?/>\n', JUDGMENT.text)[0]
_ORG = '    <R ID="9002" LX="被告单位" RYBH="D1" MC="甲公司"/>\n'
_VICTIM = '    <R ID="9003" LX="被害人" RYBH="V1" MC="王五"/>\n'
_PARTIES = (_ROW, _ROW + _ORG + _VICTIM)
_R1, _R2 = "/CASE/DSR/R[1]", "/CASE/DSR/R[2]"
_JOINS = [
    f"e DANGLING_REFERENCE {path}/@DSRID"
    for path in (
        *("/CASE/QZCS/R[1]", "/CASE/ZM/R[1]", "/CASE/ZM/R[2]", "/CASE/ZM/R[3]", "/CASE/PJ/R[1]", "/CASE/ZX/R[1]"),
        *(f"/CASE/WS/R[{number}]" for number in (3, 4, 5, 9, 10)),
    )
]
_REFERENCES = _JOINS[6:]


def _unused(path: str, row: str, *others: str) -> list[str]:
    return [f"w FIELD_NOT_IN_KIND {path}/@{name}" for name in re.findall(r"(\w+)=", row) if name not in others]


_REJECTED = [
    f"e MISSING_FIELD {_R1}",
    f"w FIELD_NOT_IN_KIND {_R1}/@ID",
    f"e CODE_NOT_IN_TABLE {_R1}/@LX",
    *_unused(_R1, _ROW, "ID", "LX"),
    *_JOINS,
]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([('LX="被告人"', 'LX="证人"')], _REJECTED),
        ([('LX="被告人"', 'LX="/"')], _REJECTED),
        ([('LX="被告人"', 'LX=" 被告人　"')], []),
        (
            [('LX="被告人" ', "")],
            [f"e MISSING_FIELD {_R1}", f"e MISSING_FIELD {_R1}/@LX", *_unused(_R1, _ROW, "LX"), *_JOINS],
        ),
        ([('ID="9001" LX', "LX")], [f"e MISSING_FIELD {_R1}/@ID", *_JOINS]),
        ([('ID="9001" LX', 'ID="/" LX')], _JOINS),
        ([('RYBH="R1101080000002024060121"', 'RYBH="r"')], [f"e BAD_FORMAT {_R1}/@RYBH", *_REFERENCES]),
        (
            [("<DSR>", '<DSR><R><q a="1"/></R>')],
            [f"e MISSING_FIELD {_R1}/@LX", f"w UNKNOWN_FIELD {_R1}/q/@a"],
        ),
        ([("<DSR>", "<DSR><R/><R LX=' '><q> </q></R>")], []),
        ([(_ROW, _ROW + _ORG.replace("9002", "9001"))], [f"e DUPLICATE_PERSON_KEY {_R2}/@ID"]),
        (
            [(_ROW, _ROW + _ORG.replace("9002", "9001").replace('"D1"', '"R1101080000002024060121"'))],
            [f"e DUPLICATE_PERSON_KEY {_R2}/@ID", f"e DUPLICATE_PERSON_KEY {_R2}/@RYBH"],
        ),
        (
            [(_ROW, _ROW + _VICTIM.replace("/>", ' HJ="x" XYDM="1" XBDM="2"/>'))],
            [f"w FIELD_NOT_IN_KIND {_R2}/@HJ", f"w FIELD_NOT_IN_KIND {_R2}/@XYDM"],
        ),
        (
            [(_ROW, _ROW + _ORG.replace("/>", ' XBDM="x" CSRQ="y" MF="z"/>'))],
            _unused(_R2, 'XBDM="x" CSRQ="y" MF="z"'),
        ),
        ([(_ROW, _VICTIM + _ORG + _ROW)], []),
    ],
)
def test_party_rows_that_are_none_take_no_part(changes: list[Change], expected: list[str]) -> None:
    """Section 4, DSR rows: a row without a party of the kind is no row for any other rule."""
    assert JUDGMENT.map(*changes).findings == expected


@pytest.mark.parametrize("row", [_ORG, _VICTIM])
def test_party_that_the_kind_does_not_have_is_not_in_the_table(row: str) -> None:
    """Section 4, party: a value that the record kind does not have is CODE_NOT_IN_TABLE."""
    assert EXECUTION.map((_ROW, _ROW + row)).findings == [
        f"w FIELD_NOT_IN_KIND {_R2}/@ID",
        f"e CODE_NOT_IN_TABLE {_R2}/@LX",
        *_unused(_R2, row, "ID", "LX"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<PJ>", '<PJ><R DSRID="9002" AY="盗窃" XZ="拘役"/>', ["e DANGLING_REFERENCE /CASE/PJ/R[1]/@DSRID"]),
        ("<ZM>", '<ZM><R DSRID="9002" JD="3" AY="盗窃"/>', []),
        ("<ZM>", '<ZM><R DSRID="9003" JD="3" AY="盗窃"/>', ["e DANGLING_REFERENCE /CASE/ZM/R[1]/@DSRID"]),
        ("<ZX>", '<ZX><R DSRID="9002" FJ="1元" XZ="x"/>', ["w FIELD_NOT_IN_KIND /CASE/ZX/R[1]/@XZ"]),
        (
            "<ZX>",
            '<ZX><R DSRID="9003" FJ="1元" XQQ="2024-01-02" XQZ="2024-01-01"/>',
            ["e DANGLING_REFERENCE /CASE/ZX/R[1]/@DSRID", "e END_BEFORE_START /CASE/ZX/R[1]/@XQZ"],
        ),
        (
            "<ZX>",
            '<ZX><R DSRID="7" FJ="1元"/><R DSRID=" 7" FJ="x" q="1"/>',
            ["e DANGLING_REFERENCE /CASE/ZX/R[1]/@DSRID", "e REPEATED_FIELD /CASE/ZX/R[2]/@DSRID"],
        ),
        (
            "<ZX>",
            '<ZX><R XZ="拘役"/><R FJ="2元"/>',
            ["e MISSING_FIELD /CASE/ZX/R[1]/@DSRID", "e MISSING_FIELD /CASE/ZX/R[2]/@DSRID"],
        ),
        (
            "<QZCS>",
            '<QZCS><R DSRID="7" LX="逮捕" KS="2024-06-05" JS="2024-06-04"/>',
            ["e DANGLING_REFERENCE /CASE/QZCS/R[1]/@DSRID", "e END_BEFORE_START /CASE/QZCS/R[1]/@JS"],
        ),
        (
            "<PJ>",
            '<LXJY><R DSRID="9" XZ="q"/><R DSRID="9"/></LXJY><PJ>',
            [
                "w FIELD_NOT_IN_KIND /CASE/LXJY/R[1]/@DSRID",
                "w FIELD_NOT_IN_KIND /CASE/LXJY/R[1]/@XZ",
                "w FIELD_NOT_IN_KIND /CASE/LXJY/R[2]/@DSRID",
            ],
        ),
        (
            "<WS>",
            '<CW><R MC="a" DSRID="9002"/><R MC="b" DSRID="9003"/><R MC="c" DSRID="8"/><R MC="d" DSRID="/"/></CW><WS>',
            [
                "e DANGLING_REFERENCE /CASE/CW/R[2]/@DSRID",
                "e DANGLING_REFERENCE /CASE/CW/R[3]/@DSRID",
                "w PLACEHOLDER_VALUE /CASE/CW/R[4]/@DSRID",
            ],
        ),
    ],
)
def test_joined_rows_need_a_party_of_their_own(old: str, new: str, expected: list[str]) -> None:
    """Section 4, join reference, one row per party, reference to person."""
    assert JUDGMENT.map(_PARTIES, (old, new)).findings == expected


def test_row_without_reference_is_read_as_that_of_a_person() -> None:
    """Section 4: a party row without id joins nothing, not even a row without reference."""
    found = JUDGMENT.map((_ROW, _ROW + _ORG.replace('ID="9002" ', "")), ("<ZX>", '<ZX><R XZ="拘役" FJ="1元"/>'))
    assert found.findings == [f"e MISSING_FIELD {_R2}/@ID", "e MISSING_FIELD /CASE/ZX/R[1]/@DSRID"]


def _without(base: Base, *tables: str) -> str:
    text = base.text
    for table in tables:
        text = re.sub(rf"  <{table}>.*?</{table}>\n", "", text, flags=re.DOTALL)
    return text


def test_sentences_are_mandatory_only_where_there_is_a_person() -> None:
    """Section 4: PJ is mandatory in a judgment only if there is a person."""
    no_sentence = Base(_without(JUDGMENT, "PJ"), "court", "procuratorate")
    assert no_sentence.map().findings == ["e MISSING_FIELD /CASE/PJ/R[1]"]
    text = _without(JUDGMENT, "QZCS", "ZM", "PJ", "ZX").replace(_ROW, _ORG.replace("9002", "9001"))
    assert Base(text, "court", "procuratorate").map().findings == []
    nobody = Base(text.replace("被告单位", "被害人"), "court", "procuratorate").map().findings
    assert nobody == [f"e MISSING_FIELD {_R1}", *_REFERENCES]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('MF="是" HM="甲" DH="/"', [f"w PLACEHOLDER_VALUE {_R2}/@DH"]),
        (
            'MF="是" MC="x" DH="1"',
            [
                f"e MISSING_FIELD {_R2}/@HM",
                f"e SEALED_IDENTITY_PRESENT {_R2}/@MC",
                f"e SEALED_IDENTITY_PRESENT {_R2}/@DH",
            ],
        ),
        ('MF="Y"', [f"e BAD_FORMAT {_R2}/@MF"]),
        ('MF="/"', [f"e MISSING_FIELD {_R2}/@MC", f"w PLACEHOLDER_VALUE {_R2}/@MF"]),
        ('HM="甲"', [f"e MISSING_FIELD {_R2}/@MC"]),
    ],
)
def test_sealed_victim_has_a_pseudonym_and_no_identity(attributes: str, expected: list[str]) -> None:
    """Section 4, sealed victim; common page, section 8: MISSING_FIELD, SEALED_IDENTITY_PRESENT."""
    assert JUDGMENT.map((_ROW, _ROW + _VICTIM.replace('MC="王五"', attributes))).findings == expected


_FLAGS = ("SFMR", "SFLR", "SFYR", "SFJSB")


@pytest.mark.parametrize(
    ("text", "flags", "action"),
    [
        ("无", "NNNN", "carried"),
        ("盲", "Y---", "carried"),
        ("盲、精神障碍", "Y--Y", "carried"),
        ("聋；盲", "YY--", "normalised"),
        ("盲、", None, "BAD_FORMAT"),
        ("无、盲", None, "BAD_FORMAT"),
        ("不详", None, "BAD_FORMAT"),
        ("—", "----", "PLACEHOLDER_VALUE"),
    ],
)
def test_health_text_sets_the_flags_that_it_names(text: str, flags: str | None, action: str) -> None:
    """Section 4, health text: 无 sets all four flags to false; otherwise what is not named stays absent."""
    found = JUDGMENT.map(('TSRQ="无"', f'TSRQ="{text}"'))
    if action in ("BAD_FORMAT", "PLACEHOLDER_VALUE"):
        assert found.codes == [action]
        return
    pairs = [(name, flag) for name, flag in zip(_FLAGS, flags or "", strict=True) if flag != "-"]
    assert re.findall(r'"(SF(?:MR|LR|YR|JSB))": "([YN])"', found.text) == pairs
    assert found.report[f"{_R1}/@TSRQ"] == [f"{action} /XYR/0/{name}" for name, _ in pairs]


@pytest.mark.parametrize(
    ("guilty", "accepts", "code"),
    [
        ("Y", "Y", "1"),
        ("Y", "N", "2"),
        ("N", "N", "3"),
        ("Y", "", "4"),
        ("N", "", "5"),
        ("N", "Y", "5"),
        ("", "Y", ""),
        ("", "", ""),
    ],
)
def test_plea_code_holds_two_flags(guilty: str, accepts: str, code: str) -> None:
    """Section 4, plea code: not admitting and accepting is written 5; an acceptance alone is not written."""
    found = INDICTMENT.map(('"SFRZ": "Y"', f'"SFRZ": "{guilty}"'), ('"SFRF": "Y"', f'"SFRF": "{accepts}"'))
    assert re.findall(r'RZRF="(\d)"', found.text) == ([code] if code else [])
    assert found.codes == (["PLEA_INCONSISTENT"] if (guilty, accepts) == ("N", "Y") else [])


@pytest.mark.parametrize(
    ("attributes", "text", "actions"),
    [
        ('XQ_N="1" XQ_Y="18"', "拘役一年十八个月", ["carried", "carried"]),
        ('XQ_N="0" XQ_Y="02"', "拘役二个月", ["normalised", "normalised"]),
        ('XQ_N="0" XQ_Y="00"', "拘役", ["dropped", "dropped"]),
        ('XQ_R="99" HX_Y="4"', "拘役九十九日，缓刑四个月", ["carried", "carried"]),
    ],
)
def test_term_parts_become_a_sentence_text(attributes: str, text: str, actions: list[str]) -> None:
    """Section 4, term parts: a zero part is normalised, a term of zero is no value."""
    found = JUDGMENT.map(('XQ_Y="2" HX_Y="4" FJ="5000元" SSJZ', f"{attributes} SSJZ"))
    assert f'"ZXXQ": "{text}"' in found.text
    names = re.findall(r"(\w+)=", attributes)
    assert [found.report[f"/CASE/ZX/R[1]/@{name}"][0].split(" ")[0] for name in names] == actions


@pytest.mark.parametrize(
    ("charge", "name", "findings"),
    [
        ('AY="危险驾驶罪"', "危险驾驶罪", []),
        ('AY="怪罪"', "其他案由|怪罪", ["CODE_UNKNOWN"]),
        ('AY="非法经营罪"', "其他案由|非法经营", []),
        ('AY="其他案由罪" AYYZ="x罪"', "其他案由|x罪", []),
        ('AYYZ="x罪"', "其他案由|x罪", []),
        ('AY="罪"', "其他案由|罪", ["CODE_UNKNOWN"]),
    ],
)
def test_charge_name_is_read_with_or_without_its_last_character(charge: str, name: str, findings: list[str]) -> None:
    """Section 4, charge: names of the table lose a final 罪, a raw text keeps its own."""
    found = JUDGMENT.map(('<PJ>\n    <R DSRID="9001" AY="危险驾驶"', f'<PJ>\n    <R DSRID="9001" {charge}'))
    row = found.text.split('"PJX": [')[1].split('"ZX"')[0]
    assert "|".join(re.findall(r'"AY_(?:AYMC|YZ)": "(.*)"', row)) == name
    assert found.codes == findings


@pytest.mark.parametrize(
    ("text", "aliases", "action"),
    [
        ("三哥、小三", ["三哥", "小三"], "carried"),
        ("三哥;小三；四,五，六/七", ["三哥", "小三", "四", "五", "六", "七"], "normalised"),
        (" 三哥 、　—、", ["三哥"], "normalised"),
        ("无", ["无"], "carried"),
        ("不详", ["不详"], "carried"),
        ("三 哥", ["三 哥"], "carried"),
        ("/", [], "PLACEHOLDER_VALUE"),
        ("- -、／", [], "PLACEHOLDER_VALUE"),
        ("、;", [], "dropped"),
    ],
)
def test_alias_text_is_split_and_its_marks_are_none(text: str, aliases: list[str], action: str) -> None:
    """Common page, section 5, alias texts: items that are no names are ignored, a text of separators is nothing."""
    found = JUDGMENT.map(('BMCH="三哥"', f'BMCH="{text}"'))
    assert re.findall(r'          "MC": "(.*)"', found.text.partition('"GJ_BM"')[0]) == aliases
    assert found.codes == (["PLACEHOLDER_VALUE"] if action == "PLACEHOLDER_VALUE" else [])
    expected = [f"{action} /XYR/0/BMCH/{index}/MC" for index in range(len(aliases))]
    assert found.report[f"{_R1}/@BMCH"] == (expected or ["dropped"])


@pytest.mark.parametrize(
    ("aliases", "written", "actions"),
    [
        (["三/哥", "小三"], "三/哥、小三", ["normalised", "carried"]),
        (["三哥", ";"], "三哥、;", ["carried", "dropped"]),
        ([";", ","], "", ["dropped", "dropped"]),
    ],
)
def test_alias_with_a_separator_reads_back_as_another(aliases: list[str], written: str, actions: list[str]) -> None:
    """Common page, sections 5 and 7: an alias text of which reading gives no item is not written."""
    items = ", ".join(f'{{"MC": "{alias}"}}' for alias in aliases)
    found = INDICTMENT.map(('"BMCH": [\n        {\n          "MC": "三哥"\n        }\n      ]', f'"BMCH": [{items}]'))
    assert re.findall('BMCH="(.*?)"', found.text) == ([written] if written else [])
    got = [found.report[f"/XYR/0/BMCH/{index}/MC"][0].split(" ")[0] for index in range(len(aliases))]
    assert got == actions
