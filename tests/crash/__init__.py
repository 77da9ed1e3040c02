"""Rounds of sudden death: every process of a log is killed under load, and what was acknowledged is looked for."""
