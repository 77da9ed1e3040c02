-- Time-stamp tokens and gaps, read through the oversight views, which every reader may use.

-- name: stamped_size
SELECT size FROM ledger.oversight_timestamp_token ORDER BY size DESC LIMIT 1

-- name: token
SELECT size, note_sha256, stamped_at, token FROM ledger.oversight_timestamp_token
WHERE size >= $1 ORDER BY size LIMIT 1

-- name: open_gap
SELECT size, noticed_at, code FROM ledger.oversight_timestamp_gap
WHERE filled_by_size IS NULL ORDER BY size LIMIT 1

-- name: add_token
INSERT INTO ledger.timestamp_token (size, stamped_at, note_sha256, token) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING

-- name: add_gap
INSERT INTO ledger.timestamp_gap (size, noticed_at, code)
SELECT $1::bigint, $2::timestamptz, $3::integer
WHERE NOT EXISTS (SELECT FROM ledger.oversight_timestamp_gap WHERE filled_by_size IS NULL)
ON CONFLICT DO NOTHING
