"""Scenarios of who somebody is: rare characters, foreigners, people without papers."""

from __future__ import annotations

import json
from typing import Final

from lxml import etree

from gateway.core.case.case import Alias
from tests.scenario.case_file import (
    JUSTICE,
    POLICE,
    PROCURATORATE,
    assessment_opinion,
    assessment_request,
    execution,
    indictment,
    judgment,
    native,
    suspect,
    transfer,
)
from tests.scenario.paper import papers
from tests.scenario.world import Cast

RARE: Final = "𬱖䶮"


async def test_scenario_25_rare_name_comes_back_as_it_went_out(cast: Cast) -> None:
    """A name outside the BMP, a full-width id and an alias go through all four systems, and it stays one person."""
    person = suspect(name=RARE, aliases=(Alias(name="三哥"), Alias(name="䶮子")))
    case = papers(transfer(person))
    number, key = person.id_docs[0].number, person.key
    assert RARE.encode("gb18030") in native(case)

    fetched = await cast.pr.accept(await cast.police.submit(case))
    at_pr = json.loads(fetched.rendition.data)["XYR"][0]
    assert (at_pr["XYRXM"], at_pr["SFZH"], at_pr["XYRBH"]) == (RARE, number, key)
    assert [alias["MC"] for alias in at_pr["BMCH"]] == ["三哥", "䶮子"]

    request = papers(assessment_request(case))
    asked = await cast.pr.submit(request)
    await cast.justice.accept(asked)
    opinion = assessment_opinion(request, receiver=PROCURATORATE)
    fetched = await cast.pr.accept(await cast.justice.submit(opinion, in_reply_to=asked))
    from_justice = json.loads(fetched.rendition.data)["XYR"][0]
    assert (from_justice["XYRXM"], from_justice["SFZH"], from_justice["XYRBH"]) == (RARE, number, key)

    indicted = papers(indictment(case, on="2026-02-13"))
    fetched = await cast.court.accept(await cast.pr.submit(indicted))
    at_court = etree.fromstring(fetched.rendition.data).find("DSR/R")
    assert at_court is not None
    wide = number.translate({ord(digit): chr(ord(digit) + 0xFEE0) for digit in "0123456789X"})
    assert (at_court.get("MC"), at_court.get("SFZJH"), at_court.get("RYBH")) == (RARE, wide, key)
    assert at_court.get("BMCH") == "三哥、䶮子"

    sentenced = papers(judgment(indicted, on="2026-02-20", receiver=POLICE))
    fetched = await cast.police.accept(await cast.court.submit(sentenced))
    back = etree.fromstring(fetched.rendition.data).find("XYRLB/XYR")
    assert back is not None
    assert RARE.encode("gb18030") in fetched.rendition.data
    assert (back.findtext("XM"), back.find("ZJLB/ZJ").get("HM"), back.findtext("RYBH")) == (RARE, number, key)  # type: ignore[union-attr]

    executed = papers(execution(papers(judgment(indicted, on="2026-02-20")), receiver=JUSTICE))
    fetched = await cast.justice.accept(await cast.court.submit(executed))
    at_justice = json.loads(fetched.rendition.data)["subjects"]
    assert [(item["name"], item["idNo"], item["subjectId"]) for item in at_justice] == [(RARE, number, key)]
