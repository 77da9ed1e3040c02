"""Version 3.3 of the police schema."""
