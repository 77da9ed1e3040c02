"""Adapter of the judicial-administration system, schema 1.4."""
