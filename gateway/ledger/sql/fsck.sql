-- What fsck reads. Every name is qualified, because the search path may be part of what was tampered with.

-- name: snapshot
SELECT pg_catalog.pg_export_snapshot()

-- name: head
SELECT s.size, s.root, e.seq
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (SELECT size, root FROM ledger.state ORDER BY size DESC LIMIT 1) AS s ON true
LEFT JOIN LATERAL (SELECT seq FROM ledger.entry ORDER BY seq DESC LIMIT 1) AS e ON true

-- name: first_leaf
SELECT leaf FROM ledger.entry ORDER BY seq LIMIT 1

-- name: boundaries
SELECT DISTINCT found.size
FROM pg_catalog.generate_series(1, $1::bigint) AS wanted (part)
CROSS JOIN LATERAL (
    SELECT size FROM ledger.state WHERE size >= $2::bigint * wanted.part / $1::bigint ORDER BY size LIMIT 1
) AS found
ORDER BY 1

-- name: frontier
SELECT frontier FROM ledger.state WHERE size = $1

-- name: entries
SELECT e.seq, leaf, leaf_hash, recorded_at, act_id::text, handoff_id::text, case_seq, pair_number, submitted_seq,
       lease_until, kind, actor, sender, receiver, e.case_id, handoff_kind, handoff_state, lease_consumer, case_state,
       case_before, pg_catalog.encode(content_sha256, 'hex'), pg_catalog.encode(bundle_sha256, 'hex'),
       t.case_id, t.is_changed, t.body
FROM ledger.entry AS e LEFT JOIN ledger.track AS t ON t.seq = e.seq
WHERE ($1::text IS NULL OR e.case_id COLLATE "C" >= $1) AND ($2::text IS NULL OR e.case_id COLLATE "C" < $2)
   OR (e.case_id IS NULL AND $1::text IS NULL)
ORDER BY e.seq

-- name: tree
SELECT seq, leaf_hash, recorded_at, kind FROM ledger.entry WHERE seq >= $1 AND seq < $2 ORDER BY seq

-- name: batches
-- A row for each state, with all that its entries must be to it; who finds a difference reads them one by one.
SELECT s.size, s.recorded_at, s.root, s.frontier, s.before, b.first, b.last, b.entries, b.leaf_hashes, b.is_same_time,
       b.kinds, r.jws
FROM (
    SELECT size, recorded_at, root, frontier,
           pg_catalog.lag(size, 1, $1::bigint) OVER (ORDER BY size) AS before
    FROM ledger.state WHERE size > $1::bigint AND size <= $2::bigint
) AS s
CROSS JOIN LATERAL (
    SELECT pg_catalog.min(e.seq) AS first, pg_catalog.max(e.seq) AS last,
           pg_catalog.count(DISTINCT e.seq) AS entries,
           pg_catalog.string_agg(e.leaf_hash, ''::bytea ORDER BY e.seq) AS leaf_hashes,
           pg_catalog.bool_and(e.recorded_at = s.recorded_at) AS is_same_time,
           pg_catalog.array_agg(DISTINCT e.kind) AS kinds
    FROM ledger.entry AS e WHERE e.seq >= s.before AND e.seq < s.size
) AS b
LEFT JOIN ledger.receipt AS r ON r.seq = s.before
ORDER BY s.size

-- name: receipts
SELECT seq, jws FROM ledger.receipt WHERE seq >= $1 AND seq < $2 ORDER BY seq

-- name: count_receipts
SELECT pg_catalog.count(*) FROM ledger.receipt WHERE seq >= $1 AND seq < $2

-- name: count_entries
SELECT pg_catalog.count(*) FROM ledger.entry WHERE seq >= $1 AND seq < $2

-- name: states
SELECT size, recorded_at, root, frontier FROM ledger.state WHERE size > $1 AND size <= $2 ORDER BY size

-- name: tiles
SELECT place, root, data FROM ledger.tile WHERE level = $1 AND place >= $2 AND place < $3 ORDER BY place

