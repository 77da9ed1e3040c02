"""The two digests that stand side by side everywhere: SHA-256 and SM3.

Source: FIPS 180-4; GB/T 32905-2016.
"""

from __future__ import annotations

import hashlib


def sha256_hex(data: bytes) -> str:
    """Compute SHA-256.

    Args:
        data: any bytes.

    Returns:
        64 lower-case hexadecimal digits.
    """
    return hashlib.sha256(data).hexdigest()


def sm3_hex(data: bytes) -> str:
    """Compute SM3.

    Args:
        data: any bytes.

    Returns:
        64 lower-case hexadecimal digits.

    Raises:
        ValueError: the OpenSSL of this Python was built without SM3.

    Source: GB/T 32905-2016.
    """
    return hashlib.new("sm3", data).hexdigest()
