-- What the batcher says to the database. Every lookup is a LATERAL with LIMIT, so that whatever the planner believes about
-- the size of a table, it can only walk down an index.

-- name: settings
SET synchronous_commit = on;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET plan_cache_mode = force_generic_plan;
SET jit = off

-- name: begin
BEGIN; SELECT pg_advisory_xact_lock(7381244219)

-- name: heads
WITH handoff AS MATERIALIZED (
    SELECT last.*
    FROM unnest($1::uuid[]) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT handoff_id, handoff_kind, sender, receiver, pair_number, case_id, handoff_state, case_before,
               submitted_seq, lease_consumer, lease_until
        FROM ledger.entry WHERE handoff_id = wanted.id ORDER BY seq DESC LIMIT 1
    ) AS last
), wanted_case AS MATERIALIZED (
    SELECT unnest($2::text[]) AS id UNION SELECT case_id FROM handoff
)
(SELECT 'state' AS what, 0::bigint AS position, size AS number, frontier AS hash, to_json(recorded_at)::text AS value
 FROM ledger.state ORDER BY size DESC LIMIT 1)
UNION ALL
SELECT 'act', 0, seq, content_sha256, act_id || ' ' || actor FROM ledger.entry WHERE act_id = ANY ($3::uuid[])
UNION ALL
SELECT 'pair', wanted.position, found.pair_number, NULL, NULL
FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS wanted (sender, receiver, position)
CROSS JOIN LATERAL (
    SELECT pair_number FROM ledger.entry
    WHERE kind = 'submitted' AND sender = wanted.sender AND receiver = wanted.receiver
    ORDER BY pair_number DESC LIMIT 1
) AS found
UNION ALL
SELECT 'key', wanted.position, found.seq, NULL, found.handoff_id::text
FROM unnest($6::text[], $7::text[]) WITH ORDINALITY AS wanted (sender, idempotency_key, position)
CROSS JOIN LATERAL (
    SELECT seq, handoff_id FROM ledger.bundle
    WHERE sender = wanted.sender AND idempotency_key = wanted.idempotency_key LIMIT 1
) AS found
UNION ALL
SELECT 'case', 0, found.case_seq, found.leaf_hash, found.case_id || E'\n' || found.case_state
FROM wanted_case
CROSS JOIN LATERAL (
    SELECT case_id, case_seq, leaf_hash, case_state FROM ledger.entry
    WHERE case_id = wanted_case.id ORDER BY case_seq DESC LIMIT 1
) AS found
UNION ALL
SELECT 'track', 0, found.seq, found.body, found.case_id
FROM wanted_case
CROSS JOIN LATERAL (
    SELECT seq, body, case_id FROM ledger.track
    WHERE case_id = wanted_case.id AND is_changed ORDER BY seq DESC LIMIT 1
) AS found
UNION ALL
SELECT 'handoff', 0, 0, NULL,
       json_build_array(handoff_id, handoff_kind, sender, receiver, pair_number, case_id, handoff_state,
                        case_before::json, submitted_seq, lease_consumer, lease_until)::text
FROM handoff

-- name: edge
SELECT 0 AS level, seq AS place, leaf_hash AS hash FROM ledger.entry WHERE seq >= $1 AND seq < $2
UNION ALL
SELECT tile.level + 1, tile.place, tile.root
FROM unnest($3::smallint[], $4::bigint[], $5::bigint[]) AS wanted (level, start, stop)
JOIN ledger.tile ON tile.level = wanted.level AND tile.place >= wanted.start AND tile.place < wanted.stop
ORDER BY level, place

