-- What a bundle brought its receiver without letting it be read: it must be asked for, or is never seen. A material that is
-- not granted and not here is unknown to whoever asks.
CREATE TABLE ledger.material_withheld (
    agency text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    seq    bigint NOT NULL,
    view   text NOT NULL CHECK (view IN ('request', 'least', 'none')),
    PRIMARY KEY (seq, sha256)
);
CREATE INDEX material_withheld_agency ON ledger.material_withheld (agency, sha256);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.material_withheld
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.material_withheld ENABLE ALWAYS TRIGGER insert_only;

REVOKE ALL ON ledger.material_withheld FROM PUBLIC;
GRANT SELECT, INSERT ON ledger.material_withheld TO fasttrack_gateway;
