"""The value types: what each spelling means, and the one spelling that is written."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.engine import value_amount, value_date, value_identity, value_term, value_text
from adapters.engine.codec import BAD_CHECK, BAD_FORMAT, NO_UNIT, Codec
from adapters.engine.fold import Placeholder, fold, is_placeholder
from adapters.engine.han import HAN_OF_NUMBER, parse_capitals
from adapters.engine.source_bytes import decode_gb18030, encode_gb18030
from gateway.core.case.value import CHINA_TIME, PartialDate, Term

_DIGITS = "零壹贰叁肆伍陆柒捌玖"


def _spell(number: int) -> str:
    """A whole number below ten thousand in financial capitals, written independently of the reader."""
    text, is_gap = "", False
    for unit, name in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
        digit = number // unit % 10
        if digit:
            text += ("零" if is_gap and text else "") + _DIGITS[digit] + name
            is_gap = False
        else:
            is_gap = True
    return text


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("人民币壹拾贰万叁仟零伍拾元伍角整", 12_305_050),
        ("壹佰元零角零分", 10_000),
        ("伍角", 50),
        ("拾万元", 10_000_000),
        ("拾元", 1000),
        ("零元", 0),
        ("伍分正", 5),
        ("玖仟玖佰玖拾玖万玖仟玖佰玖拾玖圆玖角玖分", 9_999_999_999),
    ],
)
def test_capitals_in_each_form_give_their_amount(text: str, fen: int) -> None:
    """Financial capitals are read by the grammar of the interfaces."""
    assert parse_capitals(text) == fen


@pytest.mark.parametrize(
    "text", ["", "元", "人民币", "壹", "壹万", "壹佰贰仟元", "壹元整整", "一百元", "壹元伍分伍角", "万元"]
)
def test_capitals_outside_the_grammar_are_refused(text: str) -> None:
    """A text that only looks like an amount is none."""
    assert parse_capitals(text) is None


@given(st.integers(0, 9999), st.integers(0, 9999), st.integers(0, 9), st.integers(0, 9))
def test_capitals_of_any_amount_are_read_back(wan: int, yuan: int, jiao: int, fen: int) -> None:
    """Every amount below one hundred million yuan has a spelling that gives it back."""
    head = (_spell(wan) + "万" if wan else "") + ("零" if wan and 0 < yuan < 1000 else "") + _spell(yuan)
    text = (head or "零") + "元" + (_DIGITS[jiao] + "角" if jiao else "") + (_DIGITS[fen] + "分" if fen else "")
    assert parse_capitals(text) == (wan * 10_000 + yuan) * 100 + jiao * 10 + fen


@pytest.mark.parametrize(
    ("codec", "text", "value", "written"),
    [
        (value_amount.YUAN, "3000.00", 300_000, "3000.00"),
        (value_amount.YUAN, "1,234,567.5", 123_456_750, "1234567.50"),
        (value_amount.YUAN, "0.0001万元", 100, "1.00"),
        (value_amount.YUAN, "人民币3000元整", 300_000, "3000.00"),
        (value_amount.COURT_YUAN, "0.5万元正", 500_000, "5000元"),
        (value_amount.COURT_YUAN, "5000.50元", 500_050, "5000.50元"),
        (value_amount.TWO_DECIMALS, "5000.00", 500_000, "5000.00"),
        (value_amount.QUANTITY, "007.50", "7.5", "7.5"),
        (value_amount.QUANTITY, "0.0", "0", "0"),
        (value_amount.COUNT, "0007", 7, "7"),
        (value_date.POLICE_DATE, "20240229", date(2024, 2, 29), "20240229"),
        (value_date.COURT_DATE, "二〇二四年一月五日", date(2024, 1, 5), "2024-01-05"),
        (value_date.COURT_DATE, "二○二四年十二月二十一日", date(2024, 12, 21), "2024-12-21"),
        (value_date.COURT_DATE, "2024年1月5日", date(2024, 1, 5), "2024-01-05"),
        (value_date.POLICE_PARTIAL, "19770700", PartialDate(1977, 7), "19770700"),
        (value_date.POLICE_PARTIAL, "不详", PartialDate(), "00000000"),
        (value_date.PARTIAL, "约1998年7月", PartialDate(1998, 7, None, approximate=True), "约1998年7月"),
        (value_date.PARTIAL, "1977-00", PartialDate(1977), "1977"),
        (value_date.PARTIAL, "1977年7月0日", PartialDate(1977, 7), "1977-07"),
        (value_date.PARTIAL, "0000", PartialDate(), "不详"),
        (value_date.SLASH_PARTIAL, "1971/00", PartialDate(1971), "1971"),
        (value_date.SLASH_PARTIAL, "unknown", PartialDate(), "unknown"),
        (value_date.POLICE_EITHER, "20240601", date(2024, 6, 1), "20240601"),
        (value_term.SIX_DIGITS, "010600", Term(1, 6, 0), "010600"),
        (value_term.PERIOD, "P01Y6M", Term(1, 6, 0), "P1Y6M"),
        (
            value_text.DOCNO,
            "一公(刑) 诉字【2024］1234号之二",
            "一公(刑)诉字〔2024〕1234号之二",
            "一公(刑)诉字〔2024〕1234号之二",
        ),
        (
            value_text.BMSAH,
            "一检起诉受〔2024〕11010800123号",
            "一检起诉受[2024]11010800123号",
            "一检起诉受[2024]11010800123号",
        ),
        (value_text.FULL_WIDTH_COURTNO, "(2024）京0108刑初123号", "(2024)京0108刑初123号", "（2024）京0108刑初123号"),
        (value_text.POLICENO, "ａ1101080000002024060012", "A1101080000002024060012", "A1101080000002024060012"),
        (value_text.TEXT, "一\r\n二\r三", "一\n二\n三", "一\n二\n三"),
        (value_identity.DIVISION, "９９９ ００１", "999001", "999001"),
    ],
)
def test_spelling_gives_value_and_written_form(codec: Codec, text: str, value: Any, written: str) -> None:
    """A spelling that is accepted gives its value, which has one written form."""
    assert codec.read(text) == value
    assert codec.write(value) == written


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        (value_amount.YUAN, "三千"),
        (value_amount.YUAN, "12,34"),
        (value_amount.YUAN, "1.005"),
        (value_amount.YUAN, "90071992547409.92"),
        (value_amount.YUAN, "٣٠٠"),
        (value_amount.TWO_DECIMALS, "5000"),
        (value_amount.COUNT, "1234567890"),
        (value_amount.QUANTITY, "1."),
        (value_date.POLICE_DATE, "20240230"),
        (value_date.POLICE_PARTIAL, "19770031"),
        (value_date.POLICE_PARTIAL, "00000307"),
        (value_date.PARTIAL, "约0000"),
        (value_date.PARTIAL, "约不详"),
        (value_date.PARTIAL, "1977-13"),
        (value_date.PARTIAL, "二〇二四年五月一日"),
        (value_date.COURT_PARTIAL, "约二〇二四年"),
        (value_date.COURT_PARTIAL, "二〇二四年00月"),
        (value_date.COURT_DATE, "约2024-01-05"),
        (value_date.COURT_DATE, "2024-01"),
        (value_term.SIX_DIGITS, "0106"),
        (value_term.PERIOD, "P"),
        (value_term.PERIOD, "P100D"),
        (value_text.DOCNO, "一公〔2024〕〔2023〕1号"),
        (value_text.DOCNO, "一公〔2024〕1"),
        (value_text.COURTNO, "(2024)京0108刑初0123号"),
        (value_text.POLICENO, "A1101080000002024130012"),
        (value_identity.KEY, "a1"),
        (value_identity.SHA256, "0" * 63),
    ],
)
def test_spelling_outside_the_type_is_bad_format(codec: Codec, text: str) -> None:
    """A text that has none of the accepted forms is refused, not guessed."""
    assert codec.read(text) is BAD_FORMAT


def test_court_amount_without_unit_is_told_apart() -> None:
    """Digits alone do not say whether they are yuan or ten thousand yuan."""
    assert value_amount.COURT_YUAN.read("3000") is NO_UNIT
    assert value_amount.COURT_YUAN.read("3,000.50") is NO_UNIT


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        (value_date.POLICE_INSTANT, "20240601240000"),
        (value_date.SPACED_INSTANT, "2024-06-01 24:00:00"),
        (value_date.COURT_INSTANT, "2024-06-01T24:00:00"),
    ],
)
def test_midnight_as_24_is_the_next_day(codec: Codec, text: str) -> None:
    """24:00:00 is 00:00:00 of the next day; 24:00:01 is nothing."""
    assert codec.read(text) == datetime(2024, 6, 2, tzinfo=CHINA_TIME)
    assert codec.read(text[:-1] + "1") is BAD_FORMAT


def test_instants_outside_the_years_are_refused() -> None:
    """Instants lie in 1971 to 2099, also as milliseconds."""
    assert value_date.POLICE_INSTANT.read("19701231235959") is BAD_FORMAT
    assert value_date.POLICE_INSTANT.read("20991231240000") is BAD_FORMAT
    first = datetime(1971, 1, 1, tzinfo=CHINA_TIME)
    assert value_date.MILLISECONDS.read(value_date.FIRST_MILLISECOND) == first
    assert value_date.MILLISECONDS.read(value_date.FIRST_MILLISECOND - 1) is BAD_FORMAT
    assert value_date.MILLISECONDS.read(value_date.LAST_MILLISECOND + 1) is BAD_FORMAT
    assert value_date.MILLISECONDS.write(first + timedelta(seconds=1)) == value_date.FIRST_MILLISECOND + 1000


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("999001199003070114", "999001199003070114"),
        ("９９９００１ １９９００３０７０１１４", "999001199003070114"),
        ("99900119860105243x", "99900119860105243X"),
        ("999001900307011", "999001199003070114"),
    ],
)
def test_citizen_id_in_any_width_is_18_characters(text: str, number: str) -> None:
    """Full-width, spaced, lower-case and 15-digit ids are one number."""
    assert value_identity.read_citizen(text) == number
    assert fold(value_identity.FULL_WIDTH_CITIZEN.write(number)) == number


def test_check_characters_that_are_wrong_are_told_apart() -> None:
    """A wrong check character is not a wrong form."""
    assert value_identity.read_citizen("999001199003070115") is BAD_CHECK
    assert value_identity.read_citizen("999001199002300114") is BAD_FORMAT
    assert value_identity.USCC.read("91999001A0012345X2") == "91999001A0012345X2"
    assert value_identity.USCC.read("91999001A0012345X3") is BAD_CHECK
    assert value_identity.USCC.read("91999001I0012345X2") is BAD_FORMAT


@pytest.mark.parametrize(
    ("text", "term", "probation"),
    [
        ("有期徒刑一年六个月，缓刑二年", Term(1, 6, 0), Term(2, 0, 0)),
        ("拘役两月，宣告缓刑4个月", Term(0, 2, 0), Term(0, 4, 0)),
        ("拘役5月缓刑考验期十月", Term(0, 5, 0), Term(0, 10, 0)),
        ("管制零年六个月零日", Term(0, 6, 0), None),
        ("有期徒刑二十四天；缓刑一年", Term(0, 0, 24), Term(1, 0, 0)),
        ("单处罚金", None, None),
    ],
)
def test_sentence_text_in_each_spelling_is_read(text: str, term: Term | None, probation: Term | None) -> None:
    """Arabic digits, 两, 月, 天, 宣告, 缓刑考验期 and every separator are read; the written form reads back."""
    sentence = value_term.parse_sentence(text)
    assert sentence is not None and (sentence.term, sentence.probation) == (term, probation)
    assert value_term.parse_sentence(value_term.to_sentence(sentence)) == sentence


@pytest.mark.parametrize(
    "text",
    [
        "",
        "死刑",
        "拘役二个月，",
        "拘役二个月缓刑",
        "拘役，缓刑零年",
        "拘役六个月一年",
        "拘役二十两月",
        "拘役二个月 ，缓刑一年",
    ],
)
def test_sentence_text_that_is_none_is_refused(text: str) -> None:
    """Probation needs a period, parts have an order, and nothing may follow."""
    assert value_term.parse_sentence(text) is None


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_sentence_text_of_any_term_reads_back(years: int, months: int, days: int) -> None:
    """Every term of two digits a part has a written form in Chinese numerals."""
    sentence = value_term.SentenceText("拘役", value_term.term_of(years, months, days), None)
    assert value_term.parse_sentence(value_term.to_sentence(sentence)) == sentence


def test_chinese_numerals_are_written_as_people_do() -> None:
    """Ten is 十, twenty-four is 二十四."""
    assert [HAN_OF_NUMBER[number] for number in (2, 10, 15, 20, 24, 99)] == [
        "二",
        "十",
        "十五",
        "二十",
        "二十四",
        "九十九",
    ]


@pytest.mark.parametrize(
    ("encoded", "character"),
    [
        ("A8BC", 0x1E3F),
        ("8135F437", 0xE7C7),
        ("A6D9", 0xFE10),
        ("84318236", 0xE78D),
        ("FE59", 0x9FB4),
        ("82359037", 0xE81E),
        ("FEA0", 0x9FBB),
        ("82359134", 0xE864),
        ("D5C5", ord("张")),
    ],
)
def test_gb18030_follows_the_edition_of_2022(encoded: str, character: int) -> None:
    """The positions that changed since 2000 are read and written by the new edition."""
    assert decode_gb18030(bytes.fromhex(encoded)) == chr(character)
    assert encode_gb18030(chr(character)) == bytes.fromhex(encoded)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_gb18030_of_any_text_reads_back(text: str) -> None:
    """Every character has a place in GB18030."""
    assert decode_gb18030(encode_gb18030(text)) == text


@pytest.mark.parametrize("text", ["/", "／", "-", "－", "— ", "－ －", "--", "——"])
def test_marks_are_placeholders_everywhere(text: str) -> None:
    """A mark is no value in any field, folded or not."""
    assert is_placeholder(text, Placeholder.MARKS) and is_placeholder(text, Placeholder.ALL)
    assert not is_placeholder(text, Placeholder.NEVER)


@pytest.mark.parametrize("text", ["无", "不详", "详见卷宗", "详见 案卷", "⽆"])
def test_words_are_placeholders_outside_texts(text: str) -> None:
    """In a text, a word that says "none" is a statement."""
    assert is_placeholder(text, Placeholder.ALL)
    assert not is_placeholder(text, Placeholder.MARKS)


def test_unknown_is_a_value_of_a_partial_date() -> None:
    """ "不详" says that the date is unknown, which is more than nothing."""
    assert not is_placeholder("不详", Placeholder.DATE)
    assert is_placeholder("无", Placeholder.DATE)
    assert not is_placeholder("无业", Placeholder.ALL)


@given(st.text(max_size=12))
def test_codecs_never_raise_on_any_text(text: str) -> None:
    """Whatever stands in a leaf, a codec answers with a value or the finding."""
    for module in (value_amount, value_date, value_identity, value_term, value_text):
        for codec in vars(module).values():
            if isinstance(codec, Codec) and not codec.is_integer:
                codec.read(text)
