"""Adapter of a community correction bureau, schema 1.0: commissions of assessments, and opinions."""
