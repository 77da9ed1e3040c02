"""Proofs of logging and the policy they are judged by, against a server that lies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.entry import leaf_hash
from gateway.core.log.cosignature import cosign
from gateway.core.log.note import NoteError, Signature, parse_note
from gateway.core.log.tlog_proof import TlogProof, parse_tlog_proof, verify_tlog_proof
from gateway.core.log.witness_policy import PolicyError, QuorumError, WitnessPolicy, parse_policy, verify_cosigned
from tests.support.notes import TIME, MemoryLog, make_key, make_witness

LOG = MemoryLog.of(11)
POLICY = LOG.policy
LEAF = leaf_hash(LOG.leaves[6])
PROOF = LOG.proof(6)


def test_proof_of_an_entry_verifies_offline() -> None:
    """File, leaf and policy are all that is needed."""
    cosigned = verify_tlog_proof(parse_tlog_proof(PROOF.to_bytes()), LEAF, POLICY)
    assert cosigned.checkpoint == LOG.head()
    assert cosigned.witnesses == {key.name: TIME for key in LOG.witnesses[:2]}


@pytest.mark.parametrize("index", range(11))
def test_proof_of_every_entry_verifies(index: int) -> None:
    """Each place of a tree that is not full has its own path."""
    verify_tlog_proof(LOG.proof(index, cosigners=3), leaf_hash(LOG.leaves[index]), POLICY)


@pytest.mark.parametrize(
    "proof",
    [
        replace(PROOF, index=5),
        replace(PROOF, index=11),
        replace(PROOF, index=2**62),
        replace(PROOF, hashes=PROOF.hashes[:-1]),
        replace(PROOF, hashes=PROOF.hashes[1:]),
        replace(PROOF, hashes=(*PROOF.hashes, bytes(32))),
        replace(PROOF, hashes=PROOF.hashes[::-1]),
        replace(PROOF, hashes=(bytes(32), *PROOF.hashes[1:])),
        replace(PROOF, hashes=()),
        replace(PROOF, checkpoint=LOG.checkpoint(10, cosigners=3).to_bytes()),
        replace(PROOF, checkpoint=LOG.checkpoint(0, cosigners=3).to_bytes()),
        replace(PROOF, checkpoint=MemoryLog.of(11, "fork").checkpoint(cosigners=3).to_bytes()),
        replace(PROOF, checkpoint=MemoryLog.of(11, origin="other.invalid").checkpoint(cosigners=3).to_bytes()),
        replace(PROOF, checkpoint=MemoryLog.of(11, seed="namesake").checkpoint(cosigners=3).to_bytes()),
    ],
)
def test_proof_that_lies_is_refused(proof: TlogProof) -> None:
    """Wrong places, paths too long or too short, stale, forked and foreign checkpoints prove nothing."""
    with pytest.raises(NoteError):
        verify_tlog_proof(proof, LEAF, POLICY)


def test_proof_for_another_leaf_is_refused() -> None:
    """A true proof of one entry is none of another."""
    with pytest.raises(NoteError, match="not in the tree"):
        verify_tlog_proof(PROOF, leaf_hash(b"other"), POLICY)


@pytest.mark.parametrize("cosigners", [0, 1])
def test_proof_without_its_quorum_is_refused(cosigners: int) -> None:
    """The word of the log alone, or of too few witnesses, seals nothing."""
    with pytest.raises(QuorumError):
        verify_tlog_proof(LOG.proof(6, cosigners=cosigners), LEAF, POLICY)


def test_quorum_of_one_witness_twice_is_refused() -> None:
    """Two cosignatures of one witness are one witness."""
    note = LOG.checkpoint(cosigners=1)
    twice = note.with_signatures([cosign(note.text, LOG.witnesses[0], TIME + 1)])
    with pytest.raises(QuorumError):
        verify_cosigned(twice.to_bytes(), POLICY)


def test_quorum_of_strangers_is_refused() -> None:
    """Witnesses that the policy does not name do not count, also not under a known name."""
    note = LOG.checkpoint()
    strangers = [make_witness(f"w{number}") for number in range(3)]
    namesakes = [make_witness(key.name, seed="other") for key in LOG.witnesses]
    with pytest.raises(QuorumError):
        verify_cosigned(
            note.with_signatures([cosign(note.text, key, TIME) for key in (*strangers, *namesakes)]).to_bytes(), POLICY
        )


def test_quorum_with_right_key_ids_and_wrong_names_is_refused() -> None:
    """A key is its name and its id."""
    note = LOG.checkpoint(cosigners=3)
    renamed = [Signature("x" + line.name, line.key_id, line.value) for line in note.signatures[1:]]
    forged = replace(note, signatures=(note.signatures[0], *renamed))
    with pytest.raises(QuorumError):
        verify_cosigned(forged.to_bytes(), POLICY)


def test_quorum_from_cosignatures_of_another_log_is_refused() -> None:
    """A witness cosigns many logs with one key; what it said of another holds for nothing here."""
    other = MemoryLog.of(11, origin="other.invalid").checkpoint(cosigners=3)
    note = LOG.checkpoint().with_signatures(other.signatures[1:])
    with pytest.raises(NoteError, match="does not verify"):
        verify_cosigned(note.to_bytes(), POLICY)


@given(st.data())
def test_proof_with_any_byte_changed_is_refused_or_says_the_same(data: st.DataObject) -> None:
    """No single change of the file makes it prove something else."""
    whole = bytearray(PROOF.to_bytes())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        cosigned = verify_tlog_proof(parse_tlog_proof(bytes(whole)), LEAF, POLICY)
    except NoteError:
        return
    assert cosigned.checkpoint == LOG.head()


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.binary(max_size=50),
)
def test_proof_of_any_values_round_trips(index: int, hashes: list[bytes], extra: bytes) -> None:
    """What is written is read back the same."""
    proof = TlogProof(index, tuple(hashes), PROOF.checkpoint, extra)
    assert parse_tlog_proof(proof.to_bytes()) == proof


HASH = b"A" * 43 + b"=\n"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"c2sp.org/tlog-proof@v2\nindex 6\n",
        b"c2sp.org/tlog-proof@v1\n",
        b"c2sp.org/tlog-proof@v1\nextra AAAA\n",
        b"c2sp.org/tlog-proof@v1\nextra A\nindex 6\n",
        b"c2sp.org/tlog-proof@v1\nindex 6\nextra AAAA\n",
        b"c2sp.org/tlog-proof@v1\nindex 06\n",
        b"c2sp.org/tlog-proof@v1\nindex -1\n",
        b"c2sp.org/tlog-proof@v1\nindex  6\n",
        b"c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n",
        b"c2sp.org/tlog-proof@v1\r\nindex 6\n",
        b"c2sp.org/tlog-proof@v1\nindex 6\nAAAA\n",
        b"c2sp.org/tlog-proof@v1\nindex 6\n\xff\n",
        b"c2sp.org/tlog-proof@v1\nindex 6\n" + HASH * 64,
    ],
)
def test_proof_that_is_malformed_is_refused(head: bytes) -> None:
    """A proof file has one spelling."""
    with pytest.raises(NoteError):
        parse_tlog_proof(head + b"\n" + PROOF.checkpoint)


def test_proof_without_checkpoint_is_refused() -> None:
    """A path alone proves nothing."""
    with pytest.raises(NoteError):
        parse_tlog_proof(PROOF.to_bytes()[: -len(PROOF.checkpoint) - 1])
    with pytest.raises(NoteError):
        parse_tlog_proof(b"c2sp.org/tlog-proof@v1\nindex 6\n\n" + b"a" * 1_000_000)


def test_policy_round_trips() -> None:
    """A policy that was written is the same policy when it is read."""
    assert parse_policy(POLICY.to_toml()) == POLICY


VKEYS = [key.to_text() for key in POLICY.witnesses]
LOG_KEY = POLICY.log.to_text()


@pytest.mark.parametrize(
    ("log", "quorum", "witnesses"),
    [
        (LOG_KEY, 0, VKEYS),
        (LOG_KEY, 4, VKEYS),
        (LOG_KEY, -1, VKEYS),
        (LOG_KEY, 1, []),
        (LOG_KEY, 1, [VKEYS[0], VKEYS[0]]),
        (LOG_KEY, 1, [VKEYS[0], make_witness("other", seed=LOG.witnesses[0].name).verifier.to_text()]),
        (LOG_KEY, 1, [VKEYS[0], make_witness(LOG.witnesses[0].name, seed="x").verifier.to_text()]),
        (LOG_KEY, 1, [make_witness("log as witness", seed=LOG.origin).verifier.to_text().replace(" ", "-")]),
        (LOG_KEY, 1, [make_witness("own", seed=LOG.origin).verifier.to_text()]),
        (LOG_KEY, 1, [make_key("plain").verifier.to_text()]),
        (VKEYS[0], 1, VKEYS[1:]),
        ("", 1, VKEYS),
        (LOG_KEY, 1, ["nonsense"]),
    ],
)
def test_policy_that_would_not_hold_is_refused(log: str, quorum: int, witnesses: list[str]) -> None:
    """A quorum that cannot be reached, is nobody, or counts one key twice is no policy."""
    with pytest.raises(PolicyError):
        parse_policy(f'log = "{log}"\nquorum = {quorum}\nwitnesses = {witnesses!r}\n')


@pytest.mark.parametrize(
    "text",
    ["", "=", "x" * 70_000, f'log = "{LOG_KEY}"\nquorum = true\nwitnesses = {VKEYS!r}', POLICY.to_toml() + "more = 1"],
)
def test_policy_that_is_malformed_is_refused(text: str) -> None:
    """An unknown field could be a typing error of one that matters."""
    with pytest.raises(PolicyError):
        parse_policy(text)


def test_policy_gives_a_witness_by_name() -> None:
    """A cosignature names its witness; the policy has its key."""
    assert POLICY.witness(POLICY.witnesses[1].name) == POLICY.witnesses[1]
    assert WitnessPolicy(POLICY.log, 1, POLICY.witnesses).witness("other") is None
    assert parse_note(PROOF.checkpoint).signatures[0].name == LOG.origin
