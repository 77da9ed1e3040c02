"""Scenarios of who may see what: recordings, protected identities, and what justice gets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from gateway.core.access.visibility import SEALED_MEDIA_TYPE
from gateway.core.case.case import Case, Gap, Recording, Victim
from gateway.core.digest import sha256_hex
from gateway.core.entry import EntryKind
from gateway.core.form.book import load_form_book
from gateway.core.form.catalog import load_example
from gateway.core.form.definition import FormKind
from tests.scenario.case_file import (
    JUSTICE,
    assessment_request,
    at,
    execution,
    indictment,
    judgment,
    suspect,
    transfer,
)
from tests.scenario.paper import bound, papers
from tests.scenario.world import Annex, Cast, codes_of, refused

SEALED: Final = Annex(SEALED_MEDIA_TYPE, b"sealed: the true name of the victim", "D44", "密封卷")


async def test_scenario_27_protected_identity_is_denied_to_defence_and_correction(cast: Cast) -> None:
    """A sealed volume reaches procuratorate and court, never defence or correction agency; each try is an entry."""
    victim = Victim(key="V1101080000002026010001", sealed=True, pseudonym="小兰", volume="密1", settled=True)
    case = papers(transfer(suspect(law="234(1)"), victims=(victim,)))
    sealed = sha256_hex(SEALED.data)
    sent = await cast.police.submit(case, annexes=[SEALED])
    fetched = await cast.pr.accept(sent)
    assert not fetched.withheld
    assert await cast.pr.download(sealed) == SEALED.data

    # Justice becomes a party by a commission; that carries neither the volume nor the file.
    request = papers(assessment_request(case))
    asked = await cast.pr.submit(request, annexes=[SEALED])
    fetched = await cast.justice.accept(asked)
    assert sealed in fetched.withheld
    seen = {document.code for document in bound(request).documents if document.sha256 not in fetched.withheld}
    assert seen == {"D16", "D20"}, "identity and charge, nothing else of the file"
    assert fetched.is_original_withheld
    assert fetched.record == b""
    assert "小兰" not in fetched.rendition.data.decode()
    for sha256 in (sealed, *(item.sha256 for item in bound(request).documents if item.code == "D13")):
        assert await refused(cast.justice.download(sha256)) == {"MATERIAL_WITHHELD": "sha256"}

    # The defence may read the file from the review on, and the correction agency its page; neither ever the volume.
    transcript = next(item.sha256 for item in bound(case).documents if item.code == "D13")
    await cast.justice.ask_for(sent, transcript, "DEFENCE", "SPP 269")
    assert (await cast.justice.download(transcript)).startswith(b"%PDF")
    for purpose, ground in (("DEFENCE", "SPP 269"), ("CORRECTION", "CCL 20")):
        denied = await refused(cast.justice.ask_for(sent, sealed, purpose, ground))
        assert denied == {"MATERIAL_WITHHELD": "/body/sha256"}
    assert await refused(cast.justice.download(sealed)) == {"MATERIAL_WITHHELD": "sha256"}

    # To a court it goes with the indictment; to who executes it never does.
    indicted = papers(indictment(case, on="2026-02-11"))
    fetched = await cast.court.accept(await cast.pr.submit(indicted, annexes=[SEALED]))
    assert sealed not in fetched.withheld
    assert await cast.court.download(sealed) == SEALED.data
    sentenced = papers(judgment(indicted, on="2026-02-14"))
    await cast.pr.accept(await cast.court.submit(sentenced))
    executed = papers(execution(sentenced, receiver=JUSTICE))
    fetched = await cast.justice.accept(await cast.court.submit(executed, annexes=[SEALED]))
    assert sealed in fetched.withheld

    # Every denial is on the record of the case, by code; oversight sees that, and none of the content.
    denials = await cast.oversight.entries(case, EntryKind.CALL_REFUSED)
    assert [codes_of(entry) for entry in denials] == [{"MATERIAL_WITHHELD"}] * 5
    assert {entry.actor for entry in denials} == {JUSTICE}
    assert "METHOD_NOT_ALLOWED" in await refused(cast.oversight.download(sealed))
    # Who is no party hears nothing but that it does not exist.
    stranger = await cast.world.organ("ja:110105")
    assert await refused(stranger.download(sealed)) == {"MATERIAL_UNKNOWN": "sha256"}
    assert await refused(stranger.ask_for(sent, transcript, "DEFENCE", "SPP 269")) == {
        "STATEMENT_NOT_BY_PARTY": "/case_number"
    }


def _logs(case: Case, *, seconds: int) -> list[Annex]:
    """The log of the case centre and the list of its recordings, that of the interrogation with a gap."""
    (transcript,) = (item for item in case.documents if item.code == "D13")
    annexes = []
    for name in ("case-centre-log", "recorder-manifest"):
        text = load_example(load_form_book().find(FormKind.ANNEX, name, 1)).decode()
        text = text.replace("2024-06-02", "2026-01-28").replace("R1101080000002024060121", case.persons[0].key)
        data = json.loads(text.replace("A1101080000002024060012", case.police_no))
        if name == "case-centre-log":
            data["visits"][0]["interrogations"][0]["transcript"] = transcript.key
        else:
            data["recordings"][0]["retain_until"] = "2027-01-28"
            recording = data["recordings"][1]
            del recording["material_id"]
            recording["transcript"] = transcript.key
            hole = {"from": "2026-01-28T11:30:00+08:00", "to": f"2026-01-28T11:30:{seconds}+08:00", "reason": "故障"}
            recording["gaps"] = [hole] if seconds else []
        body = json.dumps(data, ensure_ascii=False).encode()
        annexes.append(Annex(f"application/vnd.fasttrack.{name}.v1+json", body))
    return annexes


async def test_scenario_16_recording_that_does_not_cover_its_transcript_is_not_verified(cast: Cast) -> None:
    """Media are pulled by a recorded request; an interrupted or changed recording is never called verified."""
    recording = Recording(
        device="ZFY-000012", start=at("2026-01-28T10:40"), end=at("2026-01-28T11:20"), sha256="",
        transcript="6", officer="110001",
    )  # fmt: skip
    gap = Gap(start=at("2026-01-28T10:50"), end=at("2026-01-28T10:50").replace(second=40), reason="更换存储卡")
    other = replace(recording, device="ZFY-000013", gaps=(gap,))
    case = papers(transfer(recordings=(recording, other)))
    transcript = next(item for item in case.documents if item.code == "D13")
    assert transcript.key == "6"
    sent = await cast.police.submit(case)
    fetched = await cast.pr.accept(sent)
    whole, broken = (item.sha256 for item in bound(case).recordings)
    assert fetched.withheld == {whole: True, broken: True}, "the list always, media on a pull"
    verify = cast.pr.client.verify_recording
    for sha256 in (whole, broken):
        assert await refused(cast.pr.download(sha256)) == {"MATERIAL_ON_REQUEST": "sha256"}
        assert await refused(verify(sent.id, sha256)) == {"MATERIAL_ON_REQUEST": "sha256"}
        await cast.pr.ask_for(sent, sha256, "REVIEW", "SPP 75")
    assert [entry.statement_type for entry in await cast.oversight.entries(case, EntryKind.STATED)] == [
        "material-request"
    ] * 2
    assert sha256_hex(await cast.pr.download(whole)) == whole

    assert await verify(sent.id, whole) == (True, ())
    is_verified, findings = await verify(sent.id, broken)
    assert not is_verified
    # The alert names the recording whose transcript, the confession, it does not prove.
    assert {(finding.code.name, finding.path) for finding in findings} == {
        ("RECORDING_INTERRUPTED_AT_PULL", "/YSQS/LXLB/LX[2]/@ZY")
    }

    # Where the police send the logs of centre and recorder, the gap in the transcript's time is told at the sending.
    logged = papers(transfer(number=2))
    told = {
        finding.code.name: finding.path
        for finding in (await cast.police.submit(logged, annexes=_logs(logged, seconds=40))).submitted.warnings
    }
    assert (
        told["RECORDING_COVERAGE_GAP"] == f"/materials/{len(logged.documents)}#/visits/0/interrogations/0/recording_ids"
    )
    covered = papers(transfer(number=3))
    sent_whole = await cast.police.submit(covered, annexes=_logs(covered, seconds=0))
    assert "RECORDING_COVERAGE_GAP" not in sent_whole.warnings

    # Somebody changes the bytes behind the digest.
    stored = next((cast.world.home / "materials").rglob(f"*{whole[4:]}*"))
    stored.write_bytes(stored.read_bytes().replace(b"RIFF", b"RIFX"))
    is_verified, findings = await verify(sent.id, whole)
    assert not is_verified
    assert {finding.code.name for finding in findings} == {"RECORDING_DIFFERS_AT_PULL"}


async def test_defence_reads_the_file_only_from_the_review_on(cast: Cast) -> None:
    """Before the procuratorate took the file a lawyer's request comes too early (SPP 269)."""
    case = papers(transfer())
    asked = await cast.police.submit(papers(assessment_request(case, sender="ps:110108", sent="2026-02-04T10:00")))
    await cast.justice.accept(asked)
    sent = await cast.police.submit(case)
    transcript = next(item.sha256 for item in bound(case).documents if item.code == "D13")
    early = await refused(cast.justice.ask_for(sent, transcript, "DEFENCE", "SPP 269"))
    assert early == {"REQUEST_TOO_EARLY": "/body/purpose"}
    await cast.pr.accept(sent)
    await cast.justice.ask_for(sent, transcript, "DEFENCE", "SPP 269")
    assert json.dumps(sorted(await cast.oversight.stage(case))) == json.dumps(["J1", "pr:110108"])