-- name: bundles
SELECT e.seq, e.leaf, b.handoff_id::text, b.seq, b.sender, b.idempotency_key, e.case_id, b.case_number, b.manifest_jws,
       b.record
FROM ledger.entry AS e LEFT JOIN ledger.bundle AS b ON b.handoff_id = e.handoff_id
WHERE e.kind = 'submitted' AND e.seq >= $1 AND e.seq < $2
ORDER BY e.seq

-- name: statements
SELECT e.seq, e.leaf, s.seq, s.statement_id::text, s.issuer, s.statement_type, s.case_id, s.case_number, s.statement_jws,
       coalesce(e.case_id, 'common')
FROM ledger.entry AS e LEFT JOIN ledger.statement AS s ON s.seq = e.seq
WHERE e.kind = 'stated' AND e.seq >= $1 AND e.seq < $2
ORDER BY e.seq

-- name: progress
SELECT seq, token, case_id, stage, since, next_remedy, remedy_until FROM ledger.progress WHERE seq = ANY ($1::bigint[])
ORDER BY seq

-- name: details
SELECT e.seq, e.leaf, e.case_id, d.body
FROM ledger.entry AS e LEFT JOIN ledger.detail AS d ON d.seq = e.seq
WHERE e.seq >= $1 AND e.seq < $2
  AND (e.kind NOT IN ('submitted', 'claimed', 'fetched', 'viewed', 'call_refused', 'stated') OR d.seq IS NOT NULL)
ORDER BY e.seq

-- name: facts
SELECT e.seq, e.leaf, f.case_id, f.body
FROM ledger.entry AS e LEFT JOIN ledger.fact AS f ON f.seq = e.seq
WHERE e.seq >= $1 AND e.seq < $2
  AND (f.seq IS NOT NULL OR pg_catalog.position(e.leaf, '"facts_sha256"'::bytea) > 0)
ORDER BY e.seq

-- name: notices
SELECT coalesce(e.seq, n.seq), e.leaf, coalesce(n.agencies, '{}')
FROM (SELECT seq, leaf FROM ledger.entry WHERE kind IN ('clock_warned', 'clock_breached')) AS e
FULL JOIN (
    SELECT seq, pg_catalog.array_agg(agency ORDER BY agency COLLATE "C") AS agencies FROM ledger.notice GROUP BY seq
) AS n ON n.seq = e.seq
ORDER BY 1

-- name: destroyed_cases
SELECT case_id, seq FROM ledger.entry WHERE kind = 'case_destroyed' ORDER BY seq

-- name: missing_materials
SELECT wanted.position
FROM unnest($1::bytea[], $2::text[]) WITH ORDINALITY AS wanted (sha256, case_id, position)
WHERE NOT EXISTS (
    SELECT FROM ledger.case_material AS m WHERE m.sha256 = wanted.sha256 AND m.case_id = wanted.case_id
)

-- name: missing_grants
SELECT wanted.position
FROM unnest($1::text[], $2::bytea[], $3::bigint[]) WITH ORDINALITY AS wanted (agency, sha256, seq, position)
WHERE NOT EXISTS (
    SELECT FROM ledger.material_grant AS g WHERE g.agency = wanted.agency AND g.sha256 = wanted.sha256
) AND NOT EXISTS (
    SELECT FROM ledger.material_withheld AS w
    WHERE w.seq = wanted.seq AND w.sha256 = wanted.sha256 AND w.agency = wanted.agency
)

-- name: restrictions
SELECT e.seq, e.leaf, coalesce(w.agencies, '{}'), coalesce(w.digests, '{}'), coalesce(w.views, '{}')
FROM ledger.entry AS e
LEFT JOIN (
    SELECT seq, pg_catalog.array_agg(agency) AS agencies,
           pg_catalog.array_agg(pg_catalog.encode(sha256, 'hex')) AS digests, pg_catalog.array_agg(view) AS views
    FROM ledger.material_withheld WHERE seq >= $1 AND seq < $2 GROUP BY seq
) AS w ON w.seq = e.seq
WHERE e.seq >= $1 AND e.seq < $2
  AND (w.seq IS NOT NULL OR pg_catalog.position(e.leaf, '"withheld_sha256"'::bytea) > 0)
