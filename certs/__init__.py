"""Development identities: one command makes every certificate that a gateway and its agencies need on one machine."""
