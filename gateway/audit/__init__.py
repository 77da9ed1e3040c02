"""Looking after the ledger from outside: fsck, evidence packs and their verification, the monitor."""
