"""Facts that move clocks, and how acts, annexes, records and statements tell them."""
