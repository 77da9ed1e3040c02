"""The vault: one key for each case, apart from the ledger, so that a case can be destroyed."""
