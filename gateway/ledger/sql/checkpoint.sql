-- Checkpoints and cosignatures. The present head is the last state of the oversight view, which every role may read.

-- name: head
SELECT size, root FROM ledger.oversight_state ORDER BY size DESC LIMIT 1

-- name: leaves
SELECT seq, leaf, leaf_hash FROM ledger.oversight_entry WHERE seq >= $1 AND seq < $2 ORDER BY seq

-- name: last_checkpoint
SELECT size, signed_at, note FROM ledger.checkpoint ORDER BY size DESC, signed_at DESC LIMIT 1

-- name: add_checkpoint
WITH added AS (INSERT INTO ledger.checkpoint (size, signed_at, note) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING)
SELECT pg_notify('fasttrack_inbox', 'checkpoint')

-- name: checkpoint
SELECT note FROM ledger.oversight_checkpoint WHERE size = $1 ORDER BY signed_at DESC LIMIT 1

-- name: last_seen
SELECT size, signed_at, note FROM ledger.oversight_checkpoint ORDER BY size DESC, signed_at DESC LIMIT 1

-- name: cosignatures
SELECT DISTINCT ON (witness) line FROM ledger.oversight_cosignature 
WHERE size = $1 AND (witness = ANY ($2::text[]) OR cardinality($2::text[]) = 0)
ORDER BY witness, cosigned_at DESC

-- name: witness_size
SELECT size FROM ledger.oversight_cosignature WHERE witness = $1 ORDER BY size DESC LIMIT 1

-- name: quorum_sizes
SELECT size FROM ledger.oversight_cosignature WHERE witness = ANY ($1::text[])
GROUP BY size HAVING count(DISTINCT witness) >= $2 ORDER BY size DESC LIMIT 1

-- name: add_cosignature
WITH added AS (
    INSERT INTO ledger.cosignature (size, witness, cosigned_at, line) VALUES ($1, $2, to_timestamp($3::bigint), $4)
    ON CONFLICT DO NOTHING
)
SELECT pg_notify('fasttrack_inbox', 'checkpoint')

-- name: tile
SELECT data FROM ledger.oversight_tile WHERE level = $1 AND place = $2

-- name: tile_roots
SELECT root FROM ledger.oversight_tile WHERE level = $1 AND place >= $2 AND place < $3 ORDER BY place
