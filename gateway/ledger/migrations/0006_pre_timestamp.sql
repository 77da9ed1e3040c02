-- Time-stamp tokens for checkpoints (RFC 3161), and where one is missing.

CREATE TABLE ledger.timestamp_token (
    size        bigint PRIMARY KEY CHECK (size > 0),
    stamped_at  timestamptz NOT NULL,
    -- What was stamped: SHA-256 of the signed note.
    note_sha256 bytea NOT NULL CHECK (octet_length(note_sha256) = 32),
    token       bytea NOT NULL CHECK (octet_length(token) <= 65536)
);

-- The first checkpoint of a stretch without tokens. The first token of this size or a larger one fills it.
CREATE TABLE ledger.timestamp_gap (
    size       bigint PRIMARY KEY CHECK (size > 0),
    noticed_at timestamptz NOT NULL,
    code       integer NOT NULL
);

CREATE VIEW ledger.oversight_timestamp_token AS
    SELECT size, stamped_at, note_sha256, token FROM ledger.timestamp_token;
CREATE VIEW ledger.oversight_timestamp_gap AS
    SELECT gap.size, gap.noticed_at, gap.code,
           (SELECT min(token.size) FROM ledger.timestamp_token AS token WHERE token.size >= gap.size) AS filled_by_size
    FROM ledger.timestamp_gap AS gap;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['timestamp_token', 'timestamp_gap']
    LOOP
        EXECUTE format('CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', name);
        EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER insert_only', name);
    END LOOP;
END
$$;

REVOKE ALL ON
    ledger.timestamp_token, ledger.timestamp_gap, ledger.oversight_timestamp_token, ledger.oversight_timestamp_gap
    FROM PUBLIC;
GRANT SELECT, INSERT ON ledger.timestamp_token, ledger.timestamp_gap TO fasttrack_gateway;
GRANT SELECT ON ledger.oversight_timestamp_token, ledger.oversight_timestamp_gap
    TO fasttrack_gateway, fasttrack_oversight;
