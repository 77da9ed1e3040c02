"""What all adapters share: bytes, trees, values, code tables, reading, writing and the lineage report."""
