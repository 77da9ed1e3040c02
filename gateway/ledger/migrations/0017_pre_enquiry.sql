-- What a party may be told of a case, by a keyed digest of the enquiry code. Nobody's name and no number of a case.
CREATE TABLE ledger.progress (
    seq          bigint PRIMARY KEY CHECK (seq >= 0),
    token        bytea NOT NULL CHECK (octet_length(token) = 32),
    case_id      text,
    stage        text NOT NULL,
    since        text NOT NULL,
    next_remedy  text NOT NULL,
    remedy_until text NOT NULL
);
CREATE INDEX progress_token ON ledger.progress (token, seq);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.progress
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.progress ENABLE ALWAYS TRIGGER insert_only;

REVOKE ALL ON ledger.progress FROM PUBLIC;
GRANT SELECT, INSERT ON ledger.progress TO fasttrack_gateway;
