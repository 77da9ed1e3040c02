"""What facts have said of the persons of a case so far: custody, what their limits depend on, and who the victims are.

Source: domain model, sections 0 (2) and 1.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.core.clock.rule import RECIPIENT, STEP, UNTIL
from gateway.core.fact.fact import Fact
from gateway.core.fact.handed_on import LEFT, TAKEN_OVER

CUSTODY: Final[Mapping[str, bool | None]] = {
    "detained": True,
    "arrested": True,
    "surveillance_ordered": False,
    "bailed": False,
    "released": False,
    "measure_ended": None,
}
"""Events that change whether a person is in custody; None: nobody says what came after."""
MEASURES: Final[Mapping[str, str | None]] = {
    "detained": "DETENTION",
    "arrested": "ARREST",
    "surveillance_ordered": "RS",
    "bailed": "BAIL",
    "released": None,
    "measure_ended": None,
}
OF_EVENT: Final = frozenset(
    {
        STEP, RECIPIENT, "clock", "extension", "length", "asset", "approver", "whole_account", "signed_at", UNTIL,
        "to_case", "to_person", "from_case", "from_person",
    }
)  # fmt: skip
"""What is said of the event, not of the person."""
OF_NO_SUSPECT: Final = frozenset(
    {
        "frozen", "unrelated_found", "unrelated_lifted", "freeze_verified", "freeze_lifted", "extended",
        "victim_named", "victim_served",
    }
)  # fmt: skip
"""Events whose person may be an account or a victim."""


_FROM: Final = frozenset({"from_case", "from_person"})


@dataclass(slots=True)
class Knowledge:
    """What is known while facts are counted; it grows with each fact.

    Args:
        custody: whether each person is in custody; None when not known any more.
        about: what the limits of each person depend on.
        victims: persons whom a record named as victims.
        origins: of each who was taken over from another case, that case and the pseudonym in it; the first of several.
        left: persons whom another case has taken over.
    """

    custody: dict[str, bool | None] = field(default_factory=dict)
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    victims: set[str] = field(default_factory=set)
    origins: dict[str, tuple[str, str]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)

    def learn(self, fact: Fact) -> None:
        """Take what a fact says of its person; what it says of the event is not kept."""
        if fact.kind == "victim_named":
            self.victims.add(fact.person)
        if not fact.person or fact.kind in OF_NO_SUSPECT:
            return
        if fact.kind == LEFT:
            self.left.add(fact.person)
            self.about.pop(fact.person, None)
            return
        if fact.kind == TAKEN_OVER and fact.inputs.keys() >= _FROM:
            self.origins.setdefault(fact.person, (fact.inputs["from_case"], fact.inputs["from_person"]))
        about = self.about.setdefault(fact.person, {})
        if fact.kind == "converted":
            # A conversion that does not say to what leads to the shorter of the two limits.
            about["procedure"] = "SUMMARY"
        about.update({name: value for name, value in fact.inputs.items() if name not in OF_EVENT and name != "measure"})
        if fact.kind == "left_lane":
            about["procedure"] = "ORDINARY"
        if fact.kind in MEASURES:
            about["measure"] = MEASURES[fact.kind]

    def is_held(self, person: str) -> bool:
        """Whether a person counts as in custody: no victim does, and of anybody else it counts when nobody knows."""
        return person not in self.victims and self.custody.get(person) is not False
