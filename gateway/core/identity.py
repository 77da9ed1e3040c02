"""Who a caller is: an agency with a role, written ``ps:110108``, carried in a certificate as a URI.

The common name of a certificate is never looked at: it is free text that any CA may have filled in by hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from gateway.core.errors import ErrorCode, refuse

URI_PREFIX = "urn:fasttrack:agency:"
GATEWAY_URI = "urn:fasttrack:gateway"
"""The gateway itself, in the certificates of its server and of its receipts."""
_AGENCY = re.compile(r"(ps|pr|ct|ja|ov|xx):([0-9]{6})", re.ASCII)


class Role(StrEnum):
    """What an agency is in the procedure."""

    POLICE = "ps"
    PROCURATORATE = "pr"
    COURT = "ct"
    JUSTICE = "ja"
    OVERSIGHT = "ov"
    SELF_SERVICE = "xx"
    """The desk or website by which parties ask how a case stands; it reads nothing else."""


SYSTEM_OF_ROLE = {
    Role.POLICE: "police",
    Role.PROCURATORATE: "procuratorate",
    Role.COURT: "court",
    Role.JUSTICE: "justice",
}
"""Name of the agency system, and of its adapter, for each role that exchanges records."""


@dataclass(frozen=True, slots=True)
class Agency:
    """An organisation with an identity.

    Args:
        role: what it is in the procedure.
        division: six digits of GB/T 2260, its seat.
    """

    role: Role
    division: str

    def __str__(self) -> str:
        return f"{self.role._value_}:{self.division}"

    @property
    def uri(self) -> str:
        """The identity as it stands in a certificate, ``urn:fasttrack:agency:ps:110108``."""
        return f"{URI_PREFIX}{self}"

    @property
    def system(self) -> str:
        """Name of its system (police, procuratorate, court, justice); "" for who exchanges no records."""
        return SYSTEM_OF_ROLE.get(self.role, "")


@dataclass(frozen=True, slots=True)
class GatewayActor:
    """The gateway itself, by whose name its operator acts: keys, rule sets and adapters that come into force.

    It is no agency and has no role: no certificate of a caller can name it, so no call can act as it.
    """

    def __str__(self) -> str:
        return "gateway"


GATEWAY: Final = GatewayActor()
Actor = Agency | GatewayActor
"""Whose act an entry records."""


def parse_actor(text: str, path: str = "") -> Actor:
    """Read whose act an entry records.

    Args:
        text: an agency in short form, or ``gateway``.
        path: where the text stood, for the finding.

    Returns:
        the agency, or the gateway.

    Raises:
        GatewayError: ARGUMENT_INVALID when the text is neither.
    """
    return GATEWAY if text == str(GATEWAY) else parse_agency(text, path)


@lru_cache(maxsize=4096)
def parse_agency(text: str, path: str = "") -> Agency:
    """Read an agency from its short form.

    Args:
        text: role and six digits, ``ps:110108``.
        path: where the text stood, for the finding.

    Returns:
        the agency.

    Raises:
        GatewayError: ARGUMENT_INVALID when the text has another form.
    """
    match = _AGENCY.fullmatch(text)
    if match is None:
        raise refuse(ErrorCode.ARGUMENT_INVALID, path, "an agency is written as role, colon, six digits: ps:110108")
    return Agency(Role(match[1]), match[2])


def parse_uris(uris: tuple[str, ...]) -> Agency:
    """Read the one agency that a certificate names.

    Args:
        uris: all URIs of the certificate's subject alternative name.

    Returns:
        the agency.

    Raises:
        GatewayError: CALLER_UNIDENTIFIED when there is no agency URI, more than one, or one of another form.
    """
    named = [uri for uri in uris if uri.startswith(URI_PREFIX)]
    if len(named) != 1 or _AGENCY.fullmatch(named[0][len(URI_PREFIX) :]) is None:
        raise refuse(
            ErrorCode.CALLER_UNIDENTIFIED,
            message="the certificate must carry exactly one URI urn:fasttrack:agency:<role>:<division>",
        )
    return parse_agency(named[0][len(URI_PREFIX) :])
