"""The dangerous-driving case of the demo: nine records, their materials, and what each receiver should get.

The files are the published samples of the agency interfaces. All identities in them are synthetic.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

DIVISION: Final = "110108"
AGENCY_OF: Final = {
    "police": f"ps:{DIVISION}",
    "procuratorate": f"pr:{DIVISION}",
    "court": f"ct:{DIVISION}",
    "justice": f"ja:{DIVISION}",
}
_DIGEST: Final = re.compile(rb"\b[0-9a-f]{64}\b")
_DATA: Final = "demo_data"


@dataclass(frozen=True, slots=True)
class Act:
    """One handoff of the case.

    Args:
        number: from 1.
        caption: one sentence for the audience.
        sender: agency, short form.
        receiver: agency, short form.
        outbox: the sender's folder with the record and the materials that no earlier handoff brought.
        record: the native record in it.
        inbox: the receiver's folder for the materials that it opens.
        expected_rendition: what the receiver should get, byte for byte.
        expected_report: (action, source, target) of each line of the mapping report.
    """

    number: int
    caption: str
    sender: str
    receiver: str
    outbox: Path
    record: Path
    inbox: Path
    expected_rendition: bytes
    expected_report: tuple[tuple[str, str, str], ...]


def load_acts(home: Path) -> list[Act]:
    """Lay the nine records and their materials out in folders of their senders.

    Args:
        home: folder to write to.

    Returns:
        the acts in order.

    Raises:
        OSError: a file cannot be copied.
    """
    data = Path(str(files("gateway.cli").joinpath(_DATA)))
    materials = {path.stem: path for path in (data / "materials").iterdir()}
    handed: set[str] = set()
    acts = []
    for folder in sorted((data / "chain").iterdir(), key=lambda path: int(path.name.split("-")[0])):
        act = _load_act(folder, home)
        named = {digest.decode() for digest in _DIGEST.findall(act.record.read_bytes())}
        for digest in named - handed:
            shutil.copy(materials[digest], act.outbox)
        handed |= named
        acts.append(act)
    return acts


def _load_act(folder: Path, home: Path) -> Act:
    record = next(folder.glob("from-*"))
    rendition = next(path for path in folder.glob("to-*") if ".report." not in path.name)
    report = json.loads(next(folder.glob("to-*.report.json")).read_text(encoding="utf-8"))
    sender = AGENCY_OF[record.name.removeprefix("from-").split(".")[0]]
    receiver = AGENCY_OF[rendition.name.removeprefix("to-").split(".")[0]]
    outbox = home / sender.replace(":", "-") / folder.name
    inbox = home / receiver.replace(":", "-") / f"{folder.name}-received"
    for made in (outbox, inbox):
        made.mkdir(parents=True)
    return Act(
        number=int(folder.name.split("-")[0]),
        caption=(folder / "README.md").read_text(encoding="utf-8").strip(),
        sender=sender,
        receiver=receiver,
        outbox=outbox,
        record=Path(shutil.copy(record, outbox)),
        inbox=inbox,
        expected_rendition=rendition.read_bytes(),
        expected_report=tuple((line["action"], line["source"], line["target"]) for line in report),
    )
