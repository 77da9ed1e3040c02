"""One sample, a few changes, and what must come of it: the table rows of the rule tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.registry import Adapters
from tests.adapters.cases import SAMPLES

_ADAPTERS = Adapters()
Change = tuple[str, str]


@dataclass(frozen=True)
class Mapped:
    """What became of a file.

    Args:
        findings: severity, code and path of each, "e MISSING_FIELD /BBH".
        text: of the rendition, "" when there is none.
        report: action and target of each line by source, "carried /BBH"; "dropped" when there is no target.
    """

    findings: list[str]
    text: str
    report: dict[str, list[str]] = field(default_factory=dict)

    @property
    def codes(self) -> list[str]:
        """The findings without severity and path."""
        return [finding.split(" ")[1] for finding in self.findings]


def _encoding(agency: str) -> str:
    return "gb18030" if agency == "police" else "utf-8"


def map_bytes(data: bytes, sender: str, receiver: str) -> Mapped:
    """Map a file."""
    reading, rendition = _ADAPTERS.map(data, sender=sender, receiver=receiver)
    findings = [f"{f.severity.value[0]} {f.code.name} {f.path}".rstrip() for f in reading.findings]
    report: dict[str, list[str]] = {}
    for line in rendition.report:
        report.setdefault(line.source, []).append(f"{line.action} {line.target}".rstrip())
    return Mapped(findings, (rendition.data or b"").decode(_encoding(receiver)), report)


@dataclass(frozen=True)
class Base:
    """A sample that is right, to be changed.

    Args:
        text: of the file.
        sender: adapter name.
        receiver: adapter name.
    """

    text: str
    sender: str
    receiver: str

    def map(self, *changes: Change) -> Mapped:
        """Map it with some of its text replaced, each time at the first place."""
        text = self.text
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        return map_bytes(text.encode(_encoding(self.sender)), self.sender, self.receiver)


def base(folder: str, receiver: str) -> Base:
    """The source file of a sample folder."""
    source = next((SAMPLES / folder).glob("from-*"))
    sender = source.name.removeprefix("from-").split(".")[0]
    return Base(source.read_bytes().decode(_encoding(sender)), sender, receiver)


TRANSFER = base("01-dui-chain/1-transfer", "procuratorate")
INDICTMENT = base("01-dui-chain/4-indictment", "court")
JUDGMENT = base("01-dui-chain/5-judgment", "procuratorate")
EXECUTION = base("01-dui-chain/7-execution", "justice")
OPINION = base("01-dui-chain/3-assessment-opinion", "procuratorate")
REQUEST = base("01-dui-chain/2-assessment-request", "justice")
