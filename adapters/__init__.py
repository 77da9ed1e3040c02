"""Adapters: one folder for each agency schema, to and from the canonical case."""
