"""Agencies: how they are written, and who a certificate stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import SYSTEM_OF_ROLE, Agency, Role, parse_agency, parse_uris

AGENCIES = st.builds(Agency, st.sampled_from(Role), st.from_regex(r"[0-9]{6}", fullmatch=True))


@given(AGENCIES)
def test_parse_agency_written_agency_is_read_back(agency: Agency) -> None:
    """What is written is read back, from the short form and from the URI."""
    assert parse_agency(str(agency)) == agency
    assert parse_uris((agency.uri,)) == agency


@pytest.mark.parametrize(
    "text",
    ["", "ps", "ps:", "ps:11010", "ps:1101088", "PS:110108", "ps:110108\n", " ps:110108", "zz:110108", "ps:11010٨"],
)
def test_parse_agency_other_form_is_refused_with_its_path(text: str) -> None:
    """Anything but role, colon and six ASCII digits is refused, and the finding says where it stood."""
    with pytest.raises(GatewayError) as caught:
        parse_agency(text, "receiver")
    (finding,) = caught.value.findings
    assert (finding.code, finding.path) == (ErrorCode.ARGUMENT_INVALID, "receiver")


@given(st.text())
def test_parse_agency_arbitrary_text_is_refused_without_being_repeated(text: str) -> None:
    """A refusal never repeats what was sent."""
    with pytest.raises(GatewayError) as caught:
        parse_agency(text + "!")
    assert caught.value.findings[0].message == parse_refusal_message()


def parse_refusal_message() -> str:
    """The message of any refusal."""
    with pytest.raises(GatewayError) as caught:
        parse_agency("")
    return caught.value.findings[0].message


def test_parse_uris_uris_of_others_are_ignored() -> None:
    """A certificate may serve other systems too."""
    assert parse_uris(("spiffe://x", "urn:fasttrack:agency:ja:110105", "urn:fasttrack:gateway")).role is Role.JUSTICE


@pytest.mark.parametrize(
    "uris",
    [
        (),
        ("urn:fasttrack:gateway",),
        ("urn:fasttrack:agency:",),
        ("urn:fasttrack:agency:ps:110108", "urn:fasttrack:agency:pr:110108"),
        ("urn:fasttrack:agency:ps:110108", "urn:fasttrack:agency:zz:1"),
        ("urn:fasttrack:agency:ps:110108x",),
    ],
)
def test_parse_uris_nobody_or_several_are_refused(uris: tuple[str, ...]) -> None:
    """A certificate stands for exactly one agency, or for nobody."""
    with pytest.raises(GatewayError) as caught:
        parse_uris(uris)
    assert caught.value.code is ErrorCode.CALLER_UNIDENTIFIED


def test_agency_system_every_role_but_oversight_has_one() -> None:
    """Oversight and self-service exchange no records, so they have no system; every other role has one."""
    assert set(Role) - set(SYSTEM_OF_ROLE) == {Role.OVERSIGHT, Role.SELF_SERVICE}
    assert Agency(Role.OVERSIGHT, "110000").system == ""
    assert Agency(Role.COURT, "110108").system == "court"
