-- What readers ask. The state of a handoff is in its last entry, of whatever kind, and whether a case was destroyed in the
-- last entry of the case; pages go by key.

-- name: inbox
SELECT offered.handoff_id, offered.handoff_kind, offered.sender, offered.receiver, bundle.case_number,
       offered.pair_number, last.handoff_state, offered.seq, offered.recorded_at, offered.bundle_sha256,
       last.lease_until, offered.case_id, whole.is_destroyed
FROM ledger.entry AS offered
JOIN ledger.bundle ON bundle.handoff_id = offered.handoff_id
CROSS JOIN LATERAL (
    SELECT handoff_state, lease_until FROM ledger.entry
    WHERE handoff_id = offered.handoff_id ORDER BY seq DESC LIMIT 1
) AS last
CROSS JOIN LATERAL (
    SELECT coalesce(case_state::json ->> 'stage' = 'X', false) AS is_destroyed FROM ledger.entry
    WHERE case_id = offered.case_id ORDER BY case_seq DESC LIMIT 1
) AS whole
-- Row comparison and order leave the planner one index, entry_receiver; see entry_query.py.
WHERE (offered.receiver, offered.kind, offered.seq) > ($1, 'submitted', $2)
  AND (offered.receiver, offered.kind, offered.seq) <= ($1, 'submitted', 9223372036854775807)
  AND offered.receiver IS NOT NULL
  AND (cardinality($3::text[]) = 0 OR last.handoff_state = ANY ($3))
ORDER BY offered.receiver, offered.kind, offered.seq
LIMIT $4

-- name: handoff
SELECT offered.handoff_id, offered.handoff_kind, offered.sender, offered.receiver, bundle.case_number,
       offered.pair_number, last.handoff_state, offered.seq, offered.recorded_at, offered.bundle_sha256,
       last.lease_until, offered.case_id, whole.is_destroyed, bundle.manifest_jws, bundle.record
FROM ledger.bundle
JOIN ledger.entry AS offered ON offered.seq = bundle.seq
CROSS JOIN LATERAL (
    SELECT handoff_state, lease_until FROM ledger.entry
    WHERE handoff_id = offered.handoff_id ORDER BY seq DESC LIMIT 1
) AS last
CROSS JOIN LATERAL (
    SELECT coalesce(case_state::json ->> 'stage' = 'X', false) AS is_destroyed FROM ledger.entry
    WHERE case_id = offered.case_id ORDER BY case_seq DESC LIMIT 1
) AS whole
WHERE bundle.handoff_id = $1

-- name: handoff_receipts
SELECT entry.seq, entry.kind, entry.recorded_at, entry.leaf, entry.leaf_hash, detail.body,
       signed.jws, signed.first_index, batch.leaf_hashes
FROM ledger.entry
LEFT JOIN ledger.detail ON detail.seq = entry.seq
LEFT JOIN LATERAL (
    SELECT seq AS first_index, jws FROM ledger.receipt WHERE receipt.seq <= entry.seq ORDER BY seq DESC LIMIT 1
) AS signed ON true
LEFT JOIN LATERAL (
    SELECT string_agg(batch.leaf_hash, ''::bytea ORDER BY batch.seq) AS leaf_hashes FROM ledger.entry AS batch
    WHERE batch.seq >= signed.first_index
      AND batch.seq < (SELECT size FROM ledger.state WHERE size > signed.first_index ORDER BY size LIMIT 1)
) AS batch ON true
WHERE entry.handoff_id = $1
ORDER BY entry.seq

-- name: case_facts
SELECT fact.seq, entry.recorded_at, fact.body
FROM ledger.fact JOIN ledger.entry ON entry.seq = fact.seq
WHERE fact.case_id = $1
ORDER BY fact.seq

-- name: handoff_facts
-- What the submit of a handoff brought, and whether its receiver has fetched it.
SELECT fact.seq, offered.recorded_at, fact.body, offered.handoff_kind,
       EXISTS (SELECT FROM ledger.entry WHERE handoff_id = $1 AND kind = 'fetched') AS is_fetched
FROM ledger.bundle
JOIN ledger.fact ON fact.seq = bundle.seq
JOIN ledger.entry AS offered ON offered.seq = bundle.seq
WHERE bundle.handoff_id = $1

-- name: statements
SELECT s.statement_id, s.issuer, s.statement_type, s.case_id, s.case_number, s.statement_jws,
       e.seq, e.kind, e.leaf, e.leaf_hash, e.recorded_at, signed.jws, signed.first_index, batch.leaf_hashes,
       coalesce(whole.is_destroyed, false) AS is_destroyed
FROM ledger.statement AS s JOIN ledger.entry AS e ON e.seq = s.seq
LEFT JOIN LATERAL (
    SELECT case_state::json ->> 'stage' = 'X' AS is_destroyed FROM ledger.entry
    WHERE case_id = s.case_id ORDER BY case_seq DESC LIMIT 1
) AS whole ON true
LEFT JOIN LATERAL (
    SELECT seq AS first_index, jws FROM ledger.receipt WHERE receipt.seq <= e.seq ORDER BY seq DESC LIMIT 1
) AS signed ON true
LEFT JOIN LATERAL (
    SELECT string_agg(batch.leaf_hash, ''::bytea ORDER BY batch.seq) AS leaf_hashes FROM ledger.entry AS batch
    WHERE batch.seq >= signed.first_index
      AND batch.seq < (SELECT size FROM ledger.state WHERE size > signed.first_index ORDER BY size LIMIT 1)
) AS batch ON true
WHERE s.seq = ANY ($1::bigint[])
ORDER BY s.seq

