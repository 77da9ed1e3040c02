"""Code tables of the bureau: ``<table>.bureau.csv``."""
