"""Generated from protos/; never edited, `make gen` rewrites it."""
