"""gRPC: server, chain of every call, thin servicers, and the typed client."""
