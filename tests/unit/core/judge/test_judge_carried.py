"""Unchanged documents that the record does not name: found in earlier records, and judged like its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from gateway.core.dossier import Carried, Dossier, Point
from gateway.core.judge.carried import CarriedSearch
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.rule_set import load_rule_set
from tests.support.dossier import make_case, make_document, make_dossier

RULES = load_rule_set()
OLD, NEW, OTHER = "a" * 64, "b" * 64, "c" * 64


def _found(dossier: Dossier) -> set[tuple[str, str]]:
    return {(one.rule, one.field) for one in judge_dossier(RULES, dossier).documents}


def test_search_takes_the_newest_record_that_names_a_digest_and_leaves_what_none_names() -> None:
    """One file may be two documents; what the record itself names is not looked for."""
    case = make_case()
    own = case.documents[0].sha256
    search = CarriedSearch([own, OLD, OTHER, NEW], case)
    assert not search.is_done
    twice = tuple(replace(make_document(1, code), sha256=NEW) for code in ("D04", "D20"))
    search.look(replace(case, documents=twice))
    recording = replace(case.recordings[0], sha256=OLD)
    stale = replace(make_document(2, "D01"), sha256=NEW)
    search.look(replace(case, documents=(stale,), recordings=(recording,)))
    assert search.carried == (
        Carried(path="/unchanged/1", recording=recording),
        Carried(path="/unchanged/3", document=twice[0]),
        Carried(path="/unchanged/3", document=twice[1]),
    )
    assert not search.is_done, "nobody names the third"


def test_carried_document_counts_in_the_matrix_like_one_of_the_record() -> None:
    """Without it the matrix misses it, with it nothing is missing, and the digest of the inputs says which it was."""
    whole = make_dossier(Point.INDICTMENT)
    (filing,) = (item for item in whole.case.documents if item.code == "D04")
    rest = replace(whole.case, documents=tuple(item for item in whole.case.documents if item != filing))
    without = replace(whole, case=rest)
    carried = replace(without, carried=(Carried(path="/unchanged/0", document=filing),))
    assert _found(without) - _found(whole) == {("D04", "document")}
    assert _found(carried) == _found(whole)
    assert len({judge_dossier(RULES, one).inputs_sha256 for one in (whole, without, carried)}) == 3


def test_carried_document_that_is_wrong_is_told_with_its_place_in_the_manifest() -> None:
    """The record has no path for it, so the sender finds it among the unchanged digests it signed."""
    dossier = make_dossier(Point.INDICTMENT)
    late = replace(make_document(1, "D41", "R1"), on=date(2026, 6, 18))
    found = _found(replace(dossier, carried=(Carried(path="/unchanged/5", document=late),)))
    assert found - _found(dossier) == {("D41.2", "/unchanged/5#/on")}


def test_carried_recording_is_a_list_of_recordings() -> None:
    """D22 is there when an earlier bundle brought the recording."""
    dossier = make_dossier(Point.TRANSFER)
    (recording,) = dossier.case.recordings
    documents = tuple(item for item in dossier.case.documents if item.code != "D22")
    bare = replace(dossier, case=replace(dossier.case, documents=documents, recordings=()))
    assert ("D22", "document") in _found(bare)
    assert _found(replace(bare, carried=(Carried(path="/unchanged/0", recording=recording),))) == _found(dossier)
