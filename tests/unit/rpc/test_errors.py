"""Findings on the wire."""

import grpc
import pytest
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ErrorCode, Finding, GatewayError, Severity
from gateway.rpc.errors import MAX_DETAIL_BYTES, STATUS_OF, from_status, to_status

FINDINGS = st.lists(
    st.builds(
        Finding,
        st.sampled_from(ErrorCode),
        st.text(max_size=40).filter(str.isascii),
        st.text(max_size=40).filter(str.isascii),
        st.sampled_from(Severity),
    ),
    min_size=1,
    max_size=20,
).filter(lambda findings: any(f.severity is Severity.ERROR for f in findings))


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_error_code_has_a_status_that_is_not_ok_or_unknown(code: ErrorCode) -> None:
    """A client in any language can tell what kind of refusal it is."""
    assert STATUS_OF[code] not in (grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN)


def test_error_code_numbers_are_never_shared() -> None:
    """A number stands for one name for ever; an alias would be a reuse."""
    assert len(ErrorCode.__members__) == len({code.value for code in ErrorCode})


@given(findings=FINDINGS)
def test_refusal_read_back_from_its_status_is_the_same(findings: list[Finding]) -> None:
    """All findings cross the wire, errors first, with code, path, message and severity."""
    expected = sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)
    read = from_status(to_status(GatewayError(findings)))
    assert read is not None
    assert list(read.findings) == expected


def test_status_of_too_many_findings_is_cut_and_says_so() -> None:
    """A trailer that no client would take is cut, and the client is told how many findings there were."""
    findings = [
        Finding(ErrorCode.MISSING_FIELD, f"/XYR/{n}/XYRXM", "mandatory field without value") for n in range(500)
    ]
    status = to_status(GatewayError(findings), entry_index=12)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert status.ByteSize() < MAX_DETAIL_BYTES + 1_000
    assert info.metadata["findings_total"] == "500"
    assert 0 < int(info.metadata["findings_sent"]) < 500
    assert info.metadata["entry_index"] == "12"


def test_status_with_a_delay_asks_to_try_again() -> None:
    """A refusal that may pass carries RetryInfo."""
    read = from_status(to_status(GatewayError(Finding(ErrorCode.QUEUE_FULL), retry_after_seconds=1.5)))
    assert read is not None
    assert read.retry_after_seconds == 1.5
