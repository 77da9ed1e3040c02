"""Files that are nearly right: a sample whose tree, values or bytes were changed at a few places.

Changed bytes mostly end in the first stages of a reader. A changed tree is still well formed, and reaches every field.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final

from lxml import etree

NASTY: Final = (
    "", " ", "\u3000", "无", "不详", "/", "—", "0", "-0", "-1", "1" * 40, "9007199254740992", "1e999", "NaN", "３",
    "二〇二四年六月二日", "2024-02-30", "20240230", "2024-06-02T24:00:00", "20240602246060", "P99Y99M99D", "999999",
    "99年", "有期徒刑一年零", "；", "、、", "〔2024〕", "()", "𬱖", "\ue78d", "\u202e", "a\tb\nc", "x" * 5000,
    "999001199003070017", "91999001A0012345X2", "A1101080000002024060012", "3.2", "3.3", "RS", "万元", "1,0,0元",
)  # fmt: skip
"""Values that some type of leaf looks at twice."""


def mutate(data: bytes, encoding: str, dice: Random) -> bytes:
    """Change a file at one to four places.

    Args:
        data: a sample.
        encoding: of its agency.
        dice: decides where and how.

    Returns:
        another file, well formed more often than not.
    """
    if dice.random() < 0.15:
        return _bytes(data, dice)
    whole = data.decode(encoding)
    if whole.lstrip()[:1] == "{":
        value = json.loads(whole)
        for _ in range(dice.randint(1, 4)):
            _json(value, dice)
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    declaration, text = whole.split("?>", 1)
    root = etree.fromstring(text.encode("utf-8"))
    for _ in range(dice.randint(1, 4)):
        _xml(root, dice)
    return (declaration + "?>" + etree.tostring(root, encoding="unicode")).encode(encoding)


def _bytes(data: bytes, dice: Random) -> bytes:
    at = dice.randrange(len(data))
    end = min(len(data), at + dice.randrange(60))
    piece = dice.choice(
        [b"", data[at:end] * 2, bytes(dice.randrange(256) for _ in range(4)), b"<", b'"', b"&#0;", b"]"]
    )
    return data[:at] + piece + data[end:]


def _xml(root: Any, dice: Random) -> None:
    elements = list(root.iter())
    element, other = dice.choice(elements), dice.choice(elements)
    what = dice.randrange(7)
    if what == 0 and element.attrib:
        element.set(dice.choice(element.keys()), dice.choice(NASTY).replace("\x00", ""))
    elif what == 1:
        element.text = dice.choice(NASTY)
    elif what == 2 and element.getparent() is not None:
        element.getparent().append(etree.fromstring(etree.tostring(element)))
    elif what == 3 and element.getparent() is not None:
        element.getparent().remove(element)
    elif what == 4:
        element.tag = other.tag
    elif what == 5 and other.attrib:
        name = dice.choice(other.keys())
        element.set(name, other.get(name))
    else:
        element.append(etree.fromstring(etree.tostring(other)))


def _json(root: dict[str, Any], dice: Random) -> None:
    holders: list[Any] = [root]
    for holder in holders:
        below = holder.values() if isinstance(holder, dict) else holder
        holders.extend(value for value in below if isinstance(value, dict | list) and value)
    holder, other = dice.choice(holders), dice.choice(holders)
    key = dice.choice(list(holder)) if isinstance(holder, dict) else dice.randrange(len(holder))
    what = dice.randrange(6)
    if what == 0:
        del holder[key]
    elif what == 1:
        holder[key] = dice.choice([None, True, 0, -1, 1.5, 10**20, [], {}, [[]], {"x": [1]}, [None]])
    elif what == 2 and isinstance(other, dict):
        name = dice.choice(list(other) or ["x"])
        holder[key] = json.loads(json.dumps(other.get(name)))
    elif what == 3 and isinstance(holder, list):
        holder.append(json.loads(json.dumps(holder[key])))
    elif what == 4 and isinstance(holder, dict):
        holder["~/" + dice.choice(NASTY)] = holder[key]
    else:
        holder[key] = dice.choice(NASTY)
    if not holder:
        root["left"] = "x"
