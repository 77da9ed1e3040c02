"""``fasttrack rules``: records judged on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.core.form.book import load_form_book
from gateway.core.form.catalog import load_example
from gateway.core.form.definition import FormKind
from gateway.core.judge.listing import to_markdown
from gateway.core.judge.rule_set import load_rule_set
from tests.adapters.cases import SAMPLES
from tests.support.command import Finished, fasttrack_here

TRANSFER = SAMPLES / "01-dui-chain/1-transfer/from-police.transfer.xml"
INDICTMENT = SAMPLES / "01-dui-chain/4-indictment/from-procuratorate.indictment.json"


def _rules(*arguments: object, code: int = 0) -> Finished:
    done = fasttrack_here("rules", *arguments)
    assert done.code == code, done.errors or done.output
    return done


def _indictment(folder: Path, **changes: Any) -> Path:
    record = json.loads(INDICTMENT.read_bytes())
    record["XYR"][0].update(changes)
    file = folder / "indictment.json"
    file.write_text(json.dumps(record, ensure_ascii=False), "utf-8")
    return file


def test_check_prints_exactly_result_persons_documents_and_rule_set() -> None:
    """A program reads four members, and each finding with its article, cure and path in the sender's own file."""
    told = _rules("check", TRANSFER, "--from", "police", "--json").object
    assert list(told) == ["result", "persons", "documents", "rule_set"]
    assert (told["result"], told["rule_set"]) == ("UNKNOWN", "eligibility/2026.1")
    [person] = told["persons"]
    assert (list(person), person["result"]) == (["key", "result", "findings"], "UNKNOWN")
    [finding] = person["findings"]
    assert (finding["rule"], finding["path"]) == ("E02", "/YSQS/XYRLB/XYR[1]")
    assert (finding["field"], finding["basis"]) == ("person[1].proposal.penalty", "CPL 222")
    assert finding["cure"] and finding["is_missing"]
    assert {one["name"] for one in told["documents"]} == {
        "DOCUMENT_MISSING", "DOCUMENT_WITHOUT_NUMBER", "LEGAL_REVIEW_MISSING",
    }  # fmt: skip


def test_check_of_a_record_that_would_be_refused_has_status_one(tmp_path: Path) -> None:
    """An indictment on the fast track of somebody who denies is refused, and so is this command's answer."""
    told = _rules("check", _indictment(tmp_path, SFRZ="N"), "--from", "procuratorate", "--json", code=1).object
    assert told["result"] == "INELIGIBLE"
    assert [(one["name"], one["severity"]) for one in told["persons"][0]["findings"]] == [("PLEA_NOT_GUILTY", "error")]


def test_check_of_a_record_that_cannot_be_read_tells_what_is_wrong_with_it(tmp_path: Path) -> None:
    """Nothing is judged that was not understood."""
    told = _rules("check", _indictment(tmp_path, XB="甲"), "--from", "procuratorate", "--json", code=1).object
    assert (told["result"], told["persons"]) == ("NOT_EVALUATED", [])
    assert [one["name"] for one in told["documents"]] == ["CODE_NOT_IN_TABLE"]


def test_check_on_another_day_judges_by_that_day(tmp_path: Path) -> None:
    """A day of the gateway before the record's own is the latest that counts: then he was a minor."""
    file = _indictment(tmp_path, CSRQ="2006-06-15", SFZH="999001200606150119")
    record = json.loads(file.read_bytes())
    del record["XYR"][0]["SFZH"]
    file.write_text(json.dumps(record, ensure_ascii=False), "utf-8")
    results = [
        _rules("check", file, "--from", "procuratorate", "--day", day, "--json", code=code).object["persons"][0]
        for day, code in (("2024-06-15", 1), ("2024-06-16", 0))
    ]
    assert "DEFENDANT_IS_MINOR" in {one["name"] for one in results[0]["findings"]}
    assert "DEFENDANT_IS_MINOR" not in {one["name"] for one in results[1]["findings"]}


