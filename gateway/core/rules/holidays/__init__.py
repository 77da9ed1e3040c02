"""Public holidays and make-up working days, one file a year."""
