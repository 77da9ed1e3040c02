-- name: is_ready
SELECT to_regclass('vault.remains') IS NOT NULL AS has_vault, to_regclass('ledger.entry') IS NOT NULL AS has_ledger

-- name: master_keys
SELECT kek_id FROM vault.master_key ORDER BY created_at, kek_id

-- name: add_master_key
INSERT INTO vault.master_key (kek_id) VALUES ($1) ON CONFLICT DO NOTHING

-- name: find
SELECT case_id, kek_id, wrapped FROM vault.case_key WHERE case_id = ANY ($1::text[])

-- name: make
WITH kek AS (
    -- Locked, so that nobody takes this master key away before the new keys are there to be wrapped again.
    SELECT kek_id FROM vault.master_key WHERE kek_id = $1 FOR KEY SHARE
)
INSERT INTO vault.case_key (case_id, kek_id, wrapped)
SELECT rows.case_id, kek.kek_id, rows.wrapped
FROM kek, unnest($2::text[], $3::bytea[]) AS rows (case_id, wrapped)
ON CONFLICT DO NOTHING
RETURNING case_id

-- name: destroy
-- The note is committed with the key's end, so that whoever is killed before the rewrite leaves it to the next one.
WITH noted AS (INSERT INTO vault.remains DEFAULT VALUES)
INSERT INTO vault.case_key AS k (case_id, destroyed_at) VALUES ($1, now())
ON CONFLICT (case_id) DO UPDATE SET wrapped = NULL, kek_id = NULL, destroyed_at = now() WHERE k.destroyed_at IS NULL

-- name: remains
SELECT clock_timestamp() AS now, EXISTS (SELECT FROM vault.remains) AS is_any

-- name: removed
-- What was noted since may have come too late for the rewrite: it waits for every statement that began before it.
DELETE FROM vault.remains WHERE since < $1

-- name: rewrite
-- The row that the update left behind still has the key, until the table is written anew.
VACUUM (FULL) vault.case_key

-- name: old
SELECT case_id, kek_id, wrapped FROM vault.case_key
WHERE kek_id <> $1 ORDER BY case_id LIMIT $2 FOR UPDATE

-- name: rewrap
UPDATE vault.case_key AS k SET kek_id = $1, wrapped = rows.wrapped
FROM unnest($2::text[], $3::bytea[]) AS rows (case_id, wrapped)
WHERE k.case_id = rows.case_id

-- name: retire
DELETE FROM vault.master_key WHERE kek_id <> $1

-- name: count
SELECT count(wrapped) AS keys, count(destroyed_at) AS destroyed FROM vault.case_key
