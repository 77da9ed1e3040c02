"""A canonical field leads to the place in the sender's own file."""

from __future__ import annotations

import pytest

from adapters.registry import Adapters
from gateway.core.case.record import Reading
from tests.adapters.cases import SAMPLES

ADAPTERS = Adapters()


def _read(name: str, sender: str, receiver: str) -> Reading:
    return ADAPTERS.read((SAMPLES / name).read_bytes(), sender=sender, receiver=receiver)


POLICE = _read("01-dui-chain/1-transfer/from-police.transfer.xml", "police", "procuratorate")
PROCURATORATE = _read("01-dui-chain/4-indictment/from-procuratorate.indictment.json", "procuratorate", "court")
COURT = _read("01-dui-chain/5-judgment/from-court.judgment.xml", "court", "procuratorate")


@pytest.mark.parametrize(
    ("reading", "field", "path"),
    [
        pytest.param(POLICE, "person[1].plea.guilty", "/YSQS/XYRLB/XYR[1]/RZQK/@RZ", id="attribute"),
        pytest.param(POLICE, "person[1].birth", "/YSQS/XYRLB/XYR[1]/CSRQ", id="element"),
        pytest.param(
            POLICE, "person[1].measure[1].start", "/YSQS/XYRLB/XYR[1]/QZCSLB/QZCS[1]/@KSSJ", id="list in list"
        ),
        pytest.param(POLICE, "case.filed_on", "/YSQS/AJXX/LARQ", id="record"),
        pytest.param(POLICE, "document[2].no", "/YSQS/WSLB/WS[2]/@WH", id="present"),
        pytest.param(POLICE, "document[1].no", "/YSQS/WSLB/WS[1]/@WH", id="missing leaf"),
        pytest.param(POLICE, "document", "/YSQS/WSLB/WS[8]", id="missing item"),
        pytest.param(POLICE, "victim", "/YSQS/BHRLB/BHR[1]", id="missing list"),
        pytest.param(POLICE, "person[1].proposal.penalty", "/YSQS/XYRLB/XYR[1]", id="not of this kind"),
        pytest.param(POLICE, "person[1]", "/YSQS/XYRLB/XYR[1]", id="item"),
        pytest.param(POLICE, "property.total", "/YSQS/AJXX/WPZE", id="field named like a list"),
        pytest.param(POLICE, "/materials/3#/gaps/0", "/materials/3#/gaps/0", id="annex"),
        pytest.param(POLICE, "", "", id="whole"),
        pytest.param(POLICE, "no.such", "", id="unknown"),
        pytest.param(PROCURATORATE, "person[1].proposal.term", "/XYR/0/LXJY/ZX", id="pointer"),
        pytest.param(PROCURATORATE, "person[1].recognizance.lawyer", "/XYR/0/JJS/LSXM", id="pointer in group"),
        pytest.param(PROCURATORATE, "person[1].charge[2].law", "/XYR/0/ZM/1/AY_AYDM", id="pair"),
        pytest.param(PROCURATORATE, "document", "/JZWS/12", id="missing member"),
        pytest.param(COURT, "person[1].decision.term", "/CASE/ZX/R[1]/@XQ_Y", id="joined table"),
        pytest.param(COURT, "judgment.on", "/CASE/PJXX/@PJRQ", id="court record"),
    ],
)
def test_field_leads_to_the_leaf_that_it_was_read_from_or_would_be(reading: Reading, field: str, path: str) -> None:
    """Whoever has to heal a finding looks for it in the file that he wrote."""
    assert ADAPTERS.locate(reading, field) == path


def test_field_of_a_file_that_could_not_be_read_is_the_whole_file() -> None:
    """Without fields there are no places."""
    reading = ADAPTERS.read(b"<", sender="police", receiver="procuratorate")
    assert ADAPTERS.locate(reading, "person[1].birth") == ""
