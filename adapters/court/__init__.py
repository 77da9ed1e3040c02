"""Adapter of the court system, schema 1.1."""