ORDER BY e.seq

-- name: grants
SELECT agency, sha256 FROM ledger.material_grant

-- name: numbering_errors
SELECT seq, pair_number, expected
FROM (
    SELECT seq, pair_number,
           pg_catalog.row_number() OVER (PARTITION BY sender, receiver ORDER BY seq) AS expected
    FROM ledger.entry WHERE kind = 'submitted'
) AS numbered
WHERE pair_number IS DISTINCT FROM expected
ORDER BY seq

-- name: repeated_acts
SELECT act_id::text, actor, pg_catalog.count(*) FROM ledger.entry GROUP BY act_id, actor HAVING pg_catalog.count(*) > 1

-- name: stray_rows
SELECT 'receipt' AS "table", 'seq=' || r.seq AS place, 'there is no entry of this index' AS reason
FROM ledger.receipt AS r WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.seq = r.seq)
UNION ALL
SELECT 'detail', 'seq=' || d.seq, 'there is no entry of this index'
FROM ledger.detail AS d WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.seq = d.seq)
UNION ALL
SELECT 'track', 'seq=' || t.seq, 'there is no entry of this index'
FROM ledger.track AS t WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.seq = t.seq)
UNION ALL
SELECT 'fact', 'seq=' || f.seq, 'there is no entry of this index'
FROM ledger.fact AS f WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.seq = f.seq)
UNION ALL
SELECT 'bundle', 'seq=' || b.seq || ' handoff_id=' || b.handoff_id, 'no entry submitted this bundle'
FROM ledger.bundle AS b
WHERE NOT EXISTS (
    SELECT FROM ledger.entry AS e WHERE e.seq = b.seq AND e.kind = 'submitted' AND e.handoff_id = b.handoff_id
)
UNION ALL
SELECT 'progress', 'seq=' || p.seq, 'no entry states this'
FROM ledger.progress AS p
WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.seq = p.seq AND e.kind = 'stated')
UNION ALL
SELECT 'statement', 'seq=' || s.seq, 'no entry states this'
FROM ledger.statement AS s
WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.seq = s.seq AND e.kind = 'stated')
UNION ALL
SELECT 'entry', 'seq=' || seq, 'the index is negative' FROM ledger.entry WHERE seq < 0
UNION ALL
SELECT 'state', 'size=' || size, 'no tree has this size' FROM ledger.state WHERE size <= 0
UNION ALL
SELECT 'tile', 'level=' || level || ' place=' || place, 'no tree has such a tile'
FROM ledger.tile WHERE level NOT BETWEEN 0 AND 7 OR place < 0
UNION ALL
SELECT 'receipt', 'seq=' || seq, 'stands ' || pg_catalog.count(*) || ' times'
FROM ledger.receipt GROUP BY seq HAVING pg_catalog.count(*) > 1
UNION ALL
SELECT 'detail', 'seq=' || seq, 'stands ' || pg_catalog.count(*) || ' times'
FROM ledger.detail GROUP BY seq HAVING pg_catalog.count(*) > 1
UNION ALL
SELECT 'fact', 'seq=' || seq, 'stands ' || pg_catalog.count(*) || ' times'
FROM ledger.fact GROUP BY seq HAVING pg_catalog.count(*) > 1
UNION ALL
SELECT 'material_grant', 'sha256=' || pg_catalog.encode(sha256, 'hex'), 'stands ' || pg_catalog.count(*) || ' times'
FROM ledger.material_grant GROUP BY agency, sha256 HAVING pg_catalog.count(*) > 1
UNION ALL
SELECT 'material_withheld', 'seq=' || w.seq, 'no entry submitted this'
FROM ledger.material_withheld AS w
WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.seq = w.seq AND e.kind = 'submitted')
UNION ALL
SELECT 'case_material', 'sha256=' || pg_catalog.encode(sha256, 'hex'), 'stands ' || pg_catalog.count(*) || ' times'
FROM ledger.case_material GROUP BY sha256, case_id HAVING pg_catalog.count(*) > 1
UNION ALL
SELECT 'case_material', 'sha256=' || pg_catalog.encode(m.sha256, 'hex'), 'no case of this pseudonym submitted anything'
FROM ledger.case_material AS m
WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.case_id = m.case_id AND e.kind = 'submitted')

