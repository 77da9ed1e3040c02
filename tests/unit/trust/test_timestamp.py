"""Time-stamp tokens: what is accepted, and one test for each thing that can be wrong with one."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import ErrorCode, GatewayError
from gateway.trust.timestamp import TimestampAuthority, load_roots, to_request, verify_response, verify_token
from tests.support.pki import NOW
from tests.support.tsa import SHA512, LocalTsa, http_reply, rejection, serve

TSA = LocalTsa()
DIGEST = hashlib.sha256(b"a checkpoint").digest()
OTHER = hashlib.sha256(b"another checkpoint").digest()
TOKEN = TSA.token(DIGEST)
NONCE = 2**63 + 5


def code_of(token: bytes, digest: bytes = DIGEST, tsa: LocalTsa = TSA) -> ErrorCode:
    """The code with which a token is refused."""
    with pytest.raises(GatewayError) as caught:
        verify_token(token, digest, tsa.roots)
    return caught.value.code


def code_of_answer(answer: bytes) -> ErrorCode:
    """The code with which an answer is refused."""
    with pytest.raises(GatewayError) as caught:
        verify_response(answer, digest=DIGEST, nonce=NONCE, roots=TSA.roots)
    return caught.value.code


def test_verify_token_right_token_gives_its_time() -> None:
    """A token below a trusted root is evidence of a time, in UTC."""
    assert verify_token(TOKEN, DIGEST, TSA.roots) == NOW
    assert verify_token(TOKEN, DIGEST, TSA.roots).tzinfo == UTC


def test_verify_token_one_of_several_roots_is_enough() -> None:
    """While an authority is being replaced there are two roots."""
    other = LocalTsa()
    assert verify_token(TOKEN, DIGEST, (*other.roots, *TSA.roots)) == NOW


def test_verify_token_is_judged_at_its_own_time_not_now() -> None:
    """A token outlives its certificates, but was not made outside their time."""
    old = LocalTsa(now=datetime(2016, 1, 1, tzinfo=UTC))
    assert verify_token(old.token(DIGEST), DIGEST, old.roots) == old.now
    for at in (old.now + timedelta(days=91), old.now - timedelta(days=1)):
        assert code_of(old.token(DIGEST, at=at), tsa=old) is ErrorCode.TIMESTAMP_INVALID


def test_verify_token_of_another_digest_is_refused() -> None:
    """A token cannot be moved to another checkpoint."""
    assert code_of(TOKEN, OTHER) is ErrorCode.TIMESTAMP_INVALID


def test_verify_token_of_another_authority_is_refused() -> None:
    """A root that is not configured counts for nothing, even with the same name."""
    assert code_of(LocalTsa().token(DIGEST)) is ErrorCode.TIMESTAMP_INVALID


def test_verify_token_with_an_imprint_of_another_algorithm_is_refused() -> None:
    """A digest that is said to be of another algorithm does not stand for ours."""
    assert code_of(TSA.token(DIGEST, algorithm=SHA512)) is ErrorCode.TIMESTAMP_INVALID


def test_verify_token_without_certificate_is_refused() -> None:
    """A token must be verifiable by itself, years later."""
    assert code_of(TSA.token(DIGEST, with_certificate=False)) is ErrorCode.TIMESTAMP_INVALID


@pytest.mark.parametrize(
    "tsa",
    [
        LocalTsa(usage=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
        LocalTsa(usage=(ExtendedKeyUsageOID.CODE_SIGNING,)),
        LocalTsa(is_critical=False),
    ],
    ids=["client", "code", "not-critical"],
)
def test_verify_token_of_a_certificate_for_another_use_is_refused(tsa: LocalTsa) -> None:
    """Nobody stamps with a certificate that was issued for something else."""
    assert code_of(tsa.token(DIGEST), tsa=tsa) is ErrorCode.TIMESTAMP_INVALID


@pytest.mark.parametrize("token", [b"", b"\x30\x00", TOKEN[:-1], TOKEN + b"\0", TOKEN + TOKEN, b"text"])
def test_verify_token_that_is_none_is_refused(token: bytes) -> None:
    """Bytes that are no token, or have more behind it, are refused."""
    assert code_of(token) is ErrorCode.TIMESTAMP_INVALID


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(TOKEN) - 1), st.integers(1, 255))
def test_verify_token_with_a_changed_byte_is_refused_or_says_the_same(place: int, difference: int) -> None:
    """No change of a byte gives another time or another digest, and none raises anything but a refusal."""
    changed = bytearray(TOKEN)
    changed[place] ^= difference
    try:
        assert verify_token(bytes(changed), DIGEST, TSA.roots) == NOW
    except GatewayError as error:
        assert error.code is ErrorCode.TIMESTAMP_INVALID


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_verify_response_of_arbitrary_bytes_is_refused(answer: bytes) -> None:
    """Whatever an authority sends, it is refused with a code and no other exception."""
    assert code_of_answer(answer) in {ErrorCode.TIMESTAMP_INVALID, ErrorCode.TIMESTAMP_REFUSED}


def test_verify_response_right_answer_gives_the_token() -> None:
    """The token in the answer to our request is verified and handed out as it is."""
    answer = TSA.answer(to_request(DIGEST, NONCE))
    token = verify_response(answer, digest=DIGEST, nonce=NONCE, roots=TSA.roots)
    assert token == answer[-len(token) :]
    assert verify_token(token, DIGEST, TSA.roots) == NOW


@pytest.mark.parametrize("nonce", [None, NONCE + 1, 0])
def test_verify_response_with_another_nonce_is_refused(nonce: int | None) -> None:
    """An answer to an earlier request is not an answer to this one."""
    assert code_of_answer(TSA.answer(to_request(DIGEST, NONCE), nonce=nonce)) is ErrorCode.TIMESTAMP_INVALID


@pytest.mark.parametrize("status", [1, 2, 3, 4, 5])
def test_verify_response_that_grants_nothing_is_refused_with_its_own_code(status: int) -> None:
    """A refusal of the authority is not mistaken for a bad token; only a plain grant counts."""
    assert code_of_answer(rejection(status)) is ErrorCode.TIMESTAMP_REFUSED


@pytest.mark.parametrize("digest", [b"", b"a" * 31, b"a" * 64])
def test_to_request_of_another_length_is_refused(digest: bytes) -> None:
    """Only a SHA-256 digest is stamped."""
    with pytest.raises(ValueError, match="32 bytes"):
        to_request(digest, NONCE)


def test_load_roots_without_a_certificate_is_refused() -> None:
    """An empty file of roots is an error, not a list of nobody."""
    pem = TSA.ca.certificate.public_bytes(Encoding.PEM)
    assert load_roots(pem + pem) == TSA.roots * 2
    with pytest.raises(ValueError, match="PEM"):
        load_roots(b"")


def test_token_is_accepted_by_openssl_itself(tmp_path: Path) -> None:
    """Where the openssl program is installed, it accepts the token, and reads the request."""
    program = shutil.which("openssl")
    if program is None:
        return  # every promise above is held without it
    (tmp_path / "token").write_bytes(TOKEN)
    (tmp_path / "query").write_bytes(to_request(DIGEST, NONCE))
    (tmp_path / "root.pem").write_bytes(TSA.ca.certificate.public_bytes(Encoding.PEM))
    known = ["-in", str(tmp_path / "token"), "-token_in", "-CAfile", str(tmp_path / "root.pem")]
    at = ["-attime", str(int(NOW.timestamp()))]
    command = [program, "ts", "-verify", "-digest", DIGEST.hex(), *known, *at]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout, done.stderr
    command[4] = OTHER.hex()
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
    query = [program, "ts", "-query", "-in", str(tmp_path / "query"), "-text"]
    done = subprocess.run(query, capture_output=True, text=True, check=True)
    assert f"0x{NONCE:X}" in done.stdout
    assert "Certificate required: yes" in done.stdout


async def test_request_token_from_a_server_gives_a_verified_token() -> None:
    """Over HTTP the digest goes out, and the token comes back."""
    tsa = LocalTsa()
    async with serve(lambda request: http_reply(tsa.answer(request))) as url:
        authority = TimestampAuthority(url, tsa.roots)
        first, second = await authority.request_token(DIGEST), await authority.request_token(DIGEST)
    assert verify_token(first, DIGEST, tsa.roots) == NOW
    assert first != second
    assert tsa.requests[0] != tsa.requests[1], "every request has a nonce of its own"


async def test_request_token_answered_with_an_old_answer_is_refused() -> None:
    """A server that repeats the answer to an earlier request is found out by the nonce."""
    tsa = LocalTsa()
    old = http_reply(tsa.answer(to_request(DIGEST, NONCE)))
    async with serve(lambda _: old) as url:
        with pytest.raises(GatewayError) as caught:
            await TimestampAuthority(url, tsa.roots).request_token(DIGEST)
    assert caught.value.code is ErrorCode.TIMESTAMP_INVALID


def test_timestamp_authority_without_roots_is_refused() -> None:
    """An authority whose tokens nobody can verify is a mistake in the settings."""
    with pytest.raises(ValueError, match="root"):
        TimestampAuthority("http://localhost/", ())
