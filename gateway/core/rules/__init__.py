"""Rules of the procedure as data files; see README.md beside them."""
