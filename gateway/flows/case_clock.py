"""The limits of one case for its parties, counted from its facts at the moment of the question."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.clock.fold import fold_facts
from gateway.core.clock.table import name_counting
from gateway.core.clock.view import CaseClocks, view_clocks
from gateway.core.errors import ErrorCode, refuse
from gateway.core.identity import Agency
from gateway.flows.parts import Parts
from gateway.flows.person_key import find_person_keys


async def read_case_clocks(parts: Parts, caller: Agency, case_number: str) -> CaseClocks:
    """Count the limits of a case.

    Args:
        parts: the filled ports.
        caller: a party of the case.
        case_number: police case number.

    Returns:
        the limits that the caller may see, with the keys of the persons whom it knows; of a destroyed
            case pseudonyms only.

    Raises:
        GatewayError: ARGUMENT_INVALID; NOT_A_PARTY, also for a case that there is not;
            LEDGER_UNAVAILABLE, VAULT_UNAVAILABLE.
    """
    if not case_number:
        raise refuse(ErrorCode.ARGUMENT_INVALID, "case_number", "a police case number")
    case = parts.pseudonyms.case(case_number)
    if not await parts.reader.is_party(case, caller):
        error = refuse(ErrorCode.NOT_A_PARTY, "case_number", "only the parties of a case may read its limits")
        error.case = case
        raise error
    fold = fold_facts(await parts.reader.case_facts(case), parts.clocks, parts.counting)
    found = view_clocks(fold, parts.counting, caller, await parts.notices.parties(case), parts.clock())
    keys = await find_person_keys(parts, caller, case_number, {view.person for view in found.clocks})
    views = tuple(replace(view, person_key=keys.get(view.person, "")) for view in found.clocks)
    return replace(found, clocks=views, counted_by=name_counting(parts.clocks, parts.counting))
