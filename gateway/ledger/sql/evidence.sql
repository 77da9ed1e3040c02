-- What an evidence pack of one case is made from.

-- name: entries
SELECT e.seq, e.kind, e.leaf, d.body, f.body AS facts, t.body AS tracks, signed.jws, signed.first_index, batch.leaf_hashes
FROM ledger.entry AS e
LEFT JOIN ledger.detail AS d ON d.seq = e.seq
LEFT JOIN ledger.fact AS f ON f.seq = e.seq
LEFT JOIN ledger.track AS t ON t.seq = e.seq
LEFT JOIN LATERAL (
    SELECT seq AS first_index, jws FROM ledger.receipt WHERE receipt.seq <= e.seq ORDER BY seq DESC LIMIT 1
) AS signed ON true
LEFT JOIN LATERAL (
    SELECT string_agg(batch.leaf_hash, ''::bytea ORDER BY batch.seq) AS leaf_hashes FROM ledger.entry AS batch
    WHERE batch.seq >= signed.first_index
      AND batch.seq < (SELECT size FROM ledger.state WHERE size > signed.first_index ORDER BY size LIMIT 1)
) AS batch ON true
WHERE e.case_id = $1 ORDER BY e.case_seq

-- name: bundles
SELECT b.handoff_id::text AS handoff, b.seq, b.manifest_jws, b.record
FROM ledger.entry AS e JOIN ledger.bundle AS b ON b.handoff_id = e.handoff_id
WHERE e.case_id = $1 AND e.kind = 'submitted' ORDER BY e.case_seq

-- name: statements
SELECT s.seq, s.statement_jws
FROM ledger.entry AS e JOIN ledger.statement AS s ON s.seq = e.seq
WHERE e.case_id = $1 AND e.kind = 'stated' ORDER BY e.case_seq

-- name: checkpoint
SELECT c.size, c.note, s.root, t.note_sha256, t.token
FROM ledger.checkpoint AS c
JOIN ledger.state AS s ON s.size = c.size
LEFT JOIN ledger.timestamp_token AS t
    ON t.size = c.size AND t.note_sha256 = pg_catalog.sha256(pg_catalog.convert_to(c.note, 'UTF8'))
WHERE c.size >= $1 ORDER BY c.size DESC, c.signed_at DESC LIMIT 1

-- name: cosignatures
SELECT DISTINCT ON (witness) line FROM ledger.cosignature WHERE size = $1 ORDER BY witness, cosigned_at DESC

-- name: state
SELECT size, root FROM ledger.state WHERE size >= $1 ORDER BY size DESC LIMIT 1
