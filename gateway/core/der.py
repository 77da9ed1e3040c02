"""The little DER that certificates of SM2 and time-stamp requests need beyond what ``cryptography`` reads and writes.

Source: ITU-T X.690, sections 8 and 10.
"""

from __future__ import annotations

from typing import Final

INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
OBJECT_IDENTIFIER: Final = 0x06
SEQUENCE: Final = 0x30
SET: Final = 0x31

_MAX_LENGTH_OCTETS: Final = 4


def to_der(tag: int, *parts: bytes) -> bytes:
    """Write one element.

    Args:
        tag: its tag, one octet.
        parts: its content; for a SEQUENCE the elements in it.

    Returns:
        tag, length and content.
    """
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def to_integer(value: int) -> bytes:
    """Write an INTEGER.

    Args:
        value: zero or more.

    Returns:
        its shortest DER.
    """
    return to_der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def parse_elements(data: bytes) -> list[tuple[int, bytes]]:
    """Split bytes into the elements that stand in them one after the other.

    Args:
        data: any bytes; not trusted.

    Returns:
        the tag and the content of each element.

    Raises:
        ValueError: an element is cut off, has an indefinite length, a length that is not the shortest, or a long tag.
    """
    elements, place = [], 0
    while place < len(data):
        start, end = _bounds(data, place)
        elements.append((data[place], data[start:end]))
        place = end
    return elements


def parse_one(data: bytes, tag: int) -> bytes:
    """Read bytes that are exactly one element.

    Args:
        data: any bytes; not trusted.
        tag: the tag that it must have.

    Returns:
        its content.

    Raises:
        ValueError: it is something else, or something follows it.
    """
    elements = parse_elements(data)
    if len(elements) != 1 or elements[0][0] != tag:
        raise ValueError(f"one element with tag {tag:#04x} is expected")
    return elements[0][1]


def _bounds(data: bytes, place: int) -> tuple[int, int]:
    """Where the content of the element at this place begins and ends."""
    if len(data) - place < 2 or data[place] & 0x1F == 0x1F:
        raise ValueError("X.690 8.1: an element has a tag of one octet and a length")
    size, start = data[place + 1], place + 2
    if size >= 0x80:
        count = size & 0x7F
        octets = data[start : start + count]
        size, start = int.from_bytes(octets, "big"), start + count
        if not 1 <= count <= _MAX_LENGTH_OCTETS or len(octets) != count or octets[0] == 0 or size < 0x80:
            raise ValueError("X.690 10.1: a length has its shortest form")
    if start + size > len(data):
        raise ValueError("X.690 8.1: an element is cut off")
    return start, start + size
