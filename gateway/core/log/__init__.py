"""The transparency log: tree, signed heads, witnesses, proofs, and the gateway's own acts in it."""
