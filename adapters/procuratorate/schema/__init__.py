"""The schema of this agency as data (``fields.csv``) and as a formal schema for its own tools."""
