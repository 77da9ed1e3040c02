"""The ledger in PostgreSQL: one batcher that appends, readers, and the watch that wakes inboxes."""
