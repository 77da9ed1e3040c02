-- Content of cases is sealed with a key for each case (gateway/ledger/sealed.py), and the keys are elsewhere. Rows in the
-- clear cannot be sealed afterwards, because no row is ever changed: a ledger that has some stays with its old version.

DO $$
BEGIN
    IF EXISTS (SELECT FROM ledger.bundle) OR EXISTS (SELECT FROM ledger.detail) THEN
        RAISE EXCEPTION 'this ledger holds bundles in the clear, and rows are never changed: begin a new ledger'
            USING HINT = 'Keep this one, with the version that wrote it, for as long as its cases are kept.';
    END IF;
END
$$;

-- Ciphertexts: 17 bytes more than the content.
ALTER TABLE ledger.bundle ALTER COLUMN case_number TYPE bytea USING convert_to(case_number, 'UTF8');
ALTER TABLE ledger.bundle ALTER COLUMN manifest_jws TYPE bytea USING convert_to(manifest_jws, 'UTF8');
ALTER TABLE ledger.bundle ADD CHECK (octet_length(case_number) >= 17 AND octet_length(manifest_jws) >= 17
                                     AND octet_length(record) >= 17);
ALTER TABLE ledger.detail ADD CHECK (octet_length(body) >= 17);
-- They do not compress; trying would cost more than the rest of the insert.
ALTER TABLE ledger.bundle ALTER COLUMN case_number SET STORAGE EXTERNAL;
ALTER TABLE ledger.bundle ALTER COLUMN manifest_jws SET STORAGE EXTERNAL;
ALTER TABLE ledger.bundle ALTER COLUMN record SET STORAGE EXTERNAL;
ALTER TABLE ledger.detail ALTER COLUMN body SET STORAGE EXTERNAL;

-- Which case names which material: when a case is destroyed, a material goes that no other case names.
CREATE TABLE ledger.case_material (
    sha256  bytea NOT NULL CHECK (octet_length(sha256) = 32),
    case_id text NOT NULL,
    PRIMARY KEY (sha256, case_id)
);
CREATE INDEX case_material_case ON ledger.case_material (case_id);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.case_material
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.case_material ENABLE ALWAYS TRIGGER insert_only;

REVOKE ALL ON ledger.case_material FROM PUBLIC;
GRANT SELECT, INSERT ON ledger.case_material TO fasttrack_gateway;
