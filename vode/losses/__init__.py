"""Losses: one function each, masked, a value a sample (B,)."""
