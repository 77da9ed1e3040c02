"""Content of a case as the database holds it: sealed with the key of the case, for one place and no other.

AES-256-GCM-SIV (RFC 8452). The associated data name the log, the case, the column and the row, so that a ciphertext
moved elsewhere does not open. The nonce is made of the same words: a batch that is tried again, and a tail that is
rebuilt, give the same bytes; that the cipher withstands a repeated nonce makes it safe to seal other content for a row
that was never committed.

Danger: two equal contents in the same column and row have the same ciphertext, and lengths show.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from gateway.core.errors import ErrorCode, GatewayError, refuse
from gateway.core.port.vault import CaseKeys, Keys

KEY_SECONDS: Final = 10.0
"""So long a process may go on with a key that another one destroyed; the ledger refuses acts on the case at once."""
MAX_CASES: Final = 16_384
COMMON: Final = "common"
"""Instead of a case, for content that concerns none; its key is never destroyed."""
_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_DESTROYED: Final = "the case was destroyed"


class CaseSeal:
    """Seals and opens the content of one case.

    Args:
        origin: name of the log.
        case: pseudonym.
        key: 32 bytes.
    """

    __slots__ = ("_cipher", "_prefix")

    def __init__(self, origin: str, case: str, key: bytes) -> None:
        self._cipher = AESGCMSIV(key)
        self._prefix = f"fasttrack-sealed/1\n{origin}\n{case}\n"

    def seal(self, column: str, row: str, content: bytes) -> bytes:
        """Seal content for its place.

        Args:
            column: table and column, ``bundle.record``.
            row: what names the row within the table.
            content: bytes; empty ones too.

        Returns:
            17 bytes more than the content.
        """
        about = f"{self._prefix}{column}\n{row}".encode()
        return _VERSION + self._cipher.encrypt(sha256(about).digest()[:_NONCE_BYTES], content, about)

    def open(self, column: str, row: str, sealed: bytes) -> bytes:
        """Open what ``seal`` made for the same place.

        Args:
            column: table and column, ``bundle.record``.
            row: what names the row within the table.
            sealed: as it is stored.

        Returns:
            the content.

        Raises:
            GatewayError: SEAL_BROKEN when it was changed, moved, or sealed with another key.
        """
        about = f"{self._prefix}{column}\n{row}".encode()
        message = f"what is stored in {column} is not what was sealed for this row"
        if sealed[:1] != _VERSION:
            raise refuse(ErrorCode.SEAL_BROKEN, message=message)
        try:
            return self._cipher.decrypt(sha256(about).digest()[:_NONCE_BYTES], sealed[1:], about)
        except (InvalidTag, ValueError) as error:
            raise refuse(ErrorCode.SEAL_BROKEN, message=message) from error


Seals = Mapping[str, CaseSeal]
"""Seals by case."""


class Sealer:
    """Gives the seals of cases, and remembers them for a few seconds.

    Args:
        origin: name of the log.
        keys: the vault.
        clock: seconds that only grow.
        key_seconds: so long a key is remembered.
        max_cases: so many keys are remembered.
    """

    def __init__(
        self,
        origin: str,
        keys: CaseKeys,
        *,
        clock: Callable[[], float] = time.monotonic,
        key_seconds: float = KEY_SECONDS,
        max_cases: int = MAX_CASES,
    ) -> None:
        self._origin = origin
        self._keys = keys
        self._clock = clock
        self._key_seconds = key_seconds
        self._max_cases = max_cases
        self._held: dict[str, tuple[CaseSeal, float]] = {}

    async def prepare(self, cases: Mapping[str, bool]) -> Seals:
        """Give the seals to write with.

        Args:
            cases: whether a case is new, by pseudonym. Only a new one gets a key if it has none: for another one a
                missing key is a loss, and a second key would hide it.

        Returns:
            a seal for each.

        Raises:
            GatewayError: CASE_DESTROYED, CASE_KEY_MISSING, VAULT_UNAVAILABLE.
        """
        found = self._remembered(cases)
        for is_new, ask in ((True, self._keys.make), (False, self._keys.find)):
            wanted = [case for case, is_new_case in cases.items() if is_new_case is is_new and case not in found]
            if wanted:
                found |= self._take(await ask(wanted), wanted)
        return found

    async def look(self, cases: Iterable[str], destroyed: Collection[str] = ()) -> dict[str, CaseSeal | GatewayError]:
        """Give the seals to read with.

        Args:
            cases: pseudonyms.
            destroyed: those among them of which the ledger says so already; the keys of these are forgotten.

        Returns:
            for each a seal; or CASE_DESTROYED or CASE_KEY_MISSING, for whoever needs it to raise.

        Raises:
            GatewayError: VAULT_UNAVAILABLE.
        """
        cases = dict.fromkeys(cases)
        for case in destroyed:
            self._held.pop(case, None)
        found: dict[str, CaseSeal | GatewayError] = {**self._remembered(cases)}
        wanted = [case for case in cases if case not in found]
        gone: Keys = dict.fromkeys(destroyed)
        keys = {**await self._keys.find([case for case in wanted if case not in gone]), **gone} if wanted else {}
        for case in wanted:
            try:
                found |= self._take(keys, [case])
            except GatewayError as error:
                found[case] = error
        return found

    def _remembered(self, cases: Iterable[str]) -> dict[str, CaseSeal]:
        now = self._clock()
        return {case: held[0] for case in cases if (held := self._held.get(case)) is not None and held[1] > now}

    def _take(self, keys: Keys, cases: Iterable[str]) -> dict[str, CaseSeal]:
        until = self._clock() + self._key_seconds
        found = {}
        for case in cases:
            if case not in keys:
                raise refuse(ErrorCode.CASE_KEY_MISSING, message="the vault has no key for this case")
            if (key := keys[case]) is None:
                self._held.pop(case, None)
                raise refuse(ErrorCode.CASE_DESTROYED, message=_DESTROYED)
            # Taken out first, so that the oldest always stand in front.
            self._held.pop(case, None)
            found[case] = CaseSeal(self._origin, case, key)
            self._held[case] = (found[case], until)
        while len(self._held) > self._max_cases:
            del self._held[next(iter(self._held))]
        return found


_SEALED: Final[Mapping[str, tuple[int, Mapping[int, str]]]] = {
    "bundle": (0, {4: "bundle.case_number", 5: "bundle.manifest_jws", 6: "bundle.record"}),
    "detail": (0, {1: "detail.body"}),
    "statement": (0, {5: "statement.case_number", 6: "statement.statement_jws"}),
}
"""By table: the column that names the row, and the columns that are sealed, by their places in the row."""


def seal_row(table: str, row: Sequence[Any], seal: CaseSeal) -> tuple[Any, ...]:
    """Seal what a row holds of its case.

    Args:
        table: bundle, detail or statement.
        row: its columns in the order of the statements that write them, in the clear; texts or bytes.
        seal: of the case.

    Returns:
        the row as it is stored.
    """
    key, columns = _SEALED[table]
    name, values = str(row[key]), list(row)
    for at, column in columns.items():
        value = values[at]
        if value is not None:
            values[at] = seal.seal(column, name, value.encode() if isinstance(value, str) else value)
    return tuple(values)