-- name: signer_keys
SELECT e.seq, e.leaf, k.seq, k.key_id, k.certificate
FROM (SELECT seq, leaf FROM ledger.entry WHERE kind IN ('key_registered', 'key_revoked')) AS e
FULL JOIN ledger.signer_key AS k ON k.seq = e.seq
ORDER BY coalesce(e.seq, k.seq)

-- name: checkpoints
SELECT c.size, c.signed_at, c.note, s.recorded_at
FROM ledger.checkpoint AS c LEFT JOIN ledger.state AS s ON s.size = c.size
ORDER BY c.size, c.signed_at

-- name: cosignatures
SELECT g.size, g.witness, g.cosigned_at, g.line, c.note, c.signed_at
FROM ledger.cosignature AS g
LEFT JOIN LATERAL (
    SELECT note, signed_at FROM ledger.checkpoint WHERE size = g.size ORDER BY signed_at LIMIT 1
) AS c ON true
ORDER BY g.size, g.witness, g.cosigned_at

-- name: migrations
SELECT name, sha256, applied_at FROM ledger.schema_migration ORDER BY name

-- name: tables
SELECT c.relname FROM pg_catalog.pg_class AS c
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p', 'f', 'm')
ORDER BY 1

-- name: catalogue
-- Names of roles other than ours are left out: they are the operator's.
WITH space AS (
    SELECT oid, nspowner FROM pg_catalog.pg_namespace WHERE nspname = 'ledger'
), relation AS (
    SELECT c.* FROM pg_catalog.pg_class AS c JOIN space ON c.relnamespace = space.oid
), granted AS (
    SELECT 'schema ledger' AS what, n.nspacl AS acl, n.nspowner AS owner
    FROM pg_catalog.pg_namespace AS n JOIN space USING (oid)
    UNION ALL
    SELECT c.relkind::text || ' ' || c.relname, c.relacl, c.relowner FROM relation AS c
    UNION ALL
    SELECT 'column ' || c.relname || '.' || a.attname, a.attacl, c.relowner
    FROM relation AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
    UNION ALL
    SELECT 'function ' || p.proname, coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)), p.proowner
    FROM pg_catalog.pg_proc AS p JOIN space ON p.pronamespace = space.oid
)
SELECT pg_catalog.format('%s %s%s%s%s%s%s', c.relkind, c.relname,
              CASE c.relpersistence WHEN 'p' THEN '' ELSE ' persistence ' || c.relpersistence::text END,
              CASE WHEN c.relrowsecurity THEN ' row security' END, CASE WHEN c.relforcerowsecurity THEN ' forced' END,
              CASE WHEN c.relispartition THEN ' partition' END,
              CASE WHEN c.relowner <> space.nspowner THEN ' of another owner' END) AS line
FROM relation AS c JOIN space ON true WHERE c.relkind <> 'i'
UNION ALL
SELECT pg_catalog.format('column %s.%s %s%s%s%s%s', c.relname, a.attname,
                         pg_catalog.format_type(a.atttypid, a.atttypmod),
                         CASE WHEN a.attnotnull THEN ' not null' END,
                         ' default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
                         ' generated ' || nullif(a.attgenerated::text, ''), ' identity ' || nullif(a.attidentity::text, ''))
