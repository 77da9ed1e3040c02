-- Statements: signed facts outside a handoff, beside their entries; the leaf holds the digests.

CREATE TABLE ledger.statement (
    seq            bigint PRIMARY KEY CHECK (seq >= 0),
    statement_id   uuid NOT NULL,
    issuer         text NOT NULL,
    statement_type text NOT NULL,
    case_id        text,
    case_number    text,
    statement_jws  text NOT NULL CHECK (octet_length(statement_jws) <= 1048576),
    CHECK ((case_id IS NULL) = (case_number IS NULL))
);
ALTER TABLE ledger.statement SET (toast_tuple_target = 8160);
ALTER TABLE ledger.statement ALTER COLUMN statement_jws SET STORAGE EXTERNAL;

CREATE INDEX statement_id ON ledger.statement (statement_id);
CREATE INDEX statement_case ON ledger.statement (case_id, seq) WHERE case_id IS NOT NULL;
CREATE INDEX statement_issuer ON ledger.statement (issuer, seq);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.statement
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.statement ENABLE ALWAYS TRIGGER insert_only;

-- Oversight sees that something was stated in the entries; what was stated belongs to the parties.
REVOKE ALL ON ledger.statement FROM PUBLIC;
GRANT SELECT, INSERT ON ledger.statement TO fasttrack_gateway;
