-- What an evidence pack of one case is made from.

-- name: entries
SELECT e.seq, e.leaf, r.jws, d.body, f.body AS facts
FROM ledger.entry AS e
LEFT JOIN ledger.receipt AS r ON r.seq = e.seq
LEFT JOIN ledger.detail AS d ON d.seq = e.seq
LEFT JOIN ledger.fact AS f ON f.seq = e.seq
WHERE e.case_id = $1 ORDER BY e.case_seq

-- name: bundles
SELECT b.handoff_id::text AS handoff, b.seq, b.manifest_jws, b.record
FROM ledger.entry AS e JOIN ledger.bundle AS b ON b.handoff_id = e.handoff_id
WHERE e.case_id = $1 AND e.kind = 'submitted' ORDER BY e.case_seq

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