@pytest.mark.parametrize("file", [TRANSFER, INDICTMENT, SAMPLES / "01-dui-chain/5-judgment/from-court.judgment.xml"])
def test_file_tells_by_its_schema_who_wrote_it(file: Path) -> None:
    """Whoever has only the file needs not know the sender; what is in no schema is a usage error."""
    sender = file.name.removeprefix("from-").partition(".")[0]
    assert _rules("check", file, "--json").object == _rules("check", file, "--from", sender, "--json").object
    done = _rules("check", Path(__file__), code=2)
    assert "--from" in done.errors


def test_explain_tells_article_place_and_cure_of_every_finding() -> None:
    """A person reads what to do about it."""
    shown = _rules("explain", TRANSFER, "--from", "police").output
    for text in ("UNKNOWN at transfer on 2024-06-10", "E02 [not known]", "CPL 222", "cure", "/YSQS/WSLB/WS[8]"):
        assert text in shown
    told = _rules("explain", TRANSFER, "--from", "police", "--json").object
    assert (told["point"], told["on"]) == ("transfer", "2024-06-10")


def test_what_if_shows_results_and_findings_that_come_and_go() -> None:
    """Two setters at once: one takes the case out, the other would heal a paper."""
    setters = ("--set", "person[1].plea=withdrawn", "--set", "document.D40[1]=present")
    told = _rules("whatif", INDICTMENT, "--from", "procuratorate", *setters, "--json").object
    assert (told["before"]["result"], told["after"]["result"]) == ("ELIGIBLE", "INELIGIBLE")
    assert [one["path"] for one in told["appear"]] == ["/XYR/0/SFRZ", "/XYR/0/SFRF", "/XYR/0/SFTYSC"]
    assert [one["rule"] for one in told["disappear"]] == ["D40"]
    assert "ELIGIBLE -> INELIGIBLE" in _rules("whatif", INDICTMENT, "--from", "procuratorate", *setters).output


@pytest.mark.parametrize(
    ("setter", "words"),
    [
        ("person[1].plea.gulty=no", "person.plea.guilty"),
        ("person[9].plea.guilty=no", "there are 1 of person"),
        ("person[1].plea=perhaps", "withdrawn"),
        ("person[1].plea.guilty=perhaps", "yes or no"),
        ("person[1].proposal=long", "1Y6M"),
        ("case.police_no=none", "always has a value"),
        ("document.D41=lost", "missing or present"),
        ("on=tomorrow", "2026-11-24"),
        ("point=somewhere", "court_acceptance"),
        ("person=all", "emptied"),
        ("nothing", "FIELD=VALUE"),
    ],
)
def test_what_if_with_a_setter_that_means_nothing_says_what_is_near(setter: str, words: str) -> None:
    """A typing error is not a fact; the message names what there is."""
    done = _rules("whatif", INDICTMENT, "--from", "procuratorate", "--set", setter, code=2)
    assert words in " ".join(done.errors.replace("│", " ").split())


def test_list_prints_the_page_of_the_rules_and_the_data(tmp_path: Path) -> None:
    """The page is written by the command; other readings are another rule set."""
    assert _rules("list", "--markdown").output == to_markdown(load_rule_set())
    told = _rules("list", "--json").object
    assert (told["rule_set"], len(told["eligibility"])) == ("eligibility/2026.1", 12)
    settings = tmp_path / "settings.yaml"
    settings.write_text("most_expected_months: 24\n")
    other = _rules("list", "--json", "--settings", settings).object
    assert other["rule_set"].startswith("eligibility/2026.1+")
    assert other["definition_sha256"] != told["definition_sha256"]
    assert "E02" in _rules("list").output


def test_settings_that_there_are_not_are_named(tmp_path: Path) -> None:
    """A setting that is spelled wrong would silently be the default."""
    settings = tmp_path / "settings.yaml"
    settings.write_text("most_months: 24\nqualification: perhaps\n")
    done = _rules("check", TRANSFER, "--from", "police", "--settings", settings, code=2)
    text = " ".join(done.errors.replace("│", " ").split())
    assert "there is no setting most_months" in text and "warn or refuse" in text


def test_file_and_agency_that_there_are_not_are_usage_errors(tmp_path: Path) -> None:
    """Nothing is guessed."""
    _rules("check", tmp_path / "nothing", "--from", "police", code=2)
    _rules("check", TRANSFER, "--from", "customs", code=2)


