-- What acts did to the persons of a case, beside their entries; the leaf holds the digest. Pseudonyms and words only.

CREATE TABLE ledger.track (
    seq        bigint PRIMARY KEY CHECK (seq >= 0),
    case_id    text NOT NULL,
    -- Whether the body has the tracks as they are after the entry, and not only what it brought.
    is_changed boolean NOT NULL,
    body       bytea NOT NULL CHECK (octet_length(body) BETWEEN 1 AND 1048576)
);
ALTER TABLE ledger.track SET (toast_tuple_target = 8160);

-- The last row of a case is how its persons stand.
CREATE INDEX track_case ON ledger.track (case_id, seq) WHERE is_changed;

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.track
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.track ENABLE ALWAYS TRIGGER insert_only;

REVOKE ALL ON ledger.track FROM PUBLIC;
GRANT SELECT, INSERT ON ledger.track TO fasttrack_gateway;
