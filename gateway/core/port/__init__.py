"""What flows, auditors and signers need from the world, as protocols."""
