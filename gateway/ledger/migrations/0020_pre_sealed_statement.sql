-- Statements are content of a case too, so they are sealed like bundles (0008); those about no case with a common key.

DO $$
BEGIN
    IF EXISTS (SELECT FROM ledger.statement) THEN
        RAISE EXCEPTION 'this ledger holds statements in the clear, and rows are never changed: begin a new ledger'
            USING HINT = 'Keep this one, with the version that wrote it, for as long as its cases are kept.';
    END IF;
END
$$;

ALTER TABLE ledger.statement DROP CONSTRAINT statement_statement_jws_check;
ALTER TABLE ledger.statement ALTER COLUMN case_number TYPE bytea USING convert_to(case_number, 'UTF8');
ALTER TABLE ledger.statement ALTER COLUMN statement_jws TYPE bytea USING convert_to(statement_jws, 'UTF8');
ALTER TABLE ledger.statement ADD CHECK (octet_length(case_number) >= 17);
ALTER TABLE ledger.statement ADD CHECK (octet_length(statement_jws) BETWEEN 17 AND 1048593);
ALTER TABLE ledger.statement ALTER COLUMN case_number SET STORAGE EXTERNAL;
ALTER TABLE ledger.statement ALTER COLUMN statement_jws SET STORAGE EXTERNAL;
