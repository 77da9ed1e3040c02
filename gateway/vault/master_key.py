"""Master keys: they wrap the keys of the cases, and are in a file that no backup of either database holds."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from gateway.core.errors import ErrorCode, refuse

MASTER_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class MasterKeyError(ValueError):
    """A file that is no master key, or not the one that the vault was written with."""


class MasterKeys:
    """The master keys of a process: the first one wraps, all of them open.

    Args:
        data: one key of 32 bytes, or several in a row while one takes the place of another.
        random: gives so many random bytes.

    Raises:
        MasterKeyError: it has another length.
    """

    def __init__(self, data: bytes, *, random: Callable[[int], bytes] = os.urandom) -> None:
        if not data or len(data) % MASTER_KEY_BYTES:
            raise MasterKeyError(
                f"a master key has {MASTER_KEY_BYTES} bytes, or a multiple for several; not {len(data)}"
            )
        keys = [data[at : at + MASTER_KEY_BYTES] for at in range(0, len(data), MASTER_KEY_BYTES)]
        self._ciphers = {_id_of(key): AESGCMSIV(key) for key in keys}
        self._random = random

    @property
    def first(self) -> str:
        """Id of the key that wraps."""
        return next(iter(self._ciphers))

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all keys."""
        return tuple(self._ciphers)

    def wrap(self, case: str, key: bytes) -> bytes:
        """Wrap the key of a case with the first master key.

        Args:
            case: pseudonym; what is wrapped for it opens for no other.
            key: 32 bytes.

        Returns:
            60 bytes: a nonce of 12, then key and tag.

        Source: RFC 8452.
        """
        nonce = self._random(_NONCE_BYTES)
        return nonce + self._ciphers[self.first].encrypt(nonce, key, _about(case))

    def unwrap(self, case: str, kek_id: str, wrapped: bytes) -> bytes:
        """Open what ``wrap`` made for the same case.

        Args:
            case: pseudonym.
            kek_id: id of the master key that wrapped it.
            wrapped: 60 bytes.

        Returns:
            the key, 32 bytes.

        Raises:
            GatewayError: CASE_KEY_MISSING when the master key is not here, or it was wrapped for another case.
        """
        cipher = self._ciphers.get(kek_id)
        if cipher is None:
            raise refuse(ErrorCode.CASE_KEY_MISSING, message=f"the master key {kek_id} is not in the key file")
        try:
            return cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _about(case))
        except InvalidTag as error:
            raise refuse(ErrorCode.CASE_KEY_MISSING, message="the key in the vault is not that of this case") from error


def _about(case: str) -> bytes:
    return b"fasttrack-case-key/1\n" + case.encode()


def _id_of(key: bytes) -> str:
    return sha256(b"fasttrack-master-key-id/1\n" + key).hexdigest()[:16]


def load_master_keys(path: Path) -> MasterKeys:
    """Read a key file.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be read.
        MasterKeyError: it is no key file.
    """
    return MasterKeys(path.read_bytes())
