"""The documents of a case, as the matrix of domain model 2.4 wants them: a file that is complete unless told otherwise.

What is in a document follows from what the record says of it, so the same document has the same digest in every handoff
of a case, and one that was corrected has another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from gateway.core.case.case import Case, Document, Person, Recording
from gateway.core.digest import sha256_hex

TITLES: Final = {
    "D01": "受案登记表", "D02": "受案回执", "D04": "立案决定书", "D10": "强制措施文书", "D11": "传唤证",
    "D12": "权利义务告知书", "D13": "讯问笔录", "D14": "询问笔录", "D15": "鉴定意见", "D16": "身份与前科材料",
    "D17": "查封扣押冻结文书", "D18": "随案移送清单", "D19": "谅解书", "D20": "起诉意见书", "D22": "同步录音录像清单",
    "D23": "辩护意见", "D30": "换押证", "D31": "补充侦查提纲", "D32": "补充侦查报告书", "D33": "不起诉决定书",
    "D40": "认罪认罚告知书", "D41": "认罪认罚具结书", "D42": "听取意见录像清单", "D43": "量刑建议书", "D44": "起诉书",
    "D45": "适用速裁程序建议书", "D46": "调查评估意见书", "D50": "刑事判决书", "D51": "生效证明", "D52": "执行通知书",
}  # fmt: skip
_NUMBERED: Final = {"D01": "受字", "D04": "(刑)立字", "D20": "(刑)诉字"}
_OF_PERSON: Final = frozenset({"D10", "D11", "D12", "D13", "D16", "D30", "D33", "D40", "D41", "D42", "D43", "D52"})
_CUSTODY: Final = frozenset({"DETAIN", "ARREST"})
_PRETRIAL: Final = frozenset(
    {"TRANSFER", "RETRANSFER", "RETURN", "ASSESSMENT_REQUEST", "NON_PROSECUTION", "INDICTMENT"}
)


def content_of(police_no: str, document: Document) -> bytes:
    """Bytes of a document."""
    words = (police_no, document.key, document.code, document.title, document.no, document.on, document.person)
    return f"%PDF-1.4\n% {' '.join(map(str, words))}\n".encode()


def content_of_recording(police_no: str, recording: Recording) -> bytes:
    """Bytes that stand for the media of a recording."""
    return f"RIFF {police_no} {recording.device} {recording.start.isoformat()}\n".encode()


def bound(case: Case) -> Case:
    """The case with the digest of every document and recording, and their number."""
    documents = tuple(
        document if document.sha256 else replace(document, sha256=sha256_hex(content_of(case.police_no, document)))
        for document in case.documents
    )
    recordings = tuple(
        item if item.sha256 else replace(item, sha256=sha256_hex(content_of_recording(case.police_no, item)))
        for item in case.recordings
    )
    return replace(case, documents=documents, recordings=recordings, document_count=len(documents) or None)


def contents(case: Case) -> Iterator[tuple[Document | Recording, bytes]]:
    """Every document and recording with its bytes; one whose digest was written by hand has none."""
    for document in case.documents:
        if not document.sha256:
            yield document, content_of(case.police_no, document)
    for recording in case.recordings:
        if not recording.sha256:
            yield recording, content_of_recording(case.police_no, recording)


def papers(case: Case, *, without: Iterable[str] = (), more: Iterable[str] = ()) -> Case:
    """The case with the complete list of documents of its kind.

    Args:
        case: a case without documents, or with some that are to stay.
        without: codes that are to be missing.
        more: codes that are added beside what the matrix asks for.

    Returns:
        the case.
    """
    left_out = set(without)
    listed = [*case.documents]
    known = {(document.code, document.person) for document in listed}
    for code, person, on in (*_wanted(case), *((code, None, case.sent_at.date()) for code in more)):
        key = person.key if person is not None else None
        if code not in left_out and (code, key) not in known:
            known.add((code, key))
            listed.append(_document(case, len(listed) + 1, code, person, on))
    return replace(case, documents=tuple(item for item in listed if item.code not in left_out))


def _document(case: Case, number: int, code: str, person: Person | None, on: date) -> Document:
    word = _NUMBERED.get(code)
    return Document(
        key=str(number),
        code=code,
        title=TITLES[code],
        no=f"一公{word}〔2026〕{int(case.police_no[-4:])}号" if word else None,
        on=on,
        pages=2,
        sha256="",
        person=person.key if person is not None else None,
    )


def _wanted(case: Case) -> Iterator[tuple[str, Person | None, date]]:
    filed = case.filed_on or case.sent_at.date()
    closed = _day(case.transferred_at or case.sent_at)
    yield "D01", None, filed
    yield "D02", None, filed
    yield "D04", None, filed
    for person in case.persons:
        yield from _of_suspect(case, person, filed)
    yield (
        "D14" if any(charge.law == "266" for person in case.persons for charge in person.charges) else "D15",
        None,
        (filed + timedelta(days=1)),
    )
    yield "D22", None, filed
    if case.properties or case.freezes:
        yield "D17", None, filed
    if any(item.disposal == "TRANSFER" for item in case.properties):
        yield "D18", None, closed
    if any(victim.settled for victim in case.victims):
        yield "D19", None, closed
    yield "D20", None, closed
    yield from _of_procuratorate(case)
    yield from _of_court(case)


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _of_suspect(case: Case, person: Person, filed: date) -> Iterator[tuple[str, Person | None, date]]:
    if any(measure.kind != "SUMMON" for measure in person.measures):
        yield "D10", person, filed
    if any(measure.kind == "SUMMON" for measure in person.measures):
        yield "D11", person, filed
    yield "D12", person, filed
    yield "D13", person, filed
    yield "D16", person, filed + timedelta(days=1)
    if person.measures and person.measures[-1].kind in _CUSTODY and person.measures[-1].end is None:
        yield "D30", person, _day(case.transferred_at or case.sent_at)


def _of_procuratorate(case: Case) -> Iterator[tuple[str, Person | None, date]]:
    if case.return_no is not None and case.return_on is not None:
        yield "D31", None, case.return_on
        if case.kind != "RETURN":
            yield "D32", None, case.sent_at.date()
    for person in case.persons:
        if person.nonpros_on is not None:
            yield "D33", person, person.nonpros_on
        if person.recognizance_on is not None and person.proposal_on is not None:
            yield "D40", person, person.recognizance_on
            yield "D41", person, person.recognizance_on
            yield "D42", person, person.recognizance_on
            yield "D43", person, person.proposal_on
    if case.indicted_on is not None:
        yield "D44", None, case.indicted_on
        if case.procedure == "FAST":
            yield "D45", None, case.indicted_on


def _of_court(case: Case) -> Iterator[tuple[str, Person | None, date]]:
    if case.judgment_on is not None:
        yield "D50", None, case.judgment_on
    if case.assessment_on is not None:
        yield "D46", None, case.assessment_on
    if case.execution_issued_on is not None and case.execution_effective_on is not None:
        yield "D51", None, case.execution_effective_on
        for person in case.persons:
            yield "D52", person, case.execution_issued_on
