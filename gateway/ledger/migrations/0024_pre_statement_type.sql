-- Every submit asks for the newest register of its sender; without this index it would walk through whatever else the agency
-- has stated since.
CREATE INDEX statement_issuer_type ON ledger.statement (issuer, statement_type, seq);
