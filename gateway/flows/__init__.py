"""Use cases: what happens, in order, when somebody calls; they know the core and its ports and nothing else."""
