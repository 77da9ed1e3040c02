"""The contract of adapters: the built-in ones keep it, and it finds what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from adapters.contract import CHECKS, Kept, Subject, check_adapter
from adapters.engine.adapter import Adapter
from adapters.engine.field import ScalarField
from adapters.engine.format import Format
from adapters.engine.value_text import TEXT
from adapters.registry import BUILT_IN, Adapters
from tests.adapters.cases import READABLE

_ADAPTERS = Adapters(formats=())
_PUBLISHED = tuple(_ADAPTERS.adapter(name) for name in _ADAPTERS.names())
_JUSTICE = _ADAPTERS.adapter("justice").format


@cache
def _samples(name: str) -> dict[str, tuple[bytes, ...]]:
    """The published samples of an agency, sent and received; a kind without one is written from another agency's."""
    adapter = _ADAPTERS.adapter(name)
    found: dict[str, list[bytes]] = {}
    for sample in READABLE:
        for agency, data in ((sample.sender, sample.source.read_bytes()), (sample.receiver, sample.rendition())):
            if agency == name and data is not None:
                found.setdefault(sample.kind, []).insert(0, data)
    for sample in READABLE:
        if sample.kind not in found:
            reading = _ADAPTERS.adapter(sample.sender).read_unrouted(sample.source.read_bytes(), sample.kind)
            found[sample.kind] = [adapter.write(reading.trace.root, sample.kind, sample.sender)[0]]
    return {kind: tuple(files[:1]) for kind, files in found.items()}


def _check(made: Format, samples: Mapping[str, tuple[bytes, ...]] | None = None) -> dict[str, Kept]:
    others = tuple(other for other in _PUBLISHED if other.name != made.name)
    subject = Subject(Adapter(made), _samples(made.name) if samples is None else samples, others)
    return {kept.name: kept for kept in check_adapter(replace(subject, samples=_of_kinds(subject)))}


def _of_kinds(subject: Subject) -> dict[str, tuple[bytes, ...]]:
    return {kind: files for kind, files in subject.samples.items() if kind in subject.kinds}


@pytest.mark.parametrize(
    "made", [made for made in BUILT_IN if made.mapping_version == "1.0"], ids=lambda made: made.name
)
def test_built_in_adapter_keeps_the_contract(made: Format) -> None:
    """What is asked of others holds for the adapters of this project too."""
    found = _check(made)
    assert found.keys() == CHECKS.keys()
    assert {name: kept.problems for name, kept in found.items() if kept.problems} == {}


def test_later_version_keeps_the_contract() -> None:
    """A version that is written as changes of another one is an adapter like all."""
    later = _ADAPTERS.adapter("police", "3.3")
    samples = {}
    for kind, files in _samples("police").items():
        root = _ADAPTERS.adapter("police").read_unrouted(files[0], kind).trace.root
        root.fields["record.version"] = "3.3"
        samples[kind] = (later.write(root, kind, "police")[0],)
    found = _check(later.format, samples)
    assert {name: kept.problems for name, kept in found.items() if kept.problems} == {}


class _Shortened(ScalarField):
    """Writes less than it read."""

    def __init__(self, spec: Any) -> None:
        super().__init__(spec, replace(TEXT, write=lambda text: text[:2]))


class _Raising(ScalarField):
    """Reads by an exception."""

    def __init__(self, spec: Any) -> None:
        def read(text: str) -> str:
            if any(sign in text for sign in "!#$%&*+=?@^_`|~<>;:'[]{},."):
                raise RuntimeError(text)
            return text

        super().__init__(spec, replace(TEXT, read=read))


def _with(**types: Any) -> Format:
    return replace(_JUSTICE, factories={**_JUSTICE.factories, **types})


@pytest.mark.parametrize(
    ("check", "made", "words"),
    [
        ("declaration", replace(_JUSTICE, name="Justice 2", package="adapters.justice"), "lower-case"),
        ("declaration", replace(_JUSTICE, kinds=frozenset({"TRANSFER"})), "no record kind"),
        ("declaration", replace(_JUSTICE, media_type="application/xml"), "root element"),
        ("declaration", replace(_JUSTICE, schema_version=" 1"), "blanks"),
        ("table", replace(_JUSTICE, factories={}), "no codec"),
        ("identity", _with(text=_Shortened), "is another case"),
        ("hostile", _with(text=_Raising), "RuntimeError"),
    ],
    ids=["name", "kinds", "media type", "version", "codecs", "write", "read"],
)
def test_contract_finds_what_breaks_it(check: str, made: Format, words: str) -> None:
    """Each promise, broken once, is named in the words of its check."""
    samples = _samples("justice")
    if made.name != "justice":
        samples = {}
    found = _check(made, samples)
    assert any(words in problem for problem in found[check].problems), found[check]


def test_contract_asks_for_a_sample_of_every_kind() -> None:
    """Samples are compulsory: without one for a kind nothing else is looked at."""
    found = _check(_JUSTICE, {"EXECUTION": _samples("justice")["EXECUTION"]})
    assert found["samples"].problems == ("no sample of kind ASSESSMENT_OPINION", "no sample of kind ASSESSMENT_REQUEST")
    assert "identity" not in found


def test_contract_names_a_sample_with_an_error() -> None:
    """A sample that its own reader refuses is no sample."""
    found = _check(_JUSTICE, {**_samples("justice"), "EXECUTION": (b"{}",)})
    assert any("sample 1 of EXECUTION" in problem for problem in found["samples"].problems)


def test_contract_finds_a_report_that_leaves_something_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A leaf without a line, and a line without a leaf, break the lineage laws."""
    original: Callable[..., Any] = Adapter.report
    monkeypatch.setattr(Adapter, "report", lambda *arguments: original(*arguments)[1:])
    assert any("has no line" in problem for problem in _check(_JUSTICE)["lineage"].problems)
