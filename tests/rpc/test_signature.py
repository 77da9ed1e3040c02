"""Bundles whose signature does not hold, over the wire: refused by their own code, recorded, nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.core.errors import ErrorCode
from gateway.core.manifest import to_payload
from tests.rpc.conftest import Signers
from tests.support.bundle import (
    bundle_of,
    load_issued,
    new_case_number,
    parts_of,
    payload_bytes,
    segment,
    sign,
    sign_bytes,
    transfer_manifest,
    transfer_record,
)
from tests.support.pki import MemoryPki
from tests.support.wire import Desk, Refused

E = ErrorCode
X5C = "header/x5c"


def _tampered_payload(jws: str, signers: Signers) -> str:
    _, payload, signature = parts_of(jws)
    payload["receiver"] = "pr:110105"
    return f"{jws.split('.', maxsplit=1)[0]}.{segment(payload)}.{segment(signature)}"


def _tampered_header(jws: str, signers: Signers) -> str:
    header, _, _ = parts_of(jws)
    # The same header with its fields in another order: nothing in it is wrong but that it was not signed like this.
    other = segment(dict(sorted(header.items(), reverse=True)))
    assert other != jws.split(".", maxsplit=1)[0]
    return ".".join([other, *jws.split(".")[1:]])


def _without_algorithm(jws: str, signers: Signers) -> str:
    header, _, _ = parts_of(jws)
    return f"{segment({**header, 'alg': 'none'})}.{jws.split('.')[1]}."


def _keyed_with_the_public_key(jws: str, signers: Signers) -> str:
    header, _, _ = parts_of(jws)
    public = signers.police.certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{segment({**header, 'alg': 'HS256'})}.{jws.split('.')[1]}"
    return f"{text}.{segment(digest(public, text.encode(), 'sha256'))}"


def _with_header(**changes: Any) -> Callable[[str, Signers], str]:
    def change(jws: str, signers: Signers) -> str:
        header, _, _ = parts_of(jws)
        return sign_bytes(payload_bytes(jws), signers.police, {**header, **changes})

    return change


def _second_spelling(jws: str, signers: Signers) -> str:
    """The same signature bytes with leftover bits set in their last character."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return jws[:-1] + alphabet[alphabet.index(jws[-1]) + 1]


CASES: dict[str, tuple[Callable[[str, Signers], str], tuple[ErrorCode, str]]] = {
    "tampered payload": (_tampered_payload, (E.SIGNATURE_INVALID, "signature")),
    "tampered header": (_tampered_header, (E.SIGNATURE_INVALID, "signature")),
    "alg none": (_without_algorithm, (E.ALGORITHM_NOT_ALLOWED, "header/alg")),
    "HS256 with the public key": (_keyed_with_the_public_key, (E.ALGORITHM_NOT_ALLOWED, "header/alg")),
    "alg of another key": (_with_header(alg="ES256"), (E.ALGORITHM_NOT_ALLOWED, "header/alg")),
    "unknown crit": (
        _with_header(crit=["exp"], exp=1),
        (E.CRITICAL_HEADER_UNKNOWN, "header/crit"),
    ),
    "type of a receipt": (_with_header(typ="fasttrack-receipt+jws"), (E.JWS_TYPE_WRONG, "header/typ")),
    "thumbprint of another": (_with_header(**{"x5t#S256": "A" * 43}), (E.THUMBPRINT_MISMATCH, "header/x5t#S256")),
    "second spelling": (_second_spelling, (E.JWS_MALFORMED, "signature")),
    "no JWS": (lambda jws, signers: "not a jws", (E.JWS_MALFORMED, "")),
    "nothing": (lambda jws, signers: "", (E.JWS_MALFORMED, "")),
}


@pytest.mark.parametrize("name", CASES)
async def test_bundle_with_a_signature_that_does_not_hold_is_refused(
    name: str, police: Desk, refused: Refused, signers: Signers
) -> None:
    """Nobody gets a bundle past the gateway that its sender did not sign exactly so."""
    make, found = CASES[name]
    case_number = new_case_number()
    _, jws, record = bundle_of(case_number, signers.police)
    odd = make(jws, signers)
    more = [(E.JWS_MALFORMED, "header")] if name == "unknown crit" else []
    await refused(police, police.submit(odd, record), found, *more, case_number=case_number)
    # The honest bundle is not harmed by the attempt.
    assert (await police.submit(jws, record)).pair_number > 0


