-- What the scheduler reads, and what agencies read of what it raised.

-- name: rows_after
SELECT seq, case_id FROM ledger.fact WHERE seq > $1 ORDER BY seq LIMIT $2

-- name: parties
-- The agency of each role that had to do with the case last, and who has custody of the file.
SELECT DISTINCT ON (split_part(agency, ':', 1)) agency
FROM (
    SELECT sender AS agency, seq FROM ledger.entry WHERE case_id = $1 AND kind = 'submitted'
    UNION ALL
    SELECT receiver, seq FROM ledger.entry WHERE case_id = $1 AND kind = 'submitted'
) AS named
ORDER BY split_part(agency, ':', 1), seq DESC

-- name: holder
SELECT case_state::json ->> 'holder' AS holder FROM ledger.entry WHERE case_id = $1 ORDER BY case_seq DESC LIMIT 1

-- name: notices
-- The number of the case is given to its parties only, and every agency that is told is one; a destroyed case has none.
SELECT notice.seq, entry.recorded_at, entry.leaf, entry.case_id, found.handoff_id, found.case_number, whole.is_destroyed
FROM ledger.notice
JOIN ledger.entry ON entry.seq = notice.seq
LEFT JOIN LATERAL (
    SELECT bundle.handoff_id, bundle.case_number
    FROM ledger.entry AS submitted JOIN ledger.bundle ON bundle.handoff_id = submitted.handoff_id
    WHERE submitted.case_id = entry.case_id AND submitted.kind = 'submitted'
    ORDER BY submitted.case_seq LIMIT 1
) AS found ON true
CROSS JOIN LATERAL (
    SELECT coalesce(case_state::json ->> 'stage' = 'X', false) AS is_destroyed FROM ledger.entry AS last
    WHERE last.case_id = entry.case_id ORDER BY case_seq DESC LIMIT 1
) AS whole
WHERE notice.agency = $1 AND notice.seq > $2
ORDER BY notice.seq LIMIT $3
