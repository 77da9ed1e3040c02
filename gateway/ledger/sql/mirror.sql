-- What is read for mirrors.

-- name: stretch
-- Sizes are read from the heads of the rows; content only of those that fit, and of the one that goes beyond.
SELECT entry.seq, entry.leaf, entry.leaf_hash, entry.kind, entry.actor, entry.sender, entry.receiver, entry.handoff_id,
       entry.case_id, detail.body AS detail, fact.body AS facts, track.body AS tracks, signer_key.certificate,
       statement.statement_jws, coalesce(whole.is_destroyed, false) AS is_destroyed
FROM (
    SELECT seq, sum(bytes) OVER (ORDER BY seq) - bytes AS bytes_before
    FROM (
        SELECT entry.seq, coalesce(octet_length(detail.body), 0) + coalesce(octet_length(fact.body), 0)
               + coalesce(octet_length(track.body), 0) + coalesce(octet_length(statement.statement_jws), 0)
               + coalesce(octet_length(signer_key.certificate), 0) AS bytes
        FROM ledger.entry
        LEFT JOIN ledger.detail ON detail.seq = entry.seq
        LEFT JOIN ledger.fact ON fact.seq = entry.seq
        LEFT JOIN ledger.track ON track.seq = entry.seq
        LEFT JOIN ledger.statement ON statement.seq = entry.seq
        LEFT JOIN ledger.signer_key ON signer_key.seq = entry.seq
        WHERE entry.seq >= $1 AND entry.seq < $2
    ) AS sized
) AS fitting
JOIN ledger.entry ON entry.seq = fitting.seq
LEFT JOIN ledger.detail ON detail.seq = entry.seq
LEFT JOIN ledger.fact ON fact.seq = entry.seq
LEFT JOIN ledger.track ON track.seq = entry.seq
LEFT JOIN ledger.statement ON statement.seq = entry.seq
LEFT JOIN ledger.signer_key ON signer_key.seq = entry.seq
LEFT JOIN LATERAL (
    SELECT case_state::json ->> 'stage' = 'X' AS is_destroyed FROM ledger.entry AS last
    WHERE last.case_id = entry.case_id ORDER BY case_seq DESC LIMIT 1
) AS whole ON true
WHERE fitting.bytes_before <= $3::bigint
ORDER BY entry.seq

-- name: batches
SELECT batch.first_index, state.size, coalesce(receipt.jws, '') AS receipt_jws
FROM ledger.state
CROSS JOIN LATERAL (
    SELECT coalesce(max(size), 0) AS first_index
    FROM (SELECT size FROM ledger.state AS before WHERE before.size < state.size ORDER BY size DESC LIMIT 1) AS last
) AS batch
LEFT JOIN ledger.receipt ON receipt.seq = batch.first_index
WHERE state.size > $1 AND state.size <= $2
ORDER BY state.size

-- name: bundle
SELECT entry.case_id, bundle.manifest_jws, bundle.record, whole.is_destroyed
FROM ledger.bundle JOIN ledger.entry ON entry.seq = bundle.seq
CROSS JOIN LATERAL (
    SELECT coalesce(case_state::json ->> 'stage' = 'X', false) AS is_destroyed FROM ledger.entry AS last
    WHERE last.case_id = entry.case_id ORDER BY case_seq DESC LIMIT 1
) AS whole
WHERE bundle.handoff_id = $1

-- name: withheld
SELECT withheld.sha256, withheld.view, granted.agency IS NOT NULL AS is_granted
FROM ledger.bundle JOIN ledger.material_withheld AS withheld ON withheld.seq = bundle.seq
LEFT JOIN ledger.material_grant AS granted ON granted.agency = withheld.agency AND granted.sha256 = withheld.sha256
WHERE bundle.handoff_id = $1
ORDER BY withheld.sha256

-- name: seals
SELECT what, size, at, witness, text, digest, token, code
FROM (
    (SELECT 'checkpoint' AS what, size, signed_at AS at, '' AS witness, note AS text, ''::bytea AS digest,
            ''::bytea AS token, 0 AS code
     FROM ledger.oversight_checkpoint WHERE size >= $1 ORDER BY size, signed_at LIMIT $2::bigint + $3::bigint)
    UNION ALL
    (SELECT 'cosignature', size, cosigned_at, witness, line, '', '', 0
     FROM ledger.oversight_cosignature WHERE size >= $1 ORDER BY size, cosigned_at, witness LIMIT $2::bigint + $3::bigint)
    UNION ALL
    (SELECT 'timestamp_token', size, stamped_at, '', '', note_sha256, token, 0
     FROM ledger.oversight_timestamp_token WHERE size >= $1 ORDER BY size LIMIT $2::bigint + $3::bigint)
    UNION ALL
    (SELECT 'timestamp_gap', size, noticed_at, '', '', '', '', code
     FROM ledger.oversight_timestamp_gap WHERE size >= $1 ORDER BY size LIMIT $2::bigint + $3::bigint)
) AS seal
ORDER BY size, at, what, witness
OFFSET $2::bigint LIMIT $3::bigint
