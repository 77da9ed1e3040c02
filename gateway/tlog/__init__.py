"""HTTP endpoints of the C2SP transparency-log protocols: tiles to follow the log, add-checkpoint of a witness."""
