"""Agency interfaces, sections 6 and 7: whatever is changed in a sample, every leaf is accounted for and reads back."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any, Final

import pytest
from lxml import etree

from adapters.registry import Adapters
from gateway.core.errors import Severity
from tests.adapters.cases import READABLE, Sample
from tests.adapters.leaves import leaves
from tests.adapters.rule import EXECUTION, REQUEST, base

_ADAPTERS: Final = Adapters()
_TEXTS: Final = (
    *(
        "",
        "无",
        "不详",
        "/",
        "－ －",
        "详见卷宗",
        "0",
        "1",
        "2",
        "9",
        "99",
        "999999",
        "　y ",
        "a\r\nb",
        "<&>\"'",
        "A-1",
    ),
    *("约1990年", "1990", "1990-00", "00000000", "20240229", "2024-02-29", "2024-02-30", "20240602240000", "1990/03"),
    *("5万元", "伍角", "5,000.5", "人民币5元整", "a[2024]1号", "(2024)京01刑终1号", "P1Y6M", "000200", "000000"),
    *("是", "否", "Y", "N", "男", "未知", "其他", "未列", "盲、聋", "危险驾驶罪", "怪罪", "三哥;/;－", "、", "unknown"),
    *("拘役二个月，缓刑四个月", "有期徒刑两年", "D13", "303", "399", "111", "414", "9001", "R1101080000002024060121"),
)
_OTHERS: Final[tuple[Any, ...]] = (5, -0.0, True, None, [], {}, [1], {"a": 1}, 10**17)
_FROM_THE_CASE: Final = frozenset(
    {
        *("MISSING_FIELD", "BIRTH_UNKNOWN", "SAME_NAME_PERSONS", "PLEA_INCONSISTENT", "MEASURE_ORDER"),
        *("BIRTH_CONFLICTS_ID", "SEX_CONFLICTS_ID", "SUM_MISMATCH"),
    }
)
"""Findings that what was written may share with the source: they are about the case, not about its spelling."""


def _change_json(chance: random.Random, root: dict[str, Any]) -> None:
    nodes: list[Any] = [root]
    for node in nodes:
        nodes.extend(
            entry for entry in (node.values() if isinstance(node, dict) else node) if isinstance(entry, dict | list)
        )
    for node in chance.choices([node for node in nodes if node], k=chance.randint(1, 5)):
        if not node:
            continue
        key: Any = chance.choice(list(node)) if isinstance(node, dict) else chance.randrange(len(node))
        value = copy.deepcopy(chance.choice(_OTHERS)) if chance.random() < 0.1 else chance.choice(_TEXTS)
        choice = chance.random()
        if choice < 0.7:
            node[key] = value
        elif choice < 0.8:
            del node[key]
        elif isinstance(node, list):
            node.insert(key, copy.deepcopy(node[key]))
        else:
            node["q/~"] = value


def _change_xml(chance: random.Random, root: Any) -> None:
    for element in chance.choices(list(root.iter()), k=chance.randint(1, 5)):
        value, choice, parent = chance.choice(_TEXTS), chance.random(), element.getparent()
        if choice < 0.6 and element.attrib:
            element.set(chance.choice(list(element.attrib)), value)
        elif choice < 0.7 and not len(element):
            element.text = value
        elif choice < 0.8 and parent is not None:
            parent.remove(element)
        elif choice < 0.9 and parent is not None:
            element.addnext(copy.deepcopy(element))
        else:
            element.set("Q", value)


def _changed(chance: random.Random, sample: Sample) -> bytes:
    data = sample.source.read_bytes()
    if sample.sender in ("procuratorate", "justice"):
        tree = json.loads(data.decode("utf-8-sig"))
        _change_json(chance, tree)
        return json.dumps(tree, ensure_ascii=chance.random() < 0.5).encode()
    text = data.decode("gb18030" if sample.sender == "police" else "utf-8-sig")
    root = etree.fromstring(re.sub(r"<\?xml.*?\?>", "", text).strip().encode())
    _change_xml(chance, root)
    changed = etree.tostring(root, encoding="unicode")
    if sample.sender == "court":
        return changed.encode()
    return f'<?xml version="1.0" encoding="GB18030"?>{changed}'.encode("gb18030")


@pytest.mark.parametrize("seed", range(6))
def test_changed_sample_has_every_leaf_in_its_report_and_reads_back(seed: int) -> None:
    """Sections 6 to 8: findings in document order; each leaf named; what is written reads back without findings."""
    chance = random.Random(seed)
    for _ in range(120):
        sample = chance.choice(READABLE)
        data = _changed(chance, sample)
        reading, rendition = _ADAPTERS.map(data, sender=sample.sender, receiver=sample.receiver)
        sources = leaves(data, sample.sender)
        place = {path: at for at, path in reversed(list(enumerate(sources)))}
        found = [place[f.path] for f in reading.findings if f.path in place and f.code.name != "REPEATED_FIELD"]
        assert found == sorted(found)
        assert len({(finding.code, finding.path) for finding in reading.findings}) == len(reading.findings)
        if any(finding.severity is Severity.ERROR for finding in reading.findings):
            assert rendition.data is None and not rendition.report
            continue
        assert rendition.data is not None
        lines = [line.source for line in rendition.report if line.source]
        assert [path for at, path in enumerate(lines) if at == 0 or lines[at - 1] != path] == sources
        targets = {line.target for line in rendition.report if line.target}
        assert targets == set(leaves(rendition.data, sample.receiver))
        again = _ADAPTERS.adapter(sample.receiver).read_unrouted(rendition.data, sample.kind)
        assert {finding.code.name for finding in again.findings} <= _FROM_THE_CASE


_TWO = base("25-least-data/1-justice", "justice")


def test_execution_names_those_with_probation_or_control_and_their_pages() -> None:
    """Justice interface, section 4, subjects and needed pages; a probation of zero is none."""
    found = _TWO.map(('HX_N="2" FJ="10000元" YQTS', 'HX_N="0" FJ="10000元" YQTS'))
    assert found.findings == []
    assert re.findall(r'"name": "(...)"', found.text) == ["林书宁"]
    assert found.report["/CASE/DSR/R[1]/@MC"] == ["withheld"]
    assert found.report["/CASE/DSR/R[1]/@ID"] == found.report["/CASE/ZX/R[1]/@DSRID"] == ["dropped"]
    assert found.report["/CASE/WS/R[25]/@DSRID"] == ["withheld"]
    assert found.report["/CASE/WS/R[27]/@DSRID"] == ["carried /pages/3/subjectId"]


def test_execution_without_such_a_sentence_names_all() -> None:
    """Justice interface, section 4, subjects: if there is none such, all persons."""
    found = _TWO.map(*[(' HX_N="2"', "")] * 2, *[('XZ="管制"', 'XZ="拘役"')] * 2)
    assert found.text.count('"subjectId": "R') == 6


def test_charges_are_those_of_the_latest_stage_that_there_is() -> None:
    """Justice interface, section 4, charges: CT after PR after PS, and the stage is not written."""
    found = EXECUTION.map(
        ('    <R DSRID="9001" JD="3" AY="危险驾驶"/>\n', ""), ('JD="2" AY="危险驾驶"', 'JD="2" AY="怪罪"')
    )
    assert '"charges": [\n        {\n          "name": "其他案由",\n          "nameRaw": "怪罪"\n' in found.text
    assert found.report["/CASE/ZM/R[1]/@AY"] == found.report["/CASE/ZM/R[2]/@JD"] == ["withheld"]


def test_structure_of_the_source_is_dropped_even_where_the_rest_is_withheld() -> None:
    """Section 7: the version, join ids, parties and derived texts of the source are always dropped."""
    report = REQUEST.map(('"BBH"', '"q": "/", "BBH"')).report
    assert [report[path] for path in ("/BBH", "/YSAY_AYDM", "/YSAY_AYMC")] == [["dropped"]] * 3
    assert report["/q"] == report["/XYR/0/LXJY/FJXJE"] == ["withheld"]
    assert report["/XYR/0/SFZH"] == ["carried /subjects/0/idType", "carried /subjects/0/idNo"]
