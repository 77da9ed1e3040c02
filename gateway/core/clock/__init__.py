"""Statutory limits: the table, how a limit is counted, its state, its warnings and who is shown which."""