-- name: write
-- One statement and one round trip, also as a transaction of its own. The lock comes first, so that no two batches are
-- written at the same time; the primary key refuses a batch that was decided on a state that has passed.
-- Every part asks for the lock itself, because PostgreSQL runs the parts in an order of its own: one that wrote a row
-- before the lock could wait for a process that holds the lock and waits for that row.
WITH locked AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(7381244219)
), entries AS (
    INSERT INTO ledger.entry (seq, recorded_at, act_id, handoff_id, case_seq, pair_number, submitted_seq, lease_until,
                              kind, actor, sender, receiver, case_id, handoff_kind, handoff_state, lease_consumer,
                              case_state, case_before, content_sha256, bundle_sha256, leaf_hash, leaf)
    SELECT rows.* FROM locked, unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[],
                         $7::bigint[], $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[],
                         $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::bytea[],
                         $20::bytea[], $21::bytea[], $22::bytea[]) AS rows
), bundles AS (
    INSERT INTO ledger.bundle (handoff_id, seq, sender, idempotency_key, case_number, manifest_jws, record)
    SELECT rows.* FROM locked, unnest($23::uuid[], $24::bigint[], $25::text[], $26::text[], $27::bytea[], $28::bytea[],
                                      $29::bytea[]) AS rows
), details AS (
    INSERT INTO ledger.detail (seq, body) SELECT rows.* FROM locked, unnest($30::bigint[], $31::bytea[]) AS rows
), grants AS (
    INSERT INTO ledger.material_grant (agency, sha256)
    SELECT rows.* FROM locked, unnest($32::text[], $33::bytea[]) AS rows ON CONFLICT DO NOTHING
), tiles AS (
    INSERT INTO ledger.tile (level, place, root, data)
    SELECT rows.* FROM locked, unnest($34::smallint[], $35::bigint[], $36::bytea[], $37::bytea[]) AS rows
), signer_keys AS (
    INSERT INTO ledger.signer_key (seq, key_id, certificate)
    SELECT rows.* FROM locked, unnest($45::bigint[], $46::bytea[], $47::bytea[]) AS rows
), facts AS (
    INSERT INTO ledger.fact (seq, case_id, body)
    SELECT rows.* FROM locked, unnest($48::bigint[], $49::text[], $50::bytea[]) AS rows
), case_materials AS (
    INSERT INTO ledger.case_material (sha256, case_id)
    SELECT rows.* FROM locked, unnest($51::bytea[], $52::text[]) AS rows ON CONFLICT DO NOTHING
), statements AS (
    INSERT INTO ledger.statement (seq, statement_id, issuer, statement_type, case_id, case_number, statement_jws)
    SELECT rows.* FROM locked, unnest($53::bigint[], $54::uuid[], $55::text[], $56::text[], $57::text[], $58::bytea[],
                                      $59::bytea[]) AS rows
), withheld AS (
    INSERT INTO ledger.material_withheld (agency, sha256, seq, view)
    SELECT rows.* FROM locked, unnest($60::text[], $61::bytea[], $62::bigint[], $63::text[]) AS rows
), tracks AS (
    INSERT INTO ledger.track (seq, case_id, is_changed, body)
    SELECT rows.* FROM locked, unnest($64::bigint[], $65::text[], $66::boolean[], $67::bytea[]) AS rows
), notices AS (
    INSERT INTO ledger.notice (agency, seq) SELECT rows.* FROM locked, unnest($68::text[], $69::bigint[]) AS rows
), progress AS (
    INSERT INTO ledger.progress (seq, token, case_id, stage, since, next_remedy, remedy_until)
    SELECT rows.* FROM locked, unnest($70::bigint[], $71::bytea[], $72::text[], $73::text[], $74::text[], $75::text[],
                                      $76::text[]) AS rows
), receipts AS (
    INSERT INTO ledger.receipt (seq, jws) SELECT rows.* FROM locked, unnest($38::bigint[], $39::text[]) AS rows
), state AS (
    INSERT INTO ledger.state (size, recorded_at, root, frontier) SELECT $40, $41, $42, $43 FROM locked
)
SELECT pg_notify('fasttrack_inbox', $44::text) FROM locked WHERE $44::text <> ''

-- name: recorded
-- A receipt is made of the signature of the batch and of its leaf hashes.
SELECT entry.seq, entry.kind, entry.act_id, entry.actor, entry.content_sha256, entry.recorded_at, entry.leaf,
       entry.leaf_hash, signed.jws, signed.first_index, batch.leaf_hashes
FROM unnest($1::uuid[], $2::text[]) AS wanted (act_id, actor)
JOIN ledger.entry ON entry.act_id = wanted.act_id AND entry.actor = wanted.actor
LEFT JOIN LATERAL (
    SELECT seq AS first_index, jws FROM ledger.receipt WHERE receipt.seq <= entry.seq ORDER BY seq DESC LIMIT 1
) AS signed ON true
LEFT JOIN LATERAL (
    SELECT string_agg(batch.leaf_hash, ''::bytea ORDER BY batch.seq) AS leaf_hashes FROM ledger.entry AS batch
    WHERE batch.seq >= signed.first_index
      AND batch.seq < (SELECT size FROM ledger.state WHERE size > signed.first_index ORDER BY size LIMIT 1)
) AS batch ON true