-- name: statements_of_id
SELECT seq FROM ledger.statement WHERE statement_id = $1 ORDER BY seq LIMIT 16

-- name: statements_of_case
SELECT seq FROM ledger.statement
WHERE case_id = $1 AND seq > $2 AND ($3 = '' OR statement_type = $3) AND ($5 = '' OR issuer = $5)
ORDER BY seq LIMIT $4

-- name: statements_of_issuer
SELECT seq FROM ledger.statement WHERE issuer = $1 AND seq > $2 ORDER BY seq LIMIT $3

-- name: statements_of_issuer_and_type
SELECT seq FROM ledger.statement WHERE issuer = $1 AND seq > $2 AND statement_type = $4 ORDER BY seq LIMIT $3

-- name: statements_exist
-- Every submit asks, so each branch is one walk down one index, however much an agency has stated.
SELECT asked.number
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY
    AS asked (case_id, issuer, type_name, after_index, number)
WHERE CASE WHEN asked.case_id <> '' THEN EXISTS (
    SELECT FROM ledger.statement AS s
    WHERE s.case_id = asked.case_id AND s.seq > asked.after_index
      AND (asked.type_name = '' OR s.statement_type = asked.type_name)
) WHEN asked.type_name <> '' THEN EXISTS (
    SELECT FROM ledger.statement AS s
    WHERE s.issuer = asked.issuer AND s.statement_type = asked.type_name AND s.seq > asked.after_index
) ELSE EXISTS (
    SELECT FROM ledger.statement AS s WHERE s.issuer = asked.issuer AND s.seq > asked.after_index
) END

-- name: progress
SELECT token, case_id, stage, since, next_remedy, remedy_until
FROM ledger.progress WHERE token = $1
  AND NOT coalesce((
      SELECT case_state::json ->> 'stage' = 'X' FROM ledger.entry AS last
      WHERE last.case_id = progress.case_id ORDER BY case_seq DESC LIMIT 1
  ), false)
ORDER BY seq DESC LIMIT 1

-- name: is_party
SELECT EXISTS (
    SELECT FROM ledger.entry WHERE case_id = $1 AND kind = 'submitted' AND (sender = $2 OR receiver = $2)
) OR (
    SELECT case_state::json ->> 'holder' = $2 FROM ledger.entry
    WHERE case_id = $1 ORDER BY case_seq DESC LIMIT 1
) AS is_party

-- name: is_case_open
SELECT EXISTS (SELECT FROM ledger.entry WHERE case_id = $1 AND kind = 'submitted') AS is_open

-- name: tracks
SELECT body FROM ledger.track WHERE case_id = $1 AND is_changed ORDER BY seq DESC LIMIT 1

-- name: pair
SELECT offered.pair_number, offered.handoff_id, offered.bundle_sha256, offered.seq, offered.leaf_hash,
       last.handoff_state
FROM ledger.entry AS offered
CROSS JOIN LATERAL (
    SELECT handoff_state FROM ledger.entry WHERE handoff_id = offered.handoff_id ORDER BY seq DESC LIMIT 1
) AS last
WHERE offered.kind = 'submitted' AND offered.sender = $1 AND offered.receiver = $2 AND offered.pair_number > $3
ORDER BY offered.pair_number
LIMIT $4

-- name: pair_last
SELECT pair_number FROM ledger.entry
WHERE kind = 'submitted' AND sender = $1 AND receiver = $2
ORDER BY pair_number DESC LIMIT 1

-- name: head
SELECT size, root FROM ledger.oversight_state ORDER BY size DESC LIMIT 1

-- name: first_after
SELECT size FROM ledger.oversight_state WHERE recorded_at < $1 ORDER BY recorded_at DESC, size DESC LIMIT 1

-- name: tiles
-- A full tile is one row; one in the making is put together from the entries, or from the roots of the tiles below.
SELECT wanted.level, wanted.place, coalesce(
    (SELECT tile.data FROM ledger.oversight_tile AS tile
     WHERE tile.level = wanted.level AND tile.place = wanted.place LIMIT 1),
    CASE WHEN wanted.level = 0 THEN (
        SELECT string_agg(entry.leaf_hash, ''::bytea ORDER BY entry.seq) FROM ledger.oversight_entry AS entry
        WHERE entry.seq >= wanted.start AND entry.seq < wanted.stop
    ) ELSE (
        SELECT string_agg(tile.root, ''::bytea ORDER BY tile.place) FROM ledger.oversight_tile AS tile
        WHERE tile.level = wanted.level - 1 AND tile.place >= wanted.start AND tile.place < wanted.stop
    ) END
) AS data
FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS wanted (level, place, start, stop)

-- name: granted
SELECT sha256 FROM ledger.material_grant WHERE agency = $1 AND sha256 = ANY ($2::bytea[])

-- name: withheld
-- Of several bundles the last one says how it may be seen.
SELECT withheld.sha256, entry.case_id, withheld.view
FROM ledger.material_withheld AS withheld JOIN ledger.entry ON entry.seq = withheld.seq
WHERE withheld.agency = $1 AND withheld.sha256 = ANY ($2::bytea[])
ORDER BY withheld.seq

-- name: grant
INSERT INTO ledger.material_grant (agency, sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING
