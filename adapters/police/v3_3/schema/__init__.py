"""What police schema 3.3 changes of 3.2, and its formal schema."""
