"""Who may call what, and who may see what of a case."""
