-- What puts a lost tail back. The statements "..._rows" are the rows of a table as they come; rebuild.py inserts them
-- and leaves alone what is there, then counts the ones that are not as they should be.

-- name: settings
SET LOCAL search_path = pg_catalog;
SET LOCAL row_security = off;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL jit = off;
-- Whatever the planner believes about the size of a table, it walks down an index for each row.
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL synchronous_commit = on;
SELECT pg_advisory_xact_lock(7381244219)

-- name: end_writing
SET LOCAL enable_seqscan = on;
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on

-- name: tables
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p', 'f', 'm')
ORDER BY 1

-- name: standing
-- The last state whose entries are all there.
SELECT s.size, s.root FROM ledger.state AS s
WHERE s.size <= coalesce(
    (SELECT e.seq + 1 FROM ledger.entry AS e
     WHERE NOT EXISTS (SELECT FROM ledger.entry AS n WHERE n.seq = e.seq + 1)
       AND EXISTS (SELECT FROM ledger.entry AS f WHERE f.seq = 0)
     ORDER BY e.seq LIMIT 1), 0)
ORDER BY s.size DESC LIMIT 1

-- name: before
SELECT e.seq, e.leaf, e.leaf_hash, t.body AS tracks
FROM ledger.entry AS e LEFT JOIN ledger.track AS t ON t.seq = e.seq
WHERE e.case_id = ANY ($1::text[]) AND e.seq < $2 ORDER BY e.seq

-- name: entry_rows
SELECT seq, recorded_at, act_id::uuid, handoff_id::uuid, case_seq, pair_number, submitted_seq, lease_until, kind, actor,
       sender, receiver, case_id, handoff_kind, handoff_state, lease_consumer, case_state, case_before,
       decode(content_sha256, 'hex') AS content_sha256, decode(bundle_sha256, 'hex') AS bundle_sha256, leaf_hash, leaf
FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
            $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::bytea[], $22::bytea[])
    AS r (seq, recorded_at, act_id, handoff_id, case_seq, pair_number, submitted_seq, lease_until, kind, actor, sender,
          receiver, case_id, handoff_kind, handoff_state, lease_consumer, case_state, case_before, content_sha256,
          bundle_sha256, leaf_hash, leaf)

-- name: receipt_rows
SELECT seq, jws FROM unnest($1::bigint[], $2::text[]) AS r (seq, jws)

-- name: bundle_rows
SELECT handoff_id::uuid, seq, sender, idempotency_key, case_number, manifest_jws, record
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::bytea[])
    AS r (handoff_id, seq, sender, idempotency_key, case_number, manifest_jws, record)

-- name: detail_rows
SELECT seq, body FROM unnest($1::bigint[], $2::bytea[]) AS r (seq, body)

-- name: track_rows
SELECT seq, case_id, is_changed, body
FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::bytea[]) AS r (seq, case_id, is_changed, body)

-- name: fact_rows
SELECT seq, case_id, body FROM unnest($1::bigint[], $2::text[], $3::bytea[]) AS r (seq, case_id, body)

-- name: statement_rows
SELECT seq, statement_id::uuid, issuer, statement_type, case_id, case_number, statement_jws
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bytea[])
    AS r (seq, statement_id, issuer, statement_type, case_id, case_number, statement_jws)

-- name: progress_rows
SELECT seq, token, case_id, stage, since, next_remedy, remedy_until
FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    AS r (seq, token, case_id, stage, since, next_remedy, remedy_until)

-- name: signer_key_rows
SELECT seq, key_id, certificate FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS r (seq, key_id, certificate)

-- name: notice_rows
SELECT agency, seq FROM unnest($1::text[], $2::bigint[]) AS r (agency, seq)

-- name: material_grant_rows
SELECT DISTINCT agency, sha256 FROM unnest($1::text[], $2::bytea[]) AS r (agency, sha256)

-- name: material_withheld_rows
SELECT agency, sha256, seq, view FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::text[]) AS r (agency, sha256, seq, view)

-- name: case_material_rows
SELECT DISTINCT sha256, case_id FROM unnest($1::bytea[], $2::text[]) AS r (sha256, case_id)

-- name: tile_rows
SELECT level, place, root, data
FROM unnest($1::smallint[], $2::bigint[], $3::bytea[], $4::bytea[]) AS r (level, place, root, data)

-- name: state_rows
SELECT size, recorded_at, root, frontier
FROM unnest($1::bigint[], $2::timestamptz[], $3::bytea[], $4::bytea[]) AS r (size, recorded_at, root, frontier)

-- name: checkpoint_rows
SELECT size, signed_at, note FROM unnest($1::bigint[], $2::timestamptz[], $3::text[]) AS r (size, signed_at, note)

-- name: cosignature_rows
SELECT size, witness, cosigned_at, line
FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[]) AS r (size, witness, cosigned_at, line)

-- name: timestamp_token_rows
SELECT size, stamped_at, note_sha256, token
FROM unnest($1::bigint[], $2::timestamptz[], $3::bytea[], $4::bytea[]) AS r (size, stamped_at, note_sha256, token)

-- name: timestamp_gap_rows
SELECT size, noticed_at, code
FROM unnest($1::bigint[], $2::timestamptz[], $3::integer[]) AS r (size, noticed_at, code)