@pytest.mark.parametrize(
    ("signer", "found"),
    [
        ("expired", [(E.CERTIFICATE_NOT_VALID_NOW, X5C)]),
        ("early", [(E.CERTIFICATE_NOT_VALID_NOW, X5C)]),
        ("revoked", [(E.KEY_REVOKED, X5C)]),
        ("unregistered", [(E.KEY_NOT_REGISTERED, X5C)]),
    ],
)
async def test_bundle_of_a_signer_that_does_not_count_is_refused(
    signer: str, found: list[tuple[ErrorCode, str]], police: Desk, refused: Refused, signers: Signers
) -> None:
    """A certificate counts while it is valid, registered and not revoked, whoever issued it."""
    case_number = new_case_number()
    _, jws, record = bundle_of(case_number, getattr(signers, signer))
    await refused(police, police.submit(jws, record), *found, case_number=case_number)


async def test_bundle_of_a_signer_from_another_ca_is_refused(police: Desk, refused: Refused) -> None:
    """A chain that leads elsewhere proves nothing, however well it is made."""
    _, jws, record = bundle_of(new_case_number(), MemoryPki(datetime.now(UTC)).signer(not_before=datetime.now(UTC)))
    await refused(police, police.submit(jws, record), (E.CERTIFICATE_CHAIN_INVALID, X5C), (E.KEY_NOT_REGISTERED, X5C))


async def test_bundle_signed_with_the_tls_certificate_is_refused(police: Desk, refused: Refused) -> None:
    """A TLS key signs connections, never documents."""
    files = refused.gateway.pki.agency("ps:110108")
    tls = load_issued(files.tls_certificate, files.tls_key)
    _, jws, record = bundle_of(new_case_number(), tls)
    refusal = await refused(
        police,
        police.submit(jws, record),
        (E.CERTIFICATE_CHAIN_INVALID, X5C),
        (E.KEY_USAGE_WRONG, X5C),
        (E.KEY_NOT_REGISTERED, X5C),
    )
    assert refusal.status == "UNAUTHENTICATED"


async def test_bundle_signed_by_another_agency_is_refused(police: Desk, refused: Refused, signers: Signers) -> None:
    """Signer, caller and sender are one agency; a valid signature of another one does not help."""
    case_number = new_case_number()
    _, jws, record = bundle_of(case_number, signers.procuratorate)
    await refused(police, police.submit(jws, record), (E.SIGNER_NOT_CALLER, "manifest_jws"), case_number=case_number)


async def test_bundle_sent_by_another_agency_than_its_sender_is_refused(
    court: Desk, refused: Refused, signers: Signers
) -> None:
    """Whoever gets hold of a signed bundle cannot submit it in the sender's place."""
    case_number = new_case_number()
    _, jws, record = bundle_of(case_number, signers.police)
    await refused(
        court,
        court.submit(jws, record),
        (E.CALLER_NOT_SENDER, "/sender"),
        (E.SIGNER_NOT_CALLER, "manifest_jws"),
        case_number=case_number,
    )


async def test_validate_and_submit_refuse_a_signature_alike(police: Desk, refused: Refused, signers: Signers) -> None:
    """What Validate says of a signature is what Submit says, and each call is on the record."""
    _, jws, record = bundle_of(new_case_number(), signers.expired)
    found = [(E.CERTIFICATE_NOT_VALID_NOW, X5C)]
    validated = await refused(police, police.validate(jws, record), *found)
    submitted = await refused(police, police.submit(jws, record), *found)
    assert (validated.found, validated.text) == (submitted.found, submitted.text)


async def test_bundle_signed_with_es256_is_accepted(refused: Refused, signers: Signers) -> None:
    """Both allowed algorithms work over the wire."""
    case_number = new_case_number()
    async with Desk(refused.gateway, "ps:110105") as desk:
        record = transfer_record(case_number, sender="ps:110105")
        manifest = transfer_manifest(record, case_number, sender="ps:110105")
        answer = await desk.submit(sign(manifest, signers.other_police), record)
    assert answer.receipt.leaf_hash == sha256(b"\x00" + answer.receipt.leaf).digest()
    assert parts_of(sign(manifest, signers.other_police))[1] == to_payload(manifest)
