"""Who may call what."""

import pytest

from gateway.core.access.policy import EXCHANGE, POLICY, authorize
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import Role, parse_agency

EXCHANGE_METHODS = [method for method in POLICY if "ExchangeService" in method or "MaterialService" in method]
LEDGER_METHODS = [method for method in POLICY if "LedgerService" in method]


@pytest.mark.parametrize("method", EXCHANGE_METHODS)
def test_exchange_method_called_by_oversight_is_refused(method: str) -> None:
    """Oversight reads the ledger and nothing of the exchange."""
    with pytest.raises(GatewayError) as refused:
        authorize(parse_agency("ov:110000"), method)
    assert refused.value.code is ErrorCode.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("method", LEDGER_METHODS)
@pytest.mark.parametrize("role", sorted(EXCHANGE))
def test_ledger_method_called_by_a_party_is_refused(method: str, role: Role) -> None:
    """An agency that exchanges files cannot look into the ledger of others."""
    with pytest.raises(GatewayError) as refused:
        authorize(parse_agency(f"{role}:110108"), method)
    assert refused.value.code is ErrorCode.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("role", list(Role))
def test_method_without_a_row_is_refused_for_everybody(role: Role) -> None:
    """Default deny: what the table does not name nobody may call."""
    with pytest.raises(GatewayError):
        authorize(parse_agency(f"{role}:110108"), "gateway.v1.ExchangeService/Erase")


@pytest.mark.parametrize("method", sorted(POLICY))
def test_policy_row_lets_exactly_its_roles_through(method: str) -> None:
    """Each row opens its method to the roles it names and to no other."""
    let_through = set()
    for role in Role:
        try:
            authorize(parse_agency(f"{role}:110108"), method)
        except GatewayError:
            continue
        let_through.add(role)
    assert let_through == POLICY[method]
