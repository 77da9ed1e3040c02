"""Random legal and illegal sequences over several cases and persons never leave the state machine."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit.case_replay import CaseReplay
from gateway.audit.finding import AuditFinding
from gateway.core.command import Command
from gateway.core.entry import EntryKind, leaf_hash, to_leaf
from gateway.core.errors import GatewayError
from gateway.core.handoff import CaseHead, Decided, HandoffHead, Place, decide_act
from gateway.core.procedure.act_table import UNSEEN, load_acts
from gateway.core.procedure.lifecycle import MAX_RETURNS, TABLE, TAKES_FILE, CaseState, Stage
from gateway.core.procedure.track import LEFT, NO_TRACKS, Tracks
from gateway.core.route import RecordKind
from tests.support.random_case import CASES, RandomCase

_TAKE_CUSTODY = {"jurisdiction_received", "prosecution_withdrawn"}


def allowed_pairs() -> set[tuple[Stage, Stage]]:
    """Every way from one stage to another that the tables have."""
    pairs = {
        (source, move.target) for moves in TABLE.values() for move in moves for source in move.sources if move.target
    }
    # An ordinary transfer is accepted where a fast one is, and the last recipient executes.
    pairs |= {(Stage.IN_TRANSFER_PR, Stage.REVIEW_ORDINARY), (Stage.INTAKE_CHECK, Stage.REVIEW_ORDINARY)}
    pairs |= {(Stage.EXECUTION_SENT, Stage.EXECUTION_RECEIVED)}
    for row in load_acts().values():
        if row.target is not None:
            pairs |= {(source, row.target) for source in row.sources}
        pairs |= set(row.when_all.items())
    pairs |= {(source, Stage.CASE_WITHDRAWN) for source in load_acts()["terminated"].sources}
    pairs |= {(Stage.RECOGNIZED, Stage.REVIEW_FAST)}  # a proposal that is adjusted is signed again
    return pairs


PAIRS = allowed_pairs()
STOPS = (EntryKind.REFUSED, EntryKind.WITHDRAWN, EntryKind.SUPPLEMENT_ASKED)


class World:
    """The pure core with what the ledger keeps between two entries."""

    def __init__(self) -> None:
        self.cases: dict[str, CaseHead] = {}
        self.handoffs: dict[str, HandoffHead] = {}
        self.at = datetime(2026, 3, 2, tzinfo=UTC)
        self.size = 0
        self.found: list[AuditFinding] = []
        self.replay = CaseReplay(self.found.append)

    def act(self, command: Command) -> Decided | None:
        """Decide an act as the ledger does, and let the auditor decide it again; None when it is refused."""
        handoff = self.handoffs.get(str(command.handoff)) if command.handoff else None
        case = self.cases.get(handoff.case if handoff else command.case, CaseHead())
        self.at += timedelta(seconds=1)
        place = Place(index=self.size, origin="test.example/log", at=self.at, salt=bytes(32))
        pair = (str(command.sender), str(command.receiver))
        last = sum((head.sender, head.receiver) == pair for head in self.handoffs.values())
        try:
            decided = decide_act(command, place, case=case, handoff=handoff, last_pair_number=last)
        except GatewayError:
            return None
        leaf = to_leaf(decided.entry)
        self.replay.judge(self.size, leaf, leaf_hash(leaf), decided.track_row)
        assert self.found == [], "whoever decides it again must come to the same"
        self.size += 1
        entry = decided.entry
        assert entry.case_state is not None
        tracks = case.tracks if decided.tracks is None else decided.tracks
        check(command, case, entry.case_state, tracks, handoff)
        self.cases[entry.case] = CaseHead(entry.case_sequence, leaf_hash(leaf).hex(), entry.case_state, tracks)
        if decided.handoff is not None:
            self.handoffs[decided.handoff.handoff] = decided.handoff
        return decided


def check(command: Command, before: CaseHead, after: CaseState, tracks: Tracks, handoff: HandoffHead | None) -> None:
    """What must hold after every entry."""
    old, act = before.state, (command.cause or {}).get("act", "")
    # The stage goes only where a table says; taking a handoff back puts it where the submit found it.
    is_back = command.kind in STOPS and handoff is not None and after.stage is handoff.case_before.stage
    starts = {old.stage} if old.moved_at else {old.stage, *UNSEEN}
    is_joined = act == "joined" and not old.moved_at
    if after.stage is not old.stage and not is_back and not is_joined:
        assert any((start, after.stage) in PAIRS for start in starts) or after.stage in UNSEEN, (old, after, act)
    # Exactly one agency has custody of the file, and it changes hands in four ways only.
    if after.holder != old.holder:
        is_accepted = command.kind is EntryKind.ACCEPTED and handoff is not None and handoff.kind in TAKES_FILE
        assert old.holder == "" or is_accepted or act in _TAKE_CUSTODY, (old, after, act)
        assert after.holder
    # Returns never fall, and only a merge brings more of them from elsewhere.
    assert old.returns <= after.returns <= MAX_RETURNS
    # Persons: nobody comes back who has left, but by the ways of the law; and the file is never without anybody.
    for name, track in before.tracks.persons.items():
        now = tracks.persons[name]
        if track.own in LEFT and now.own != track.own:
            is_undone = command.kind in STOPS and track.own == "J4"
            is_present = command.kind is EntryKind.SUBMITTED and track.own == "J0r"
            assert act == "nonprosecution_reopened" or is_undone or is_present, (track, now, act)
    with_file = [tracks.persons[name] for name in tracks.with_file()]
    if after.stage is Stage.TRIAL_FAST and old.stage is Stage.ACCEPTED and act == "consent_given":
        assert all(track.consent == "given" for track in with_file)
    if after.stage is Stage.EFFECTIVE and act == "judgment_effective":
        assert with_file and all(track.served and track.own == "" for track in with_file)
    if command.kind is EntryKind.SUBMITTED and command.handoff_kind is RecordKind.INDICTMENT:
        assert command.cause is not None and set(tracks.with_file()) <= command.cause["persons"].keys()
    if command.kind is EntryKind.SUBMITTED and command.handoff_kind is RecordKind.JUDGMENT and old.stage.value < "C3":
        assert all(track.consent != "refused" and track.recognizance != "due" for track in with_file)


def play(world: World, draw: RandomCase, choose: Any, steps: int) -> int:
    """Play steps; how many were allowed."""
    done = 0
    for _ in range(steps):
        case = choose(CASES)
        head = world.cases.get(case, CaseHead())
        state = head.state
        open_ones = [h for h in world.handoffs.values() if h.case == case and h.state in ("offered", "fetched")]
        what = choose(("submit", "state", "state", "decide", "decide", "decide"))
        if what == "decide" and open_ones:
            command = draw.decide(open_ones)
        elif what == "state":
            command = draw.state(case, state.stage, state.holder, head.tracks)
        else:
            command = draw.submit(case, state.stage, state.holder)
        done += world.act(command) is not None
    return done


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_random_sequences_never_leave_the_state_machine(data: st.DataObject) -> None:
    """Whatever is tried: stages go where a table says, one holder, nobody comes back, and a replay agrees."""

    def choose(options: Any) -> Any:
        return data.draw(st.sampled_from(list(options)))

    play(World(), RandomCase(choose), choose, 60)


def test_long_sequences_reach_far_and_are_decided_the_same_again() -> None:
    """Thousands of acts with a fixed seed: they get far enough for the promise to mean something."""
    stages: set[Stage] = set()
    allowed = 0
    for seed in range(20):
        rng, world = random.Random(seed), World()
        allowed += play(world, RandomCase(rng.choice), rng.choice, 200)
        stages |= {head.state.stage for head in world.cases.values()}
        assert any(head.tracks is not NO_TRACKS for head in world.cases.values())
    assert allowed > 400
    assert len(stages) > 12, stages
