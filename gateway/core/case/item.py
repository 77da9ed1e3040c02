"""Organisations, victims, property, documents and the other lists of the canonical case.

Source: agency interfaces, section 3. Names follow the canonical fields (``plea.on`` of a person is ``Person.plea_on``);
``None`` means that nothing is known, which is never the same as false or zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from gateway.core.case.person import Charge
from gateway.core.case.value import PartialDate, RawText


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation defendant."""

    key: str  # organisation key
    name: str  # name of the organisation
    uscc: str | None = None  # unified social credit code
    address: str | None = None  # address
    legal_rep: str | None = None  # legal representative
    lit_rep: str | None = None  # litigation representative
    lit_rep_post: str | None = None  # post of the litigation representative
    proposed_fine: int | None = None  # proposed fine, in fen
    nonpros_ground: str | None = None  # ground of non-prosecution
    nonpros_no: str | None = None  # number of the decision
    nonpros_on: date | None = None  # date of the decision
    nonpros_reason: str | None = None  # reasons
    fine: int | None = None  # fine imposed, in fen
    charges: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """A victim; one whose identity is sealed has no name here."""

    key: str  # victim key
    sealed: bool | None = None  # identity sealed
    name: str | None = None  # name; absent when sealed
    pseudonym: str | None = None  # pseudonym used instead of the name
    volume: str | None = None  # number of the sealed volume that holds the identity
    sex: str | None = None  # sex
    birth: PartialDate | None = None  # birth date, possibly partial
    cid: str | None = None  # citizen id
    phone: str | None = None  # telephone
    loss: int | None = None  # loss, in fen
    settled: bool | None = None  # settlement reached or no civil claim
    settled_on: date | None = None  # date of the settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """An item of property."""

    name: str  # name
    quantity: str | None = None  # quantity
    unit: str | None = None  # unit of the quantity
    value: int | None = None  # value, in fen
    disposal: str | RawText | None = None  # disposal or proposal for it
    owner: str | None = None  # person from whom it was taken
    no: str | None = None  # number of the seizure list


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A frozen fund."""

    bank: str  # bank
    holder: str | None = None  # account holder
    account: str  # account number
    kind: str | None = None  # limit or whole account
    amount: int  # amount frozen, in fen
    from_: date  # first day
    to: date  # last day
    no: str | None = None  # number of the freezing decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of the file."""

    key: str  # serial key of the document
    code: str  # document code
    title: str  # title
    no: str | None = None  # document number
    on: date | None = None  # date
    pages: int  # pages
    sha256: str  # SHA-256 of the material
    person: str | None = None  # person to whom it belongs


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """An interruption of a recording."""

    start: datetime  # start
    end: datetime  # end
    reason: str | None = None  # reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording in the manifest."""

    device: str  # device serial number
    start: datetime  # start
    end: datetime  # end
    sha256: str  # SHA-256 of the file
    transcript: str | None = None  # document key of the transcript that it covers
    officer: str | None = None  # officer number of the wearer or operator
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """An officer who acted."""

    no: str  # officer number
    level: str | None = None  # qualification level
    valid_to: date | None = None  # qualification valid until
    role: str | None = None  # role


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplement:
    """An item of the supplement list."""

    no: int  # item number
    kind: str  # kind of deficiency
    document: str | None = None  # document asked for
    text: str  # what is asked
    reply: str | None = None  # reply of the police