def _beside(folder: Path, **officers: str) -> tuple[Path, Path]:
    """A legal review and the register of officers, as files."""
    review = json.loads(load_example(load_form_book().find(FormKind.ANNEX, "legal-review", 1)))
    times = {"submitted_at": "2024-06-03T09:00:00+08:00", "reviewed_at": "2024-06-03T10:00:00+08:00"}
    annex, register = folder / "legal-review.v1.json", folder / "officers.csv"
    annex.write_text(json.dumps({**review, **times, "object": "TRANSFER", "opinion": "AGREE"}))
    lines = [f"{number},BASIC,OFFICER,{status},2020-01-01,2030-01-01" for number, status in officers.items()]
    register.write_text("\n".join(["officer_no,level,post,status,obtained_on,valid_to", *lines]))
    return annex, register


def test_check_with_annex_and_register_says_what_the_gateway_would_say(tmp_path: Path) -> None:
    """The legal review of the bundle is seen, and its reviewer is judged by the register."""
    review = json.loads(load_example(load_form_book().find(FormKind.ANNEX, "legal-review", 1)))
    names = {str(number): "VALID" for number in (review["reviewer"], *review["handlers"])}
    annex, register = _beside(tmp_path, **names)
    bare = _rules("check", TRANSFER, "--from", "police", "--json").object
    told = _rules("check", TRANSFER, "--from", "police", "--annex", annex, "--register", register, "--json").object
    assert "LEGAL_REVIEW_MISSING" in {one["name"] for one in bare["documents"]}
    assert "LEGAL_REVIEW_MISSING" not in {one["name"] for one in told["documents"]}
    annex, register = _beside(tmp_path, **names | {review["reviewer"]: "SUSPENDED"})
    for command in ("check", "explain"):
        told = _rules(command, TRANSFER, "--annex", annex, "--register", register, "--json").object
        found = {(one["name"], one["path"]) for one in told["annexes"]}
        assert ("OFFICER_NOT_QUALIFIED", "legal-review.v1.json#/reviewer") in found


def test_annex_or_register_that_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    """A fault of an annex refuses as at the gateway; a register with a fault is no register at all."""
    annex, register = _beside(tmp_path, x1="VALID")
    annex.write_text("{}")
    told = _rules("check", TRANSFER, "--annex", annex, "--json", code=1).object
    assert {one["name"] for one in told["annexes"]} == {"FORM_FIELD_MISSING"}
    register.write_text("officer_no,level\n1,BASIC\n")
    done = fasttrack_here("rules", "check", TRANSFER, "--register", register)
    assert (done.code, "/1/post" in done.errors + done.output) == (1, True)


def test_finding_in_an_annex_has_the_path_of_the_annex(tmp_path: Path) -> None:
    """What an annex says wrong is not looked for in the record."""
    annex, _ = _beside(tmp_path)
    annex.write_text(annex.read_text().replace('"AGREE"', '"DISAGREE"'))
    told = _rules("check", TRANSFER, "--annex", annex, "--json").object
    paths = [one["path"] for person in told["persons"] for one in person["findings"] if one["rule"] == "E03"]
    assert paths == ["legal-review.v1.json#/opinion"]


def test_whatif_keeps_the_annexes_that_were_given(tmp_path: Path) -> None:
    """An opinion of before the review would not wait for it."""
    annex, _ = _beside(tmp_path)
    earlier = ("--set", "on=2024-06-02", "--set", "document.D20=missing")
    with_annex = _rules("whatif", TRANSFER, "--annex", annex, *earlier, "--json").object
    assert "LEGAL_REVIEW_MISSING" in {one["name"] for one in with_annex["appear"]}


def test_annex_that_the_sender_does_not_send_is_told_as_the_submit_tells_it(tmp_path: Path) -> None:
    """The police send no court session; the gateway would refuse the bundle, and so does the command."""
    session = tmp_path / "court-session.v1.json"
    session.write_bytes(load_example(load_form_book().find(FormKind.ANNEX, "court-session", 1)))
    told = _rules("check", TRANSFER, "--annex", session, "--json", code=1).object
    assert [(one["name"], one["path"]) for one in told["annexes"]] == [("FORM_ISSUER_WRONG", "court-session.v1.json")]


