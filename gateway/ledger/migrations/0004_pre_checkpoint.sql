-- Checkpoints of the log and what witnesses say of them (C2SP tlog-checkpoint, tlog-cosignature).

-- What the signer signed. The same size again, after a while, says that the log still stands there.
CREATE TABLE ledger.checkpoint (
    size      bigint NOT NULL CHECK (size > 0),
    signed_at timestamptz NOT NULL,
    note      text NOT NULL,
    PRIMARY KEY (size, signed_at)
);

-- One signature line of a witness, checked before it came here.
CREATE TABLE ledger.cosignature (
    size        bigint NOT NULL CHECK (size > 0),
    witness     text NOT NULL,
    cosigned_at timestamptz NOT NULL,
    line        text NOT NULL,
    PRIMARY KEY (size, witness, cosigned_at)
);
-- What a witness saw last.
CREATE INDEX cosignature_witness ON ledger.cosignature (witness, size);

CREATE VIEW ledger.oversight_checkpoint AS SELECT size, signed_at, note FROM ledger.checkpoint;
CREATE VIEW ledger.oversight_cosignature AS SELECT size, witness, cosigned_at, line FROM ledger.cosignature;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['checkpoint', 'cosignature']
    LOOP
        EXECUTE format('CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', name);
        EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER insert_only', name);
    END LOOP;
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fasttrack_signer') THEN
            CREATE ROLE fasttrack_signer LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
        END IF;
    EXCEPTION
        -- Another database of this server is being migrated at the same moment.
        WHEN duplicate_object OR unique_violation THEN NULL;
    END;
END
$$;

REVOKE ALL ON ledger.checkpoint, ledger.cosignature, ledger.oversight_checkpoint, ledger.oversight_cosignature
    FROM PUBLIC;
-- The signer reads leaves and heads, and nothing that belongs to the parties; the gateway signs no checkpoint.
GRANT USAGE ON SCHEMA ledger TO fasttrack_signer;
GRANT SELECT ON ledger.oversight_entry, ledger.oversight_state TO fasttrack_signer;
GRANT SELECT, INSERT ON ledger.checkpoint TO fasttrack_signer;
GRANT SELECT ON ledger.checkpoint TO fasttrack_gateway;
GRANT SELECT, INSERT ON ledger.cosignature TO fasttrack_gateway;
GRANT SELECT ON ledger.oversight_checkpoint, ledger.oversight_cosignature TO fasttrack_gateway, fasttrack_oversight;