FROM relation AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f')
UNION ALL
SELECT 'dropped column of ' || c.relname FROM relation AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attisdropped
UNION ALL
SELECT pg_catalog.format('index %s%s%s', pg_catalog.pg_get_indexdef(i.indexrelid),
                         CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN '' ELSE ' not valid' END,
                         CASE WHEN i.indisunique AND NOT i.indimmediate THEN ' deferred' END)
FROM relation AS c JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid
UNION ALL
SELECT pg_catalog.format('constraint %s %s %s%s', c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid),
                         CASE WHEN k.convalidated THEN '' ELSE ' not valid' END)
FROM relation AS c JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid AND k.contype <> 'n'
UNION ALL
SELECT pg_catalog.format('trigger %s enabled %s', pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled)
FROM relation AS c JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid
UNION ALL
SELECT pg_catalog.format('triggers of %s: switched off', c.relname)
FROM relation AS c JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid WHERE NOT c.relhastriggers
UNION ALL
SELECT pg_catalog.format('rule %s %s enabled %s', c.relname, pg_catalog.pg_get_ruledef(r.oid), r.ev_enabled)
FROM relation AS c JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = c.oid
UNION ALL
SELECT pg_catalog.format('policy %s %s', c.relname, p.polname)
FROM relation AS c JOIN pg_catalog.pg_policy AS p ON p.polrelid = c.oid
UNION ALL
SELECT pg_catalog.format('inheritance %s', i.inhrelid::regclass)
FROM relation AS c JOIN pg_catalog.pg_inherits AS i ON c.oid IN (i.inhparent, i.inhrelid)
UNION ALL
SELECT pg_catalog.format('function %s returns %s %s%s %s: %s', p.oid::regprocedure, p.prorettype::regtype, l.lanname,
                         CASE WHEN p.prosecdef THEN ' security definer' END, p.proconfig, pg_catalog.md5(p.prosrc))
FROM pg_catalog.pg_proc AS p JOIN space ON p.pronamespace = space.oid
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
UNION ALL
SELECT pg_catalog.format('event trigger %s on %s enabled %s %s function %s', evtname, evtevent, evtenabled, evttags,
                         evtfoid::regprocedure)
FROM pg_catalog.pg_event_trigger
UNION ALL
SELECT pg_catalog.format('grant %s %s %s%s', granted.what, coalesce(r.rolname, 'PUBLIC'), a.privilege_type,
                         CASE WHEN a.is_grantable THEN ' with grant option' END)
FROM granted CROSS JOIN LATERAL pg_catalog.aclexplode(granted.acl) AS a
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
WHERE a.grantee <> granted.owner
UNION ALL
SELECT pg_catalog.format('role %s may too much', rolname) FROM pg_catalog.pg_roles
WHERE rolname LIKE 'fasttrack\_%' AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication)
UNION ALL
SELECT pg_catalog.format('role %s is a member of %s', m.member::regrole, m.roleid::regrole)
FROM pg_catalog.pg_auth_members AS m
WHERE m.member::regrole::text LIKE 'fasttrack\_%'
UNION ALL
SELECT pg_catalog.format('publication of %s', c.relname)
FROM relation AS c JOIN pg_catalog.pg_publication_rel AS p ON p.prrelid = c.oid

-- name: owner_is_superuser
SELECT r.rolsuper FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner
WHERE n.nspname = 'ledger'

-- name: timestamp_tokens
SELECT t.size, t.stamped_at, t.note_sha256, t.token,
       ARRAY(SELECT c.note FROM ledger.checkpoint AS c WHERE c.size = t.size), pg_catalog.count(*) OVER (PARTITION BY t.size)
FROM ledger.timestamp_token AS t ORDER BY t.size

-- name: timestamp_gaps
SELECT g.size, g.noticed_at, g.code, (SELECT pg_catalog.min(c.signed_at) FROM ledger.checkpoint AS c WHERE c.size = g.size)
FROM ledger.timestamp_gap AS g ORDER BY g.size
