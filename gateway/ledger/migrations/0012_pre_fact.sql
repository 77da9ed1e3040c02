-- What happened in a case, by which its clocks run: words, moments and pseudonyms, the digest of which stands in the leaf
-- of the entry that brought them.

CREATE TABLE ledger.fact (
    seq     bigint PRIMARY KEY CHECK (seq >= 0),
    case_id text NOT NULL,
    body    bytea NOT NULL CHECK (octet_length(body) BETWEEN 1 AND 1048576)
);
CREATE INDEX fact_case ON ledger.fact (case_id, seq);

CREATE VIEW ledger.oversight_fact AS SELECT seq, case_id, body FROM ledger.fact;

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.fact
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.fact ENABLE ALWAYS TRIGGER insert_only;

REVOKE ALL ON ledger.fact, ledger.oversight_fact FROM PUBLIC;
GRANT SELECT, INSERT ON ledger.fact TO fasttrack_gateway;
GRANT SELECT ON ledger.oversight_fact TO fasttrack_gateway, fasttrack_oversight;
