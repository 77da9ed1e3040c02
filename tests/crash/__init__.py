"""Rounds of sudden death: every process of a log is killed under load, and what was acknowledged is looked for."""

import os

# The rounds start processes while calls are under way. gRPC's own handlers for a fork do not survive that in the child,
# which only wants to become another program; they are read once, when gRPC is first imported.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