def _expired(folder: Path) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Options by which the first officer of the transfer has no valid level, and an override of that."""
    officers = _officers()
    register = folder / "officers.csv"
    statuses = dict.fromkeys(officers, "VALID") | {officers[0]: "SUSPENDED"}
    rows = [f"{number},BASIC,OFFICER,{status},2022-01-01,2026-12-31" for number, status in statuses.items()]
    rows.append("990001,MEDIUM,UNIT_HEAD,VALID,2022-01-01,2026-12-31")
    register.write_text("\n".join(["officer_no,level,post,status,obtained_on,valid_to", *rows]))
    settings = folder / "settings.yaml"
    settings.write_text("qualification: refuse\n")
    override = json.loads(load_example(load_form_book().find(FormKind.STATEMENT, "finding-override", 1)))
    return ("--register", register, "--settings", settings), {**override, "officer": officers[0], "approver": "990001"}


def _officers() -> list[str]:
    from adapters.registry import Adapters

    case = Adapters().read(TRANSFER.read_bytes(), sender="police", receiver="procuratorate").case
    assert case is not None
    return [officer.no for officer in case.officers]


def test_override_beside_the_record_is_explained_and_an_unapproved_one_is_told(tmp_path: Path) -> None:
    """Before it is stated the sender sees what an override would do, and what it lacks."""
    options, override = _expired(tmp_path)
    file = tmp_path / "finding-override.v1.json"
    bare = _rules("explain", TRANSFER, *options, code=1).output
    assert "or    a finding-override with reason and approver" in bare
    file.write_text(json.dumps(override))
    shown = _rules("explain", TRANSFER, *options, "--annex", file).output
    assert "overridden  RENEWAL_PENDING" in shown
    told = _rules("check", TRANSFER, *options, "--annex", file, "--json").object
    (finding,) = (one for one in told["documents"] if one["rule"] == "D13.2")
    assert (finding["severity"], finding["override"], finding["is_overridable"]) == ("warning", "RENEWAL_PENDING", True)
    file.write_text(json.dumps({**override, "approver": override["officer"]}))
    told = _rules("check", TRANSFER, *options, "--annex", file, "--json", code=1).object
    assert [(one["name"], one["path"]) for one in told["annexes"]] == [
        ("OVERRIDE_NOT_APPROVED", "finding-override.v1.json#/approver")
    ]


@pytest.mark.parametrize(("table", "words"), [
    (b"\xef\xbb\xbfofficer_no,level,post,status\n1,AUXILIARY,AUXILIARY,VALID\n", ""),
    (b"\xef\xbb\xbf\xef\xbb\xbfofficer_no,level,post,status\n1,AUXILIARY,AUXILIARY,VALID\n", "byte order mark"),
    ("officer_no,level,post,status\n1,AUXILIARY,AUXILIARY,有效\n".encode("gb18030"), "--encoding gb18030"),
    ("officer_no,level,post,status\n1,AUXILIARY,AUXILIARY,VALID\n".encode("utf-16"), "values in utf-8"),
    (b"officer_no,level,post,status\n1,AUXILIARY,AUXILIARY,VALID\n1,AUXILIARY,AUXILIARY,VALID\n", "/3/officer_no"),
    (b"officer_no,level,post,status\n" + b"1,AUXILIARY,AUXILIARY,VALID\n" * 80_000, "at most 2097152 bytes"),
], ids=["one mark", "two marks", "gb18030", "utf-16", "officer twice", "too large"])  # fmt: skip
def test_table_of_officers_is_judged_as_the_statement_of_it_would_be(tmp_path: Path, table: bytes, words: str) -> None:
    """What cannot be stated is no register here either; a table is never read in part, nor in a guessed encoding."""
    register = tmp_path / "officers.csv"
    register.write_bytes(table)
    for command in (("rules", "check", TRANSFER), ("annex", "check", _beside(tmp_path)[0])):
        if words:
            register.write_bytes(table)
            done = fasttrack_here(*command, "--register", register)
            assert (done.code, words in done.errors + done.output) == (1, True)
        else:
            register.write_bytes(table)
            assert fasttrack_here(*command, "--register", register, "--json").object
