-- Roles belong to the whole server, so they may be there from another database. They have no password: who may log in
-- as them is for the operator to say (pg_hba.conf, or ALTER ROLE).

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['fasttrack_gateway', 'fasttrack_oversight']
    LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
                EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', name);
            END IF;
        EXCEPTION
            -- Another database of this server is being migrated at the same moment.
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
END
$$;

REVOKE ALL ON SCHEMA ledger FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA ledger FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;

GRANT USAGE ON SCHEMA ledger TO fasttrack_gateway, fasttrack_oversight;
GRANT INSERT, SELECT ON
    ledger.entry, ledger.receipt, ledger.bundle, ledger.detail, ledger.material_grant, ledger.tile, ledger.state
    TO fasttrack_gateway;
GRANT SELECT ON ledger.schema_migration TO fasttrack_gateway;
GRANT SELECT ON ledger.oversight_entry, ledger.oversight_tile, ledger.oversight_state
    TO fasttrack_gateway, fasttrack_oversight;
