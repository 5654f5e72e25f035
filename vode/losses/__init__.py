"""Losses: one function each, masked, with one value per sample (B,)."""
