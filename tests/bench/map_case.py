"""Records with as many suspects as a figure asks for, made from a full sample with one."""

from __future__ import annotations

import json
import re
from pathlib import Path

_CHAIN = Path(__file__).parents[1] / "adapters/samples/01-dui-chain"


def _key(number: int) -> str:
    return f"R110108000000202406{5000 + number}"


def police_transfer(persons: int) -> bytes:
    """Write a police TRANSFER with a number of suspects; each has a key and a name of its own."""
    text = (_CHAIN / "1-transfer/from-police.transfer.xml").read_bytes().decode("gb18030")
    block = re.search(r" *<XYR .*?</XYR>\n", text, re.DOTALL)
    assert block is not None
    made = []
    for number in range(1, persons + 1):
        person = block[0] if number == 1 else re.sub(r"<RYBH>.*?</RYBH>", f"<RYBH>{_key(number)}</RYBH>", block[0])
        made.append(re.sub(r"<XM>(.*?)</XM>", rf"<XM>\g<1>{number}</XM>", person))
    return text.replace(block[0], "".join(made)).encode("gb18030")


def procuratorate_indictment(persons: int) -> bytes:
    """Write a procuratorate INDICTMENT with a number of defendants; each has a key and a name of its own."""
    value = json.loads((_CHAIN / "4-indictment/from-procuratorate.indictment.json").read_bytes())
    (person,) = value["XYR"]
    value["XYR"] = [
        {**person, "XYRBH": person["XYRBH"] if number == 1 else _key(number), "XYRXM": f"{person['XYRXM']}{number}"}
        for number in range(1, persons + 1)
    ]
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
