"""Code tables of the agency interfaces, as data, and their loader (``table``)."""
