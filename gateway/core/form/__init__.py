"""Forms: what a structured material (annex) or a signed message (statement) must say; see README.md beside this."""
