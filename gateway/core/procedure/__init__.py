"""Stages of a case, tracks of its persons, and the acts that move them."""
