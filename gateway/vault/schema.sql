-- The vault, in a database of its own. One role owns it and is the only one that enters.

CREATE SCHEMA IF NOT EXISTS vault;

-- Master keys in use, by id. A key can only be wrapped with one that stands here, so that a process which has not heard
-- of a new one wraps nothing that could not be opened later.
CREATE TABLE IF NOT EXISTS vault.master_key (
    kek_id     text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The row of a destroyed case stays, without its key, so that nobody makes the case a new one.
CREATE TABLE IF NOT EXISTS vault.case_key (
    case_id      text PRIMARY KEY CHECK (octet_length(case_id) BETWEEN 1 AND 64),
    kek_id       text,
    -- Nonce (12 bytes) and key, wrapped by AES-256-GCM-SIV (48 bytes).
    wrapped      bytea CHECK (octet_length(wrapped) = 60),
    created_at   timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL) AND (wrapped IS NULL) = (kek_id IS NULL))
);

-- A row for each destroyed key that may still be in a dead row of vault.case_key.
CREATE TABLE IF NOT EXISTS vault.remains (
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE OR REPLACE FUNCTION vault.refuse_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a destroyed case stays destroyed' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE OR REPLACE TRIGGER destroyed_for_ever BEFORE UPDATE OR DELETE ON vault.case_key
    FOR EACH ROW WHEN (OLD.destroyed_at IS NOT NULL) EXECUTE FUNCTION vault.refuse_return();

REVOKE ALL ON SCHEMA vault FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA vault FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA vault FROM PUBLIC;
