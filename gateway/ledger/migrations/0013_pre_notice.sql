-- Whom an entry about a limit is a notice to; the leaf of the entry names the same agencies.

CREATE TABLE ledger.notice (
    agency text NOT NULL,
    seq    bigint NOT NULL CHECK (seq >= 0),
    PRIMARY KEY (agency, seq)
);
CREATE INDEX notice_seq ON ledger.notice (seq);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.notice
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.notice ENABLE ALWAYS TRIGGER insert_only;

REVOKE ALL ON ledger.notice FROM PUBLIC;
GRANT SELECT, INSERT ON ledger.notice TO fasttrack_gateway;
