"""The canonical case: what adapters read and write, and nothing of any agency."""
