"""The book of the crash rounds must not overlook anything: each kind of wrong is made once, and counted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from certs.pki import make_pki
from gateway.app import RECEIPT_TYPE
from gateway.core.port.ledger import Appended
from gateway.trust.receipt import load_receipt_signer
from gateway.v1 import common_pb2, ledger_pb2
from tests.crash.book import Book, LedgerBrokenError, Roots
from tests.integration.ledger.act import append_all, batcher_on, committed, make_submit
from tests.support.audit import merkle_root

ACTOR = "ps:110108"


@pytest.fixture
async def written(database_url: str, tmp_path: Path) -> tuple[Book, list[Appended]]:
    """A ledger of three submits with real receipts, and an empty book."""
    pki = make_pki(tmp_path / "pki", now=datetime.now(UTC))
    signer = load_receipt_signer(pki.receipt_certificate, pki.receipt_key)
    async with batcher_on(database_url, sign=lambda claims: signer.sign(claims, RECEIPT_TYPE)) as batcher:
        appended = committed(await append_all(batcher, [make_submit() for _ in range(3)]))
    return Book(x509.load_pem_x509_certificate(pki.signing_ca.read_bytes())), appended


def rows_of(appended: Sequence[Appended]) -> list[ledger_pb2.Entry]:
    """The entries as oversight reads them."""
    return [ledger_pb2.Entry(index=one.index, leaf=one.leaf, leaf_hash=one.leaf_hash) for one in appended]


def receipt_of(appended: Appended) -> common_pb2.Receipt:
    """The receipt as a caller gets it."""
    return common_pb2.Receipt(
        jws=appended.receipt_jws, leaf=appended.leaf, leaf_hash=appended.leaf_hash, entry_index=appended.index
    )


async def test_book_of_true_receipts_is_clean(written: tuple[Book, list[Appended]]) -> None:
    """What is right is not reported, also when it is told a second time."""
    book, appended = written
    book.read(rows_of(appended))
    for _ in range(2):
        for one, entry in zip(appended, book.entries, strict=True):
            book.acknowledge(entry.act_id, entry.actor, receipt_of(one))
    book.check()
    assert book.is_clean and len(book.acknowledged) == 3


async def test_book_counts_an_acknowledged_act_that_is_gone_as_lost(written: tuple[Book, list[Appended]]) -> None:
    """A receipt without its entry is a loss."""
    book, appended = written
    book.read(rows_of(appended[:2]))
    book.acknowledge("another act", ACTOR, receipt_of(appended[2]))
    book.check()
    assert (book.lost, book.doubled, book.lying_receipts) == (1, 0, 0)


async def test_book_counts_an_act_that_stands_twice_as_doubled(written: tuple[Book, list[Appended]]) -> None:
    """The same act in two entries is counted, whatever their indices."""
    book, appended = written
    book.read(rows_of(appended))
    book.entries.clear()
    book.read(rows_of(appended[:1]))
    assert book.doubled == 1


async def test_book_counts_receipts_that_say_something_else_as_lying(written: tuple[Book, list[Appended]]) -> None:
    """A receipt of another entry, without a good signature, for another tree, or one that changed, is a lie."""
    book, appended = written
    book.read(rows_of(appended))
    first, second, third = book.entries
    book.acknowledge(first.act_id, first.actor, receipt_of(appended[1]))
    broken = receipt_of(appended[1])
    broken.jws = broken.jws[:-4] + "AAAA"
    book.acknowledge(second.act_id, second.actor, broken)
    book.acknowledge(third.act_id, third.actor, receipt_of(appended[2]))
    book.roots.of[3] = bytes(32)
    book.check()
    assert book.lying_receipts == 3
    book.acknowledge(third.act_id, third.actor, receipt_of(appended[1]))
    assert (book.lost, book.doubled, book.lying_receipts) == (0, 0, 4)


async def test_book_of_a_ledger_with_a_hole_or_another_hash_is_refused(written: tuple[Book, list[Appended]]) -> None:
    """An index that is left out and a hash that is not the leaf's end the rounds."""
    book, appended = written
    with pytest.raises(LedgerBrokenError, match="entry 0 is not there"):
        book.read(rows_of(appended[1:]))
    (row,) = rows_of(appended[:1])
    row.leaf_hash = bytes(32)
    with pytest.raises(LedgerBrokenError, match="entry 0 has another hash"):
        book.read([row])


def test_roots_of_every_size_are_those_of_the_definition() -> None:
    """The quick way to all roots agrees with the slow one that the standard writes down."""
    hashes = [random.Random(number).randbytes(32) for number in range(40)]
    roots = Roots()
    for leaf_hash in hashes:
        roots.append(leaf_hash)
    assert roots.of == [merkle_root(hashes[:size]) for size in range(41)]
