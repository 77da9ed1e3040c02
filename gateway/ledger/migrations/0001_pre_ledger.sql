-- The ledger: every table is INSERT only.

-- One row an act. The columns after the leaf repeat what is in it, for queries, and the state that the next act starts
-- from: the last row of a case and the last row of a handoff are their present state.
CREATE TABLE ledger.entry (
    seq            bigint PRIMARY KEY CHECK (seq >= 0),
    recorded_at    timestamptz NOT NULL,
    act_id         uuid NOT NULL,
    handoff_id     uuid,
    case_seq       bigint CHECK (case_seq > 0),
    pair_number    bigint CHECK (pair_number > 0),
    -- Number, within the case, of the entry that submitted the handoff.
    submitted_seq  bigint CHECK (submitted_seq > 0),
    -- Holder and end of the last lease of the handoff, whoever acts in this row.
    lease_until    timestamptz,
    kind           text NOT NULL,
    actor          text NOT NULL,
    sender         text,
    receiver       text,
    case_id        text,
    handoff_kind   text,
    handoff_state  text,
    lease_consumer text,
    -- State of the case after this entry, and before the handoff was submitted; JSON as in the leaf.
    case_state     text,
    case_before    text,
    content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
    bundle_sha256  bytea CHECK (octet_length(bundle_sha256) = 32),
    leaf_hash      bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    leaf           bytea NOT NULL CHECK (octet_length(leaf) <= 4096),
    CHECK ((case_id IS NULL) = (case_seq IS NULL) AND (case_id IS NULL) = (case_state IS NULL)),
    CHECK (num_nulls(handoff_id, handoff_kind, handoff_state, sender, receiver, pair_number, submitted_seq, case_before)
           IN (0, 8)),
    CHECK (kind <> 'submitted' OR (handoff_id IS NOT NULL AND bundle_sha256 IS NOT NULL))
);
-- Leaf and hashes do not compress; trying costs more than the rest of the insert.
ALTER TABLE ledger.entry SET (toast_tuple_target = 8160);
ALTER TABLE ledger.entry ALTER COLUMN leaf SET STORAGE EXTERNAL;

CREATE UNIQUE INDEX entry_act ON ledger.entry (act_id, actor);
CREATE UNIQUE INDEX entry_case ON ledger.entry (case_id, case_seq) WHERE case_id IS NOT NULL;
CREATE INDEX entry_handoff ON ledger.entry (handoff_id, seq) WHERE handoff_id IS NOT NULL;
CREATE UNIQUE INDEX entry_pair ON ledger.entry (sender, receiver, pair_number) WHERE kind = 'submitted';
-- With the kind in the middle one index serves a filter with and without kinds (a query walks down once for each kind),
-- and the inbox.
CREATE INDEX entry_sender ON ledger.entry (sender, kind, seq) WHERE sender IS NOT NULL;
CREATE INDEX entry_receiver ON ledger.entry (receiver, kind, seq) WHERE receiver IS NOT NULL;
CREATE INDEX entry_actor ON ledger.entry (actor, kind, seq);
CREATE INDEX entry_kind ON ledger.entry (kind, seq);

-- What the gateway promised for an entry; written in the same transaction, while the entries are already on their way.
CREATE TABLE ledger.receipt (
    seq bigint PRIMARY KEY CHECK (seq >= 0),
    jws text NOT NULL
);
ALTER TABLE ledger.receipt ALTER COLUMN jws SET STORAGE EXTERNAL;

-- What a sender submitted, for its two parties only.
CREATE TABLE ledger.bundle (
    handoff_id      uuid PRIMARY KEY,
    seq             bigint NOT NULL,
    sender          text NOT NULL,
    idempotency_key text NOT NULL,
    case_number     text NOT NULL,
    manifest_jws    text NOT NULL,
    record          bytea NOT NULL,
    UNIQUE (idempotency_key, sender)
);
ALTER TABLE ledger.bundle SET (toast_tuple_target = 8160);
ALTER TABLE ledger.bundle ALTER COLUMN manifest_jws SET STORAGE EXTERNAL;

-- Text of a decision or withdrawal, for the two parties only; the leaf holds its digest.
CREATE TABLE ledger.detail (
    seq  bigint PRIMARY KEY,
    body bytea NOT NULL
);

-- Which agency may read which material: it uploaded it, or a handoff brought it.
CREATE TABLE ledger.material_grant (
    agency text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    PRIMARY KEY (agency, sha256)
);

-- Full tiles: 256 hashes and the one above them (C2SP tlog-tiles).
CREATE TABLE ledger.tile (
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    place bigint NOT NULL CHECK (place >= 0),
    root  bytea NOT NULL CHECK (octet_length(root) = 32),
    data  bytea NOT NULL CHECK (octet_length(data) = 8192),
    PRIMARY KEY (level, place)
);
ALTER TABLE ledger.tile ALTER COLUMN data SET STORAGE EXTERNAL;

-- The tree after each batch.
CREATE TABLE ledger.state (
    size        bigint PRIMARY KEY CHECK (size > 0),
    recorded_at timestamptz NOT NULL,
    root        bytea NOT NULL CHECK (octet_length(root) = 32),
    frontier    bytea NOT NULL
);
-- Every entry of a batch has the time of its state, so a time is a place in the ledger without an index on the entries.
CREATE INDEX state_time ON ledger.state (recorded_at, size);

CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger.% is INSERT only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['entry', 'receipt', 'bundle', 'detail', 'material_grant', 'tile', 'state',
                                'schema_migration']
    LOOP
        EXECUTE format('CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', name);
        -- ALWAYS: also for sessions that replicate.
        EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER insert_only', name);
    END LOOP;
END
$$;

-- What oversight sees: the entries and the tree. Bundles, details, receipts and grants belong to the parties.
CREATE VIEW ledger.oversight_entry AS
    SELECT seq, leaf, leaf_hash, kind, recorded_at, actor, sender, receiver, case_id, case_seq, handoff_id
    FROM ledger.entry;
CREATE VIEW ledger.oversight_tile AS SELECT level, place, root, data FROM ledger.tile;
CREATE VIEW ledger.oversight_state AS SELECT size, recorded_at, root FROM ledger.state;
