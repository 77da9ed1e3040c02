-- Certificates of signer keys, beside the entries that register or revoke them, so that a signature can be checked years
-- later by the ledger alone.

CREATE TABLE ledger.signer_key (
    seq         bigint PRIMARY KEY CHECK (seq >= 0),
    -- SHA-256 of the certificate; the leaf of the entry has it too.
    key_id      bytea NOT NULL CHECK (octet_length(key_id) = 32),
    certificate bytea NOT NULL CHECK (octet_length(certificate) <= 65536)
);

CREATE VIEW ledger.oversight_signer_key AS SELECT seq, key_id, certificate FROM ledger.signer_key;

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.signer_key
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.signer_key ENABLE ALWAYS TRIGGER insert_only;

REVOKE ALL ON ledger.signer_key, ledger.oversight_signer_key FROM PUBLIC;
GRANT SELECT, INSERT ON ledger.signer_key TO fasttrack_gateway;
GRANT SELECT ON ledger.oversight_signer_key TO fasttrack_gateway, fasttrack_oversight;
