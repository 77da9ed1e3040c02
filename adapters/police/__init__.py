"""Adapter of the police system, schema 3.2."""
