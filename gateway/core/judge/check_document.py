"""What is looked at in the documents of a file: presence, numbers, order of dates, recognizance.

Source: domain model, section 2.4 (check of a document).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Final

from gateway.core.annex import Annex
from gateway.core.judge.row import Check, Hit, JudgeRule
from gateway.core.judge.view import Subject, View, to_china_day, to_day


def _document(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    """Some papers travel as data: an annex about the person, of the right kind, is as good as the document."""
    if view.documents(rule.id, subject):
        return
    kinds = rule.parameters.get("kinds", ())
    annexes = (item for item in view.annexes(*rule.parameters.get("annexes", ())) if _is_of(item, kinds))
    if not any(_is_about(annex, subject.key) for annex in annexes):
        yield Hit(subject.path or "document")


def _is_of(annex: Annex, kinds: Collection[str]) -> bool:
    """A notice of a changed term is no custody transfer, though both have one form."""
    return not kinds or annex.data.get("kind") in kinds


def _is_about(annex: Annex, key: str) -> bool:
    listed = [item for value in annex.data.values() if isinstance(value, list | tuple) for item in value]
    owners = [annex.data, *(item for item in listed if isinstance(item, Mapping))]
    return any(owner.get("person") == key for owner in owners)


def _recorded(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    names = rule.parameters["annexes"]
    if not (view.documents(rule.id) or view.has_recordings or any(view.annexes(*names))):
        yield Hit("document")


def _numbered(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    for code in rule.parameters["codes"]:
        for head, document in view.documents(code):
            if document.no is None:
                yield Hit(f"{head}no")


def _timed(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    if subject.person is None:
        return
    for at, measure in enumerate(subject.person.measures, 1):
        if measure.kind in rule.parameters["kinds"] and not isinstance(measure.start, datetime):
            yield Hit(f"{subject.path}.measure[{at}].start")


def _filed_first(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    """The day of the decision counts before the day that the record says."""
    decisions = [document.on for _, document in view.documents("D04") if document.on is not None]
    filed = min(decisions, default=view.case.filed_on)
    acts = list(_dated_acts(view, rule))
    if filed is None:
        if acts:
            yield Hit("case.filed_on", is_missing=True)
        return
    for path, on in acts:
        if on < filed:
            yield Hit(path)


def _dated_acts(view: View, rule: JudgeRule) -> Iterator[tuple[str, date]]:
    for subject in view.persons:
        for at, measure in enumerate(subject.person.measures if subject.person else (), 1):
            if measure.kind in rule.parameters["kinds"]:
                yield f"{subject.path}.measure[{at}].start", to_day(measure.start)
    for at, freeze in enumerate(view.case.freezes, 1):
        yield f"freeze[{at}].from", freeze.from_
    for code in rule.parameters["documents"]:
        for head, document in view.documents(code):
            if document.on is not None:
                yield f"{head}on", document.on


def _noticed_first(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    notices, sessions = view.documents("D12", subject), view.documents("D13", subject)
    if not notices or not sessions:
        return
    undated = [head for head, document in (*notices, *sessions) if document.on is None]
    if undated:
        yield Hit(f"{undated[0]}on", is_missing=True)
        return
    head, notice = min(notices, key=lambda entry: entry[1].on or date.max)
    first = min(document.on for _, document in sessions if document.on is not None)
    if notice.on is not None and notice.on > first:
        yield Hit(f"{head}on")


def _key_evidence(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    for path, charge in view.charges_of(subject):
        known = view.rule_of(charge) or view.charges.any_wording(charge.law)
        for evidence in known.evidence if known is not None else ():
            has_recording = evidence.code == "D22" and view.has_recordings
            if not view.documents(evidence.code) and not has_recording:
                yield Hit(path, part=evidence.code if evidence.code in rule.parts else "")
                break


def _counsel(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    """The lawyer stands in the record, or the annex of the lawyers says who was there while it was signed."""
    if subject.person is None or subject.person.recognizance_lawyer is not None:
        return
    if not any(view.annex_items("duty-lawyer", "presences", subject.key)):
        yield Hit(f"{subject.path}.recognizance.lawyer")


def _recognized_first(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    if subject.person is None:
        return
    indicted = view.case.indicted_on
    if indicted is None:
        yield Hit("case.indicted_on", is_missing=True)
        return
    signed = subject.person.recognizance_on
    papers = view.documents("D41", subject)
    if signed is None and not any(document.on for _, document in papers):
        yield Hit(f"{subject.path}.recognizance.on", is_missing=True)
    if signed is not None and signed > indicted:
        yield Hit(f"{subject.path}.recognizance.on")
    for head, document in papers:
        if document.on is not None and document.on > indicted:
            yield Hit(f"{head}on")
    for path, presence in view.annex_items("duty-lawyer", "presences", subject.key):
        until = presence.get("signing_to")
        if until is not None and to_china_day(until) > indicted:
            yield Hit(f"{path}/signing_to")


def _recognized_proposal(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    if subject.person is None:
        return
    signed, proposed = subject.person.recognizance_on, subject.person.proposal_on
    if signed is None or proposed is None:
        missing = "recognizance.on" if signed is None else "proposal.on"
        yield Hit(f"{subject.path}.{missing}", is_missing=True)
    elif proposed > signed:
        yield Hit(f"{subject.path}.proposal.on")


CHECKS: Final[Mapping[str, Check]] = {
    "document": _document,
    "recorded": _recorded,
    "numbered": _numbered,
    "timed": _timed,
    "filed_first": _filed_first,
    "noticed_first": _noticed_first,
    "key_evidence": _key_evidence,
    "counsel": _counsel,
    "recognized_first": _recognized_first,
    "recognized_proposal": _recognized_proposal,
}
"""Checks of documents that a row of ``documents.yaml`` may name."""
