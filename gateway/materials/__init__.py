"""The content-addressed store of documents and recordings."""