async def test_procuratorate_gets_the_attestation_of_a_review_without_its_notes(cast: Cast) -> None:
    """The review stays with the police; a masked copy comes with the rendition and names the original's digest."""
    case = papers(transfer())
    review = json.loads(load_example(load_form_book().find(FormKind.ANNEX, "legal-review", 1)))
    review |= {"object": "TRANSFER", "submitted_at": "2026-01-28T08:10:00+08:00"}
    review |= {"reviewed_at": "2026-01-28T08:20:00+08:00"}
    review["checklist"][0]["note"] = "内部意见"
    data = json.dumps(review, ensure_ascii=False).encode()
    annex = Annex("application/vnd.fasttrack.legal-review.v1+json", data)
    fetched = await cast.pr.accept(await cast.police.submit(case, annexes=[annex]))
    (copy,) = fetched.masked
    assert copy.sha256 == sha256_hex(data) and copy.sha256 in fetched.withheld
    said = json.loads(copy.data)
    assert (said["content"]["opinion"], said["masked_copy_of"]) == (review["opinion"], copy.sha256)
    assert "/checklist/0/note" in said["masked"] and "内部意见" not in copy.data.decode()
    assert await refused(cast.pr.download(copy.sha256)) == {"MATERIAL_WITHHELD": "sha256"}

    # So of one that was stated before the transfer; what is stated after it was not judged, and does not come with it.
    other = papers(transfer(number=2))
    stated = await cast.police.state("legal-review", other, **review)
    sent = await cast.police.submit(other)
    await cast.police.state("legal-review", other, **review | {"review_id": "later"})
    (copy,) = (await cast.pr.accept(sent)).masked
    assert (copy.material_id, copy.sha256) == ("", stated.receipt.entry.statement_sha256)
    assert copy.sha256 == sha256_hex(stated.statement_jws.encode())
    assert "内部意见" not in copy.data.decode()
    assert json.loads(copy.data)["content"]["opinion"] == review["opinion"]
    assert [one async for one in cast.pr.client.list_statements(case_number=other.police_no)] == []
