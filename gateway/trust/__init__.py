"""Who is calling and who signed: TLS credentials, the key registry, bundle signatures and receipts."""
