"""Adapter of the procuratorate system, schema 2.0."""
