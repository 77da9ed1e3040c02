-- Signer keys, rule sets and adapters that came into force, read through the oversight views, which every reader may use.

-- name: key_entries
-- LATERAL, so that each kind is one walk along the index of kinds.
SELECT found.seq, found.leaf, stored.certificate
FROM unnest(ARRAY['key_registered', 'key_revoked']) AS wanted (kind)
CROSS JOIN LATERAL (
    SELECT seq, leaf FROM ledger.oversight_entry WHERE kind = wanted.kind AND seq > $1 ORDER BY seq
) AS found
LEFT JOIN ledger.oversight_signer_key AS stored ON stored.seq = found.seq
ORDER BY found.seq

-- name: registrations
SELECT found.leaf
FROM unnest(ARRAY['rule_set_registered', 'adapter_registered']) AS wanted (kind)
CROSS JOIN LATERAL (SELECT seq, leaf FROM ledger.oversight_entry WHERE kind = wanted.kind ORDER BY seq) AS found
ORDER BY found.seq

-- name: origin
SELECT leaf FROM ledger.oversight_entry ORDER BY seq LIMIT 1
